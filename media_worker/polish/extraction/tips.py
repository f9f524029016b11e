"""Loose tips on a plain background, where the learned finder sees no nail: compact, convex, longish shapes."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from media_worker.vision.arrays import Floats, Pixels
from media_worker.vision.nails import Nail, numbered

LONGEST = 512
"""Pixels of the longer side in which shapes are looked for."""

SMALLEST, LARGEST = 0.003, 0.3
"""Area as a share of the picture."""

CONVEX = 0.92
"""Least share of its convex hull that a tip fills."""

BOXY = 0.65
"""Least share of its box that a tip fills: an ellipse fills 0.79, a stiletto two thirds."""

TELLS = 0.02
"""By so much of its width a tip's ends must differ to tell the free edge."""

SLIM, ROUND = 3.5, 1.1
"""Length in widths, at most and at least."""

PLAIN = 0.6
"""Share of the picture's border that has to have one colour."""

DIFFERENT = 12.0
"""Least distance of a tip from the background's colour in CIE Lab of 8 bits."""

CONFIDENCE = 0.5
"""A shape is less than a nail that was recognised."""


def find_tips(rgb: Pixels) -> list[Nail]:
    """Loose tips in a picture, uint8 (H, W, 3), numbered; none where the background is not plain."""
    scale = min(LONGEST / max(rgb.shape[:2]), 1.0)
    width, height = (max(round(side * scale), 1) for side in rgb.shape[1::-1])
    small = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    tips = _of_one_size([_Tip.of(outline) for outline in _outlines(small)])
    stretch = np.array(rgb.shape[1::-1]) / (width, height)
    return numbered(_nail(tip, turned, stretch) for tip, turned in zip(tips, _turned(tips), strict=True))


def _outlines(rgb: Pixels) -> list[Floats]:
    """(N, 2) each: what stands out of the background and may be a tip."""
    if min(rgb.shape[:2]) < 16:
        return []
    contours, _ = cv2.findContours(_foreground(rgb), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return [
        contour[:, 0].astype(np.float32) + 0.5
        for contour in contours
        if _is_tip(np.asarray(contour, np.int32), rgb.shape)
    ]


def _foreground(rgb: Pixels) -> Pixels:
    """255 where it differs from the border's usual colour; all 0 where the border has no such colour."""
    lab = cv2.GaussianBlur(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB), (0, 0), 1.0).astype(np.float32)
    border = np.concatenate([lab[0], lab[-1], lab[:, 0], lab[:, -1]])
    background = np.median(border, axis=0)
    if (np.linalg.norm(border - background, axis=1) < DIFFERENT).mean() < PLAIN:
        return np.zeros(rgb.shape[:2], np.uint8)
    distance = np.minimum(np.linalg.norm(lab - background, axis=2), 255).astype(np.uint8)
    half, _ = cv2.threshold(distance, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    apart = (distance > np.clip(0.6 * half, DIFFERENT, 40)).astype(np.uint8) * 255
    return cv2.morphologyEx(apart, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)).astype(np.uint8, copy=False)


def _is_tip(contour: NDArray[np.int32], shape: tuple[int, ...]) -> bool:
    area, (height, width) = cv2.contourArea(contour), shape[:2]
    left, top, w, h = cv2.boundingRect(contour)
    cut = left < 2 or top < 2 or left + w > width - 2 or top + h > height - 2
    if cut or not SMALLEST * width * height < area < LARGEST * width * height:
        return False
    _, sides, _ = cv2.minAreaRect(contour)
    slim = max(sides) / max(min(sides), 1e-6)
    fills = area / max(sides[0] * sides[1], 1e-6)
    hull = cv2.contourArea(cv2.convexHull(contour))
    return bool(ROUND <= slim <= SLIM and fills > BOXY and area > CONVEX * hull)


@dataclass(frozen=True)
class _Tip:
    outline: Floats
    """(N, 2) pixels."""
    axis: Floats
    """(2, 2) ends of its length; the free edge is not known yet."""
    points: float
    """How much narrower it is towards the second end than towards the first, as a share of its width."""

    @classmethod
    def of(cls, outline: Floats) -> _Tip:
        corners = cv2.boxPoints(cv2.minAreaRect(outline))
        first, second = corners[1] - corners[0], corners[2] - corners[1]
        long = first if np.hypot(*first) >= np.hypot(*second) else second
        long = long if (long[1], long[0]) < (0, 0) else -long  # upwards
        length, middle = float(np.hypot(*long)), corners.mean(axis=0)
        along = (outline - middle) @ long / length**2  # -0.5 to 0.5
        across = (outline - middle) @ np.array([-long[1], long[0]]) / length
        widths = [np.ptp(across[part]) for part in (along < -0.25, along > 0.25) if part.any()]
        ends = [np.abs(across[part]).mean() for part in (along < -0.35, along > 0.35)]
        points = float(ends[0] - ends[1]) / max(float(np.max(widths)), 1e-6)
        return cls(outline, np.stack([middle - long / 2, middle + long / 2]), points)


def _of_one_size(tips: list[_Tip]) -> list[_Tip]:
    """Those as large as most, for a set's tips differ by less than a factor of two in length."""
    if not tips:
        return []
    lengths = np.array([np.hypot(*(tip.axis[1] - tip.axis[0])) for tip in tips])
    usual = float(np.median(lengths))
    return [tip for tip, length in zip(tips, lengths, strict=True) if usual / 2 < length < usual * 2]


def _turned(tips: list[_Tip]) -> list[bool]:
    """Which tips have their free edge at the first end: the narrower one, as most of those that lie in parallel say.

    Where nothing tells, tips point upwards.
    """
    directions = [
        (tip.axis[1] - tip.axis[0]) / max(float(np.hypot(*(tip.axis[1] - tip.axis[0]))), 1e-6) for tip in tips
    ]
    votes = [
        sum(float(one @ other) ** 5 * tip.points for other, tip in zip(directions, tips, strict=True))
        for one in directions
    ]
    return [vote < -TELLS for vote in votes]


def _nail(tip: _Tip, turned: bool, stretch: Floats) -> Nail:
    axis = tip.axis[::-1] if turned else tip.axis
    outline, axis = (tip.outline * stretch).astype(np.float32), (axis * stretch).astype(np.float32)
    return Nail(None, None, outline, axis, CONFIDENCE, 1.0)
