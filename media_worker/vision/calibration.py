"""Whether a nail's confidence means something: among nails given 0.8, about 80 % should overlap a true one by half."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from media_worker.vision.arrays import Floats

BINS = 10


@dataclass(frozen=True)
class Bin:
    """The nails whose confidence lies in [low, high); the last one holds 1, too."""

    low: float
    high: float
    nails: int
    confidence: float
    """Mean of theirs; the middle of the bin when it is empty."""
    right: float
    """Share of them that match a true nail; 0 when it is empty."""


@dataclass(frozen=True)
class Calibration:
    bins: tuple[Bin, ...]
    error: float
    """Expected calibration error: the mean of |share right − confidence| over the bins, weighed by their nails (Guo et
    al., On Calibration of Modern Neural Networks, ICML 2017). 0 without nails."""


def calibrate(confidences: Sequence[float], right: Sequence[bool], bins: int = BINS) -> Calibration:
    """Sorts nails into bins of equal width; `right` says of each whether it matches a true nail.

    Raises ValueError where the lengths differ or a confidence lies outside 0–1.
    """
    given, matched = np.asarray(confidences, float), np.asarray(right, float)
    if given.shape != matched.shape:
        raise ValueError(f"{given.size} confidences, but {matched.size} verdicts")
    if given.size and not (given.min() >= 0 and given.max() <= 1):
        raise ValueError(f"confidences lie in 0–1, not {given.min():.2f}–{given.max():.2f}")
    places = np.minimum((given * bins).astype(int), bins - 1)
    table = tuple(_bin(index, bins, given[places == index], matched[places == index]) for index in range(bins))
    gaps = sum(each.nails * abs(each.right - each.confidence) for each in table)
    return Calibration(table, gaps / given.size if given.size else 0.0)


def _bin(index: int, bins: int, given: Floats, matched: Floats) -> Bin:
    low, high = index / bins, (index + 1) / bins
    if not given.size:
        return Bin(low, high, 0, (low + high) / 2, 0.0)
    return Bin(low, high, int(given.size), float(given.mean()), float(matched.mean()))
