"""Nail outlines from landmarks, and which nails the camera can see.

A stopgap: mean proportions, so IoU with the truth is about 0.5. Whatever replaces it takes a picture and hands and
returns `Nail`s, as `outline_nails` does; tracking and paint know nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from media_worker.vision.arrays import Floats, Pixels
from media_worker.vision.hands import Hand, Side
from protocol.messages import Finger

FINGERS = tuple(Finger)
"""Thumb to pinky: finger k has landmarks 4k+1 to 4k+4, the last one its tip."""


@dataclass(frozen=True)
class Proportions:
    """Where a nail lies on the line DIP → TIP (thumb: IP → TIP), as shares of that line's length."""

    cuticle: float
    free_edge: float
    width: float


PROPORTIONS = {
    Finger.THUMB: Proportions(0.61, 1.23, 0.39),
    Finger.INDEX: Proportions(0.65, 1.26, 0.51),
    Finger.MIDDLE: Proportions(0.66, 1.28, 0.50),
    Finger.RING: Proportions(0.58, 1.26, 0.51),
    Finger.PINKY: Proportions(0.56, 1.28, 0.52),
}
"""Means over 50 phone photos with masks (design section 6)."""

SQUARENESS = 2.5
"""Exponent of the outline's superellipse: 2 is an ellipse, 4 nearly a rectangle."""

OUTLINE_POINTS = 28

FACING = {finger: (0.35, 0.65) for finger in Finger} | {Finger.THUMB: (0.15, 0.4)}
"""Where visibility rises from 0 to 1 over `facing`. Visible nails of 54 phone photos: 5th percentile 0.87–0.96
(thumb −0.7, median 0.66); hidden ones of 89 palms: 90th percentile under −0.02 (thumb −0.17)."""

UNTUCKED = 0.12
"""`_reach` from which a thumb is not under the hand. Of 50 thumbs on backs of hands in phone photos, the seven hidden
ones reached −0.29 to −0.13, those in view 0.03 or more."""


@dataclass(frozen=True)
class Nail:
    """One nail in one frame. This is the seam between finding nails and everything after it."""

    finger: Finger | None
    """None where no hand is known, as in close-ups."""
    hand: Side | None
    """The person's physical hand, given an unmirrored picture; None like `finger`."""
    outline: Floats
    """(N, 2) polygon in pixels of the frame, x right and y down; it may reach beyond the frame."""
    axis: Floats
    """(2, 2): middle of the cuticle, middle of the free edge, in pixels."""
    confidence: float
    """How likely this is a nail, 0–1."""
    visibility: float
    """How much of it the camera sees, 0 (turned away) to 1; over time it fades. Polish is as opaque as this."""
    number: int = 1
    """1, 2, 3… from left to right in the frame, by the middle of the outline; nails with a finger count too."""

    @property
    def worn_as(self) -> Finger:
        """The finger whose coat it wears: its own; without one, by number, from thumb to pinky and round again."""
        return self.finger or FINGERS[(self.number - 1) % len(FINGERS)]

    @property
    def width(self) -> float:
        """Widest extent across the axis, in pixels."""
        along = self.axis[1] - self.axis[0]
        across = np.array([-along[1], along[0]]) / max(float(np.hypot(*along)), 1e-6)
        return float(np.ptp(self.outline @ across))


def numbered(nails: Iterable[Nail]) -> list[Nail]:
    """The same nails in the same order, with their numbers from left to right."""
    nails = list(nails)
    across = sorted(range(len(nails)), key=lambda index: float(nails[index].outline[:, 0].mean()))
    numbers = {index: number for number, index in enumerate(across, start=1)}
    return [replace(nail, number=numbers[index]) for index, nail in enumerate(nails)]


def outline_nails(rgb: Pixels, hands: Iterable[Hand]) -> list[Nail]:
    """Every nail of `hands` that the camera sees at least a little, numbered. `rgb` is uint8 (H, W, 3)."""
    height, width = rgb.shape[:2]
    nails = (_nail(hand, index, width, height) for hand in hands for index in range(5))
    return numbered(nail for nail in nails if nail.visibility > 0)


def _nail(hand: Hand, index: int, width: int, height: int) -> Nail:
    finger = FINGERS[index]
    joint, tip = hand.landmarks[4 * index + 3], hand.landmarks[4 * index + 4]
    along = tip - joint
    across = np.array([-along[1], along[0]], np.float32)
    shape = PROPORTIONS[finger]
    axis = np.stack([joint + shape.cuticle * along, joint + shape.free_edge * along]).astype(np.float32)
    middle, half_length = axis.mean(axis=0), (shape.free_edge - shape.cuticle) / 2
    u, v = _superellipse()
    outline = middle + np.outer(u * shape.width / 2, across) + np.outer(v * half_length, along)
    inside = 0 <= middle[0] < width and 0 <= middle[1] < height
    visibility = _visibility(hand, index) if inside else 0.0
    return Nail(finger, hand.side, outline.astype(np.float32), axis, hand.score, visibility)


def _superellipse() -> tuple[Floats, Floats]:
    """Outline of a nail in nail coordinates, −1 to 1 across and along, from the middle of the cuticle."""
    angle = np.linspace(-np.pi / 2, 1.5 * np.pi, OUTLINE_POINTS, endpoint=False)
    cos, sin = np.cos(angle), np.sin(angle)
    power = 2 / SQUARENESS
    return np.sign(cos) * np.abs(cos) ** power, np.sign(sin) * np.abs(sin) ** power


def _visibility(hand: Hand, index: int) -> float:
    low, high = FACING[FINGERS[index]]
    visibility = float(np.clip((facing(hand, index) - low) / (high - low), 0, 1))
    return visibility * float(np.clip(_reach(hand) / UNTUCKED, 0, 1)) if index == 0 else visibility


def facing(hand: Hand, index: int) -> float:
    """How squarely the back of a finger's last bone faces the camera: 1 fully, 0 edge-on, −1 turned away.

    A finger bends about an axis parallel to the knuckle line, so the nail's normal is that line × the last bone; its
    part towards the camera needs no depth. Being about the last bone, it holds for a curled finger too: with the palm
    towards the camera the tip points back to the wrist and the nail comes into view.
    """
    knuckles = hand.landmarks[17] - hand.landmarks[5]
    bone = hand.landmarks[4 * index + 4] - hand.landmarks[4 * index + 3]
    lengths = float(np.hypot(*knuckles) * np.hypot(*bone))
    return _cross(knuckles, bone) / max(lengths, 1e-6) * (1 if hand.side == "left" else -1)


def _reach(hand: Hand) -> float:
    """How far the thumb's tip lies outside the line wrist → index knuckle, in sizes of the hand; inside is negative."""
    wrist, tip, index, pinky = hand.landmarks[[0, 4, 5, 17]]
    edge = index - wrist
    outside = _cross(edge, tip - index) * -np.sign(_cross(edge, pinky - index))
    return float(outside / max(float(np.hypot(*edge)) * hand.size, 1e-6))


def _cross(a: Floats, b: Floats) -> float:
    return float(a[0] * b[1] - a[1] * b[0])
