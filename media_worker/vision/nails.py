"""What a nail is, where on a finger it lies, and whether a finger turns its nail or its pad to the camera."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from media_worker.vision.arrays import Floats
from media_worker.vision.hands import Hand, Side
from protocol.designs import Finger

FINGERS = tuple(Finger)
"""Thumb to pinky: finger k has landmarks 4k+1 to 4k+4, the last one its tip."""


@dataclass(frozen=True)
class Proportions:
    """Where a nail lies on the line DIP → TIP (thumb: IP → TIP), as shares of that line's length."""

    cuticle: float
    free_edge: float


PROPORTIONS = {
    Finger.THUMB: Proportions(0.61, 1.23),
    Finger.INDEX: Proportions(0.65, 1.26),
    Finger.MIDDLE: Proportions(0.66, 1.28),
    Finger.RING: Proportions(0.58, 1.26),
    Finger.PINKY: Proportions(0.56, 1.28),
}
"""Means over 50 phone photos with masks (design section 6)."""


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
    track: int = 0
    """Names the same nail over the frames of a stream; 0 in photos."""

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


def _cross(a: Floats, b: Floats) -> float:
    return float(a[0] * b[1] - a[1] * b[0])
