"""Finding hands: MediaPipe's HandLandmarker, for a stream (`HandFinder`) and for photos (`StillHandFinder`)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import cv2
import mediapipe
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision

from media_worker.vision import models
from media_worker.vision.arrays import Floats, Pixels
from media_worker.vision.models import ModelUnavailable
from media_worker.vision.pictures import Picture
from protocol.errors import VisionFailed

Side = Literal["left", "right"]

SECOND_HAND_INTERVAL_MS = 380
"""How often a stream with one hand looks for a second one: every 400 ms, as hands are looked for every third or fourth
frame. Looking costs one frame of ~20 ms instead of ~9."""

PAIR_HOLD_MS = 300
"""How long a lost second hand is still expected at once; holds off the switch to one hand when a hand blinks out."""

SAME_HAND = 0.35
"""Two finds whose points lie closer than this share of the hand's size, on average, are one hand found twice."""

STREAM_SIZE = 320
"""Frames are shrunk to this many pixels on the longer side. Landmarks of real videos at 320 and at 640 pixels lie
0.6 pixels of 640 apart in the median; those of drawn hands, even of one 110 pixels large, are as true."""

STILL_SIZE = 1024
"""Photos are shrunk to this many pixels on the longer side before looking; the networks see 192 and 224."""

STILL_ATTEMPTS = ((0.0, 0), (0.25, 0), (0.6, 0), (0.25, 90), (0.25, -90), (0.25, 180), (0.6, 45), (0.6, -45))
"""Padding (share of the longer side) and turn (degrees) of each try; hands that fill the picture need the first."""

UNMOVED: Floats = np.eye(2, 3, dtype=np.float32)


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
    """MediaPipe's certainty of the side, 0–1; it is low where there is hardly a hand."""

    @property
    def size(self) -> float:
        """Wrist to middle knuckle or knuckle to knuckle times 1.6, whichever is longer, in pixels."""
        points = self.landmarks
        return float(max(np.hypot(*(points[9] - points[0])), 1.6 * np.hypot(*(points[17] - points[5]))))


class HandFinder:
    """Hands in a stream of frames. Owns up to two landmarkers (40 MB each); `close` gives them back.

    A landmarker with a free slot reruns the palm detector on every frame, which doubles its price (9 → 20 ms). So
    there are two: `solo`, with one slot, follows one hand; `pair`, with two, works while there are two hands or none
    (an empty picture costs both the same) and every 400 ms takes solo's place for a frame to look for a second hand.
    """

    def __init__(self, model_path: Path, *, max_hands: int = 2) -> None:
        if max_hands not in (1, 2):
            raise ValueError(f"max_hands is 1 or 2, not {max_hands}")
        self._solo = _Landmarker(model_path, 1, vision.RunningMode.VIDEO)
        self._pair = _Landmarker(model_path, 2, vision.RunningMode.VIDEO) if max_hands == 2 else self._solo
        self._use_pair_until = 0
        self._next_look = 0
        self._last_timestamp = -1

    def find(self, picture: Picture, timestamp_ms: int) -> list[Hand]:
        """Hands in the frame. Timestamps may repeat or step back; MediaPipe is shown ones that grow.

        Raises VisionFailed.
        """
        now = max(timestamp_ms, self._last_timestamp + 1)
        self._last_timestamp = now
        use_pair = now < self._use_pair_until or now >= self._next_look
        hands = (self._pair if use_pair else self._solo).detect(picture.small(STREAM_SIZE), now)
        if len(hands) == 2:
            self._use_pair_until = now + PAIR_HOLD_MS
        if use_pair:
            self._next_look = now + SECOND_HAND_INTERVAL_MS
        if not hands:
            self._next_look = now
        scale = max(picture.size) / min(STREAM_SIZE, max(picture.size))
        return [_moved(hand, UNMOVED, scale) for hand in hands]

    def close(self) -> None:
        self._solo.close()
        self._pair.close()


