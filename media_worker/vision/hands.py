"""Finding hands in a stream: where one was, the landmark network looks again; the palm network looks for new ones.

This is what MediaPipe's hand tracking does, with its networks and its constants (hand_landmark_tracking_cpu.pbtxt,
Apache-2.0), but looks are cut out of the frame as it came in, palms are looked for when it is time, and streams share
the networks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from media_worker.vision.arrays import Floats, Pixels
from media_worker.vision.hand_networks import HAND_SIZE, PALM_SIZE, LandmarkNetwork, Landmarks, Palm, PalmNetwork
from media_worker.vision.pictures import Picture
from media_worker.vision.pyramids import upright

Side = Literal["left", "right"]

SEARCH_INTERVAL_MS = 380
"""How often a stream with one hand looks for a second one: every 400 ms, as hands are looked for every third or fourth
frame."""

LOST_HAND_MS = 300
"""For so long after the second hand was lost it is looked for at once."""

PRESENT = 0.5
"""Least presence of a hand that is followed or newly found."""

SAME_HAND = 0.35
"""Two finds whose points lie closer than this share of the hand's size, on average, are one hand found twice."""

SAME_REGION = 1 / 3
"""Two regions nearer than this share of the larger one's side show one hand: squares that share half of their union."""

PALM_REGION, PALM_SHIFT = 2.6, 0.5
"""A hand fills a square of so many times its palm, whose middle lies so many palms further up."""

HAND_REGION, HAND_SHIFT = 2.0, 0.1
"""The same from the box round a hand's landmarks without its finger tips."""

_PALM_AND_JOINTS = [0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18]
_WRIST, _INDEX, _MIDDLE, _RING = 0, 5, 9, 13


@dataclass(frozen=True)
class Hand:
    """One hand in one frame."""

    landmarks: Floats
    """(21, 2): x right and y down in pixels of the frame, in MediaPipe's order (0 wrist, 4 thumb tip, 8 index tip…)."""
    depth: Floats
    """(21,): towards the camera is negative, roughly in pixels, from the wrist. Good for signs, not for measures."""
    side: Side
    """The person's physical hand, given an unmirrored picture."""
    score: float
    """The network's certainty of the side, 0–1; it is low where there is hardly a hand."""

    @property
    def size(self) -> float:
        """Wrist to middle knuckle or knuckle to knuckle times 1.6, whichever is longer, in pixels."""
        points = self.landmarks
        return float(max(np.hypot(*(points[9] - points[0])), 1.6 * np.hypot(*(points[17] - points[5]))))


@dataclass(frozen=True)
class Region:
    """A square of the frame that a hand fills, fingers up."""

    centre: Floats
    """(2,) pixels."""
    up: Floats
    """(2,) towards the fingers, of length 1."""
    side: float
    """Pixels."""

    @classmethod
    def round_palm(cls, palm: Palm) -> Region:
        """`palm` in pixels of the frame."""
        up = _direction(palm.wrist, palm.knuckle)
        return cls(palm.box[:2] + PALM_SHIFT * palm.box[3] * up, up, PALM_REGION * max(float(palm.box[2:].max()), 1.0))

    @classmethod
    def round_hand(cls, points: Floats) -> Region:
        """Where the hand with these landmarks, (21, 2) pixels of the frame, will be looked for in the next frame."""
        fingers = (points[_INDEX] + points[_RING]) / 4 + points[_MIDDLE] / 2
        up = _direction(points[_WRIST], fingers)
        right = np.array([-up[1], up[0]])
        some = points[_PALM_AND_JOINTS]
        along, across = some @ up, some @ right
        height, width = float(np.ptp(along)), float(np.ptp(across))
        middle = (along.max() + along.min()) / 2 + HAND_SHIFT * height
        centre = middle * up + (across.max() + across.min()) / 2 * right
        return cls(centre, up, HAND_REGION * max(height, width, 1.0))

    def shows_hand_of(self, other: Region) -> bool:
        apart = math.hypot(*(self.centre - other.centre))
        return apart < SAME_REGION * max(self.side, other.side)


