"""Flakes in polish: strewn once, each at its own tilt, so that it flashes in its own direction of the finger.

A flake of tilt a flashes by cos(a + turn) = cos a · cos turn − sin a · sin turn. Kept as sums of both parts, flakes
finer than a pixel average as they do to the eye.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from media_worker.polish.nail_space import ASPECT, SHEETS
from media_worker.vision.arrays import Floats

_FINE_ROWS = 768
"""Flakes are drawn on a sheet of so many rows and averaged down."""


@dataclass(frozen=True)
class Strewing:
    """Flakes of one kind."""

    count: int
    radii: tuple[float, float]
    """Smallest and largest, as shares of the nail's length."""
    seed: int


GLITTER = (Strewing(2600, (0.006, 0.012), 1), Strewing(420, (0.014, 0.024), 2), Strewing(60, (0.03, 0.042), 3))
DUST = (Strewing(9000, (0.004, 0.009), 4),)


@lru_cache(maxsize=3 * len(SHEETS))
def _strewn(strewings: tuple[Strewing, ...], rows: int) -> Floats:
    """(3, rows, columns): how much of a cell flakes cover, cosine and sine of their tilts. Shared: read only."""
    size = round(ASPECT * rows), rows
    small = cv2.resize(_drawn(strewings), size, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(small.transpose(2, 0, 1), np.float32)


@lru_cache(maxsize=2)
def _drawn(strewings: tuple[Strewing, ...]) -> Floats:
    """The same on every run."""
    picture = np.zeros((_FINE_ROWS, round(ASPECT * _FINE_ROWS), 3), np.float32)
    for strewing in strewings:
        random = np.random.default_rng(strewing.seed)
        for _ in range(strewing.count):
            _draw_flake(picture, random, strewing.radii)
    return picture


def _draw_flake(picture: Floats, random: np.random.Generator, radii: tuple[float, float]) -> None:
    """A hexagon, as flakes are cut."""
    x, y = random.uniform((0, 0), picture.shape[1::-1])
    radius, tilt = random.uniform(*radii) * _FINE_ROWS, random.uniform(0, 2 * np.pi)
    corners = random.uniform(0, 1) + np.arange(6) * np.pi / 3
    hexagon = np.stack([x + radius * np.cos(corners), y + radius * np.sin(corners)], axis=1)
    value = (1.0, float(np.cos(tilt)), float(np.sin(tilt)))
    cv2.fillConvexPoly(picture, np.round(hexagon * 16).astype(np.int32), value, cv2.LINE_8, 4)


def flakes(strewings: tuple[Strewing, ...], rows: int, turn: float) -> tuple[Floats, Floats]:
    """How much of each cell is flake, and how much it flashes (0–1), both (rows, columns)."""
    amount, cosine, sine = _strewn(strewings, rows)
    return amount, np.maximum(cosine * np.float32(np.cos(turn)) - sine * np.float32(np.sin(turn)), 0)


@lru_cache(maxsize=len(SHEETS))
def brushed(rows: int) -> Floats:
    """(rows, columns) fine streaks along the nail, around 0, as a brush leaves them in metal. Shared: read only."""
    noise = np.random.default_rng(5).standard_normal((_FINE_ROWS, round(ASPECT * _FINE_ROWS))).astype(np.float32)
    streaks = cv2.GaussianBlur(noise, (0, 0), sigmaX=4, sigmaY=90)
    small = cv2.resize(streaks, (round(ASPECT * rows), rows), interpolation=cv2.INTER_AREA)
    even: Floats = (small / small.std()).astype(np.float32)
    return even
