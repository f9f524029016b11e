"""Burnt highlights on a flat nail: where light was so strong that no paint is left to be seen.

A highlight is white, narrow and smooth, and there are one or two of them, like the window or lamps that they mirror.
White paint looks the same up close, but covers more (French tips, stripes), or comes in numbers (dots, glitter).
"""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np

from media_worker.polish.extraction.filling import filled
from media_worker.vision.arrays import Floats, Mask

WIDEST = 0.4
"""Share of the nail's width that a highlight may cover; wider white is paint."""

STANDS_OUT = 0.25
"""Linear light by which the weakest channel of its peak exceeds what lies beside it. It ends at half of that height."""

PEAK = 0.5
"""Least weakest channel of its peak, linear light, where white is 1."""

SMALLEST, LARGEST = 0.003, 0.12
"""Shares of the nail's area: smaller is grain or glitter, larger is paint."""

SOLID = 0.65
"""Least share of its convex hull; lines that wind are paint."""

ALONE = 0.3
"""Share of its surroundings that may be as white; more is the rest of a white pattern."""

MOST = 3
"""Highlights on one nail."""


def burnt(linear: Floats, inside: Mask) -> Mask:
    """Where a flat nail, (H, W, 3) linear light, shows light and no paint, with a rim round it; (H, W)."""
    weakest = filled(linear, inside).min(axis=2)  # continued, as nothing else shows what a row is like beside its rim
    spots = _spots(np.minimum(weakest, 1), inside)
    if len(spots) > MOST:
        spots = _outstanding(spots)
    found = np.logical_or.reduce([np.zeros_like(inside), *spots])
    reach = 2 * round(0.04 * len(inside)) + 1
    rim = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    return (cv2.dilate(found.astype(np.uint8), rim) > 0) & inside


def _spots(weakest: Floats, inside: Mask) -> list[Mask]:
    """Narrow white spots, largest first."""
    line = np.ones((1, round(WIDEST * weakest.shape[1])), np.uint8)
    excess = weakest - cv2.morphologyEx(weakest, cv2.MORPH_OPEN, line)
    _, labels = cv2.connectedComponents(((excess > STANDS_OUT / 2) & inside).astype(np.uint8))
    peaks = [_peak(np.where(labels == k, excess, 0)) for k in range(1, int(labels.max()) + 1)]
    area = int(np.count_nonzero(inside))
    spots = [peak for peak in peaks if _is_spot(peak, weakest, excess, area)]
    return sorted(spots, key=lambda spot: -np.count_nonzero(spot))


def _peak(excess: Floats) -> Mask:
    """The part above half of its height."""
    return excess > max(0.5 * float(excess.max()), STANDS_OUT / 2)


def _is_spot(spot: Mask, weakest: Floats, excess: Floats, area: int) -> bool:
    if not SMALLEST * area <= np.count_nonzero(spot) <= LARGEST * area:
        return False
    if excess[spot].max() < STANDS_OUT or weakest[spot].max() < PEAK:
        return False
    points = cv2.findNonZero(spot.astype(np.uint8))
    if np.count_nonzero(spot) < SOLID * cv2.contourArea(cv2.convexHull(points)):
        return False
    around = weakest[_ring(spot)]
    as_white = weakest[spot].max() - 0.3 * excess[spot].max()
    return bool(around.size and (around > as_white).mean() < ALONE)


def _ring(spot: Mask) -> Mask:
    """What lies a few pixels round it."""
    near, far = (cv2.dilate(spot.astype(np.uint8), np.ones((side, side), np.uint8)) > 0 for side in (7, 11))
    ring: Mask = far & ~near
    return ring


def _outstanding(spots: list[Mask]) -> list[Mask]:
    """Of many spots, largest first, the few that dwarf the others; none where they are alike, as dots are."""
    areas = [np.count_nonzero(spot) for spot in spots[: MOST + 1]]
    dwarfing = [k for k, (area, following) in enumerate(pairwise(areas), start=1) if area > 4 * following]
    return spots[: dwarfing[-1]] if dwarfing else []