class HandFinder:
    """Hands in a stream of frames. Not thread-safe."""

    def __init__(
        self,
        model_path: Path,
        *,
        max_hands: int = 2,
        palm_network: Callable[[Pixels], list[Palm]] | None = None,
        landmark_network: Callable[[Pixels], Landmarks] | None = None,
    ) -> None:
        """`model_path`: a hand_landmarker.task, whose networks are used where no others are given.

        Raises ModelUnavailable.
        """
        if max_hands not in (1, 2):
            raise ValueError(f"max_hands is 1 or 2, not {max_hands}")
        self._max_hands = max_hands
        self._find_palms = palm_network or PalmNetwork(model_path)
        self._find_landmarks = landmark_network or LandmarkNetwork(model_path)
        self._regions: list[Region] = []
        """Where hands are expected in the next frame."""
        self._searched = -math.inf
        self._lost = -math.inf

    def find(self, picture: Picture, now: float) -> list[Hand]:
        """Hands in the frame at `now`, milliseconds that do not step back. Raises VisionFailed."""
        expected = len(self._regions)
        hands = self._look(picture, self._regions)
        if len(hands) < min(expected, self._max_hands):
            self._lost = now
        if self._search_due(len(hands), now):
            self._searched = now
            hands = without_doubles([*hands, *self._look(picture, self._new_regions(picture, hands))])
        hands = hands[: self._max_hands]
        self._regions = [Region.round_hand(hand.landmarks) for hand in hands]
        return hands

    def _search_due(self, hands: int, now: float) -> bool:
        """Without hands in every frame; beside one now and then, and at once where one was just lost."""
        if hands >= self._max_hands:
            return False
        return hands == 0 or now - self._searched >= SEARCH_INTERVAL_MS or now - self._lost <= LOST_HAND_MS

    def _new_regions(self, picture: Picture, hands: Iterable[Hand]) -> list[Region]:
        """Where palms are that belong to none of these hands."""
        small = picture.small(PALM_SIZE)
        scale = max(picture.size) / max(small.shape)
        height, width = small.shape[:2]
        shift = np.array([PALM_SIZE - width, PALM_SIZE - height]) // 2
        square = np.zeros((PALM_SIZE, PALM_SIZE, 3), np.uint8)
        square[shift[1] : shift[1] + height, shift[0] : shift[0] + width] = small
        known = [Region.round_hand(hand.landmarks) for hand in hands]
        palms = [_in_frame(palm, shift, scale) for palm in self._find_palms(square)[: self._max_hands]]
        regions = [Region.round_palm(palm) for palm in palms]
        return [region for region in regions if not any(region.shows_hand_of(each) for each in known)]

    def _look(self, picture: Picture, regions: Iterable[Region]) -> list[Hand]:
        return without_doubles([hand for region in regions if (hand := self._hand_in(picture, region))])

    def _hand_in(self, picture: Picture, region: Region) -> Hand | None:
        matrix = upright(region.centre, region.up, region.side, HAND_SIZE)
        found = self._find_landmarks(picture.warp(matrix, HAND_SIZE, border=cv2.BORDER_REPLICATE))
        if found.presence < PRESENT:
            return None
        back = cv2.invertAffineTransform(matrix)
        points = found.points[:, :2] @ back[:, :2].T + back[:, 2]
        side: Side = "right" if found.rightness > 0.5 else "left"
        score = max(found.rightness, 1 - found.rightness)
        depth = found.points[:, 2] * np.float32(region.side / HAND_SIZE)
        return Hand(points.astype(np.float32), depth, side, score)


def _in_frame(palm: Palm, shift: Floats, scale: float) -> Palm:
    """From the padded square to pixels of the frame."""
    box = np.concatenate([palm.box[:2] - shift, palm.box[2:]]) * scale
    return Palm(palm.score, box, (palm.wrist - shift) * scale, (palm.knuckle - shift) * scale)


def _direction(start: Floats, end: Floats) -> Floats:
    """(2,) of length 1; up in the picture where there is none."""
    away = end - start
    length = math.hypot(*away)
    return away / length if length > 1e-6 else np.array([0.0, -1.0])


def without_doubles(hands: list[Hand]) -> list[Hand]:
    """One hand is now and then found twice; the find whose side is surer stays."""
    kept: list[Hand] = []
    for hand in sorted(hands, key=lambda each: -each.score):
        if all(distance(hand, other) > SAME_HAND for other in kept):
            kept.append(hand)
    return kept


def distance(a: Hand, b: Hand) -> float:
    """Mean distance between the landmarks of two hands, as a share of the larger hand's size."""
    gap = np.hypot(*(a.landmarks - b.landmarks).T).mean()
    return float(gap / max(a.size, b.size, 1.0))