class _Landmarker:
    """MediaPipe's HandLandmarker with our types. `close` may be called twice."""

    def __init__(self, model_path: Path, num_hands: int, mode: vision.RunningMode, min_score: float = 0.5) -> None:
        models.check(model_path)  # MediaPipe leaves a thread behind when it fails to load one
        options = vision.HandLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(model_path)),
            running_mode=mode,
            num_hands=num_hands,
            min_hand_detection_confidence=min_score,
            min_hand_presence_confidence=min_score,
        )
        self._video = mode is vision.RunningMode.VIDEO
        try:
            self._landmarker: Any = vision.HandLandmarker.create_from_options(options)
        except (RuntimeError, ValueError, OSError) as error:
            raise ModelUnavailable(f"The hand model {model_path} cannot be loaded: {error}.") from error

    def detect(self, rgb: Pixels, timestamp_ms: int = 0) -> list[Hand]:
        if self._landmarker is None:
            raise VisionFailed("the hand finder is closed")
        image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(rgb))
        try:
            if self._video:
                result = self._landmarker.detect_for_video(image, timestamp_ms)
            else:
                result = self._landmarker.detect(image)
        except (RuntimeError, ValueError) as error:
            raise VisionFailed(f"the hand model failed: {error}") from error
        height, width = rgb.shape[:2]
        hands = [
            _hand(points, handedness[0], width, height)
            for points, handedness in zip(result.hand_landmarks, result.handedness, strict=True)
        ]
        return _without_doubles(hands)

    def close(self) -> None:
        landmarker, self._landmarker = self._landmarker, None
        if landmarker is not None:
            landmarker.close()


def _hand(points: list[Any], handedness: Any, width: int, height: int) -> Hand:
    # MediaPipe counts from the middle of the first pixel: without the halves, landmarks shift with the picture's size
    array = np.array([(p.x * width + 0.5, p.y * height + 0.5, p.z * width) for p in points], np.float32)
    side: Side = "left" if handedness.category_name == "Left" else "right"
    return Hand(array[:, :2], array[:, 2], side, float(handedness.score))


def _without_doubles(hands: list[Hand]) -> list[Hand]:
    """MediaPipe now and then reports one hand twice; the one it is surer of stays."""
    kept: list[Hand] = []
    for hand in sorted(hands, key=lambda each: -each.score):
        if all(distance(hand, other) > SAME_HAND for other in kept):
            kept.append(hand)
    return kept


def distance(a: Hand, b: Hand) -> float:
    """Mean distance between the landmarks of two hands, as a share of the larger hand's size."""
    gap = np.hypot(*(a.landmarks - b.landmarks).T).mean()
    return float(gap / max(a.size, b.size, 1.0))


class StillHandFinder:
    """Hands in single photos. Tries again with padded borders and rotations when nothing is found."""

    def __init__(self, model_path: Path, *, max_hands: int = 2) -> None:
        self._landmarker = _Landmarker(model_path, max_hands, vision.RunningMode.IMAGE)

    def find(self, rgb: Pixels) -> list[Hand]:
        """Hands in `rgb`, uint8 (H, W, 3) of any size. Raises VisionFailed."""
        small, scale = _shrink(rgb, STILL_SIZE)
        for padding, turn in STILL_ATTEMPTS:
            picture, back = _pad_and_turn(small, padding, turn)
            hands = self._landmarker.detect(picture)
            if hands:
                return [_moved(hand, back, 1 / scale) for hand in hands]
        return []

    def close(self) -> None:
        self._landmarker.close()


def _shrink(rgb: Pixels, longest: int) -> tuple[Pixels, float]:
    scale = min(1.0, longest / max(rgb.shape[:2]))
    if scale == 1.0:
        return rgb, 1.0
    return cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False), scale


def _pad_and_turn(rgb: Pixels, padding: float, turn: int) -> tuple[Pixels, Floats]:
    """The picture in a larger one, turned by `turn` degrees about its middle; and the (2, 3) matrix back to `rgb`."""
    if padding == 0 and turn == 0:
        return rgb, UNMOVED
    height, width = rgb.shape[:2]
    side = round(max(height, width) * (1 + 2 * padding))
    forth = cv2.getRotationMatrix2D((width / 2, height / 2), turn, 1.0)
    forth[:, 2] += (side - width) / 2, (side - height) / 2
    colour = [float(channel) for channel in rgb.reshape(-1, 3).mean(axis=0)]
    turned = cv2.warpAffine(rgb, forth, (side, side), flags=cv2.INTER_LINEAR, borderValue=colour)
    back = cv2.invertAffineTransform(forth).astype(np.float32)
    return turned.astype(np.uint8, copy=False), back


def _moved(hand: Hand, matrix: Floats, scale: float) -> Hand:
    points = (hand.landmarks @ matrix[:, :2].T + matrix[:, 2]) * scale
    return replace(hand, landmarks=points.astype(np.float32), depth=hand.depth * np.float32(scale))
