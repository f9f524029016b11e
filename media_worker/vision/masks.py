"""From what the crop network says of one crop to a nail in the frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from media_worker.vision.arrays import Floats
from media_worker.vision.crops import crop_matrix
from media_worker.vision.finder import Guess
from media_worker.vision.nails import Nail

FINE = 128
"""Masks are enlarged to this many pixels a side before they are outlined; a nail is about 58 of them long."""

OUTLINE_POINTS = 32

SMALLEST = 40
"""Fine pixels that a mask must have: less is no nail."""

SOLIDITY, SOLIDITY_NAMELESS = 0.85, 0.92
"""Least share of its convex hull that a nail fills; where no landmarks expect one, it takes more to be believed. Of 190
nails found rightly in photos none had under 0.97, but one from the side, in a single quick look, 0.91; holes between
fingers and folds of paper have 0.8 to 0.96."""

LEAST_CONFIDENCE = 0.5
"""What is less likely a nail than not is none."""


@dataclass(frozen=True)
class Calibration:
    """Platt scaling (Platt, 1999): a logistic function of the network's own logit, fit on photos not trained on.

    A place where a hand's landmarks expect a nail is more likely one than any other that looks the same.
    """

    offset: float
    slope: float
    expected: float
    """Added where landmarks expect a nail."""

    def __call__(self, presence: float, *, expected: bool) -> float:
        """Probability that a nail of this presence, a logit, overlaps a true one by half."""
        return float(1 / (1 + np.exp(-self.offset - self.slope * presence - self.expected * expected)))


RAW = Calibration(0.0, 1.0, 0.0)

CALIBRATION = Calibration(offset=-3.27, slope=0.95, expected=2.215)
"""By `python -m media_worker.training calibrate`, on nails/val and nails/lab_val."""

END = 0.06
"""The ends of a nail, over which its middle is taken, in lengths."""


@dataclass(frozen=True)
class CropMask:
    """The answer for one crop, upright, free of the crop's size."""

    logits: Floats
    """(FINE, FINE): above 0 is nail."""
    presence: float
    """Logit: there is a nail in the middle."""
    direction: Floats
    """(2,) cuticle → free edge in the crop, about one long; (0, −1) is as guessed."""

    @classmethod
    def of(cls, mask: Floats, presence: float, direction: Floats) -> CropMask:
        fine = cv2.resize(np.ascontiguousarray(mask), (FINE, FINE), interpolation=cv2.INTER_CUBIC)
        return cls(fine.astype(np.float32, copy=False), float(presence), direction)

    @classmethod
    def mean(cls, looks: Sequence[CropMask]) -> CropMask:
        """Several looks at one guess, as one."""
        return cls(
            np.mean([look.logits for look in looks], axis=0),
            float(np.mean([look.presence for look in looks])),
            np.mean([look.direction for look in looks], axis=0),
        )


def nail_of(
    guess: Guess, mask: CropMask, calibration: Calibration = CALIBRATION, least: float = LEAST_CONFIDENCE
) -> Nail | None:
    """The nail in the frame, named as the guess; None where the network sees none."""
    confidence = calibration(mask.presence, expected=guess.finger is not None)
    if confidence < least:
        return None
    edge = _edge(mask.logits > 0)
    if len(edge) < 3 or _area(edge) < SMALLEST:
        return None
    to_frame = cv2.invertAffineTransform(crop_matrix(guess, FINE))
    if _solidity(edge) < (SOLIDITY if guess.finger else SOLIDITY_NAMELESS):
        return None
    edge = edge @ to_frame[:, :2].T + to_frame[:, 2]
    direction = to_frame[:, :2] @ mask.direction
    axis = _axis(edge, direction / max(float(np.hypot(*direction)), 1e-9))
    outline = _evenly(edge)
    return Nail(guess.finger, guess.hand, outline.astype(np.float32), axis.astype(np.float32), confidence, 1.0)


def _edge(mask: NDArray[np.bool_]) -> Floats:
    """(M, 2), dense: the edge of a mask's largest part, in fine pixels counted from the corner; (0, 2) without any."""
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return np.empty((0, 2))
    points = max(contours, key=cv2.contourArea)[:, 0].astype(np.float64) + 0.5
    outward = points - points.mean(axis=0)  # contours run through the middles of the outermost pixels
    edge: Floats = points + 0.5 * outward / np.maximum(np.hypot(outward[:, :1], outward[:, 1:]), 1.0)
    return edge


def _area(edge: Floats) -> float:
    return float(cv2.contourArea(edge.astype(np.float32)))


def _solidity(edge: Floats) -> float:
    hull = cv2.convexHull(edge.astype(np.float32))
    return _area(edge) / max(float(cv2.contourArea(hull)), 1e-6)


def _evenly(edge: Floats) -> Floats:
    """(OUTLINE_POINTS, 2) at equal steps along a closed edge."""
    closed = np.vstack([edge, edge[:1]])
    walked = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(closed, axis=0).T))])
    steps = np.linspace(0, walked[-1], OUTLINE_POINTS, endpoint=False)
    return np.stack([np.interp(steps, walked, closed[:, k]) for k in (0, 1)], axis=1)


def _axis(edge: Floats, direction: Floats) -> Floats:
    """(2, 2): middle of the cuticle, middle of the free edge."""
    across = np.array([-direction[1], direction[0]])
    t, s = edge @ direction, edge @ across
    low, high = float(t.min()), float(t.max())
    reach = END * (high - low)
    ends = [(low, s[t <= low + reach].mean()), (high, s[t >= high - reach].mean())]
    return np.stack([along * direction + aside * across for along, aside in ends])
