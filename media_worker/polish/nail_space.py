"""Nail coordinates: u −1 to 1 across, v 0 at the cuticle to 1 at the free edge, following the curves of both ends.

A line of one v runs parallel to the cuticle below and to the free edge above, so that smile lines and moons need no
bending of their own. With t the share of the axis' length, and the ends at t = c·u² and t = 1 − e·u²:

    v = (t − c·u²) / (1 − (c + e)·u²)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import atan2

import cv2
import numpy as np

from media_worker.vision.arrays import Floats
from media_worker.vision.shapes import Complex

MOST_CURVED = 0.35
"""Of c and e: beyond, as on a stiletto, lines of one v would meet at the sides."""

INNER = 0.7
"""Up to this |u| the ends' curves are measured; beyond, they turn into the side walls."""

ENOUGH_POINTS = 32

SHEETS = (8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)
"""Rows of the sheets that polish is mixed on: the next finer than the nail in the picture is taken."""

FINENESS = 0.85
"""Rows of a sheet per pixel of length, at least: cameras are no sharper."""

ASPECT = 0.75
"""Columns per row of a sheet, as nails are longer than wide."""


@dataclass(frozen=True, eq=False)
class Place:
    """Points of a nail: a whole sheet of them, row 0 at the cuticle."""

    u: Floats
    """(h, w) or (1, w), float32."""
    v: Floats
    """(h, w) or (h, 1), float32."""
    pixel_u: float
    """Distance of two neighbours in u; edges of patterns are this soft."""
    pixel_v: float


@lru_cache(maxsize=len(SHEETS))
def sheet(rows: int) -> Place:
    """The middles of `rows` by ASPECT·rows cells that fill a nail, u and v (rows, columns) each. Shared: read only."""
    columns = round(ASPECT * rows)
    v, u = np.meshgrid((np.arange(rows) + 0.5) / rows, (np.arange(columns) + 0.5) / columns * 2 - 1, indexing="ij")
    return Place(u.astype(np.float32), v.astype(np.float32), 2 / columns, 1 / rows)


@dataclass(frozen=True, eq=False)
class NailSpace:
    """Where a nail lies in a picture: the way from its coordinates to pixels and back."""

    cuticle: Floats
    """(2,) midway between the sides, in pixels."""
    along: Floats
    """(2,) unit vector from the cuticle to the free edge."""
    length: float
    """Pixels."""
    half_width: float
    """Pixels."""
    cuticle_curve: float
    """c of the formula above."""
    edge_curve: float
    """e of the formula above."""

    @classmethod
    def of(cls, outline: Floats, axis: Floats) -> NailSpace:
        """Of an outline (N, 2) with an axis (2, 2) from the cuticle to the free edge, in pixels."""
        start, end = to_complex(axis).tolist()
        length = max(abs(end - start), 1.0)
        along = (end - start) / length
        points = (to_complex(_dense(outline)) - start) * along.conjugate()
        t, across = points.real / np.float32(length), points.imag
        left, right = float(across.min()), float(across.max())
        half_width, middle = max((right - left) / 2, 0.5), (left + right) / 2
        u = (across - np.float32(middle)) / np.float32(half_width)
        square = u * u
        square *= square <= INNER * INNER
        below = square * (t < 0.5)
        above = square - below
        cuticle = start + middle * along * 1j
        return cls(_pair(cuticle), _pair(along), length, half_width, _bend(below, t), _bend(above, 1 - t))

    @property
    def rows(self) -> int:
        """Rows of the sheet on which polish for this nail is mixed."""
        return next((rows for rows in SHEETS if rows >= FINENESS * self.length), SHEETS[-1])

    @property
    def angle(self) -> float:
        """Direction of the axis in the picture, radians; 0 to the right, half π downwards."""
        x, y = self.along.tolist()
        return atan2(y, x)

    def coordinates(self, left: int, top: int, width: int, height: int) -> tuple[Floats, Floats]:
        """u and v, float32 (height, width), of the pixel centres of a patch whose corner is pixel (left, top)."""
        (dx, dy), (x, y) = self.along.tolist(), self.cuticle.tolist()
        x, y = left + 0.5 - x, top + 0.5 - y  # the first pixel, from the cuticle
        u = ramp(width, height, -dy / self.half_width, dx / self.half_width, (dx * y - dy * x) / self.half_width)
        t = ramp(width, height, dx / self.length, dy / self.length, (dx * x + dy * y) / self.length)
        square = np.minimum(u * u, np.float32(1.3))
        t -= np.float32(self.cuticle_curve) * square
        square *= np.float32(-self.cuticle_curve - self.edge_curve)
        square += 1
        t /= square
        return u, t

    def pixels(self, u: Floats, v: Floats) -> tuple[Floats, Floats]:
        """x and y in the picture of points of the nail; u and v of one shape."""
        t = v + u * u * (self.cuticle_curve - v * (self.cuticle_curve + self.edge_curve))
        (dx, dy), (x, y) = self.along.tolist(), self.cuticle.tolist()
        across_x, across_y = -dy * self.half_width, dx * self.half_width
        return x + t * (dx * self.length) + u * across_x, y + t * (dy * self.length) + u * across_y


_GRID = np.meshgrid(np.arange(256, dtype=np.float32), np.arange(256, dtype=np.float32))
"""Numbers of columns and rows; larger nails make their own."""


def ramp(width: int, height: int, across: float, down: float, start: float) -> Floats:
    """float32 (height, width): `start`, and so much more for each pixel across and down."""
    x, y = (part[:height, :width] for part in _GRID)
    if x.shape != (height, width):
        x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return cv2.addWeighted(x, across, y, down, start).astype(np.float32, copy=False)


def to_complex(points: Floats) -> Complex:
    """(N, 2) → complex64 (N,), x + iy, so that turning is one product; the same bytes if float32."""
    return np.ascontiguousarray(points, np.float32).view(np.complex64)[:, 0]


def to_points(numbers: Complex) -> Floats:
    """(N,) → float32 (N, 2); the same bytes if they are complex64."""
    return np.ascontiguousarray(numbers, np.complex64).view(np.float32).reshape(-1, 2)


def _pair(number: complex) -> Floats:
    return np.array([number.real, number.imag], np.float32)


def _bend(square: Floats, depth: Floats) -> float:
    """How fast an end falls back from its middle: least squares of depth = bend · u², where `square`, u², is not 0."""
    bend = float(depth @ square) / max(float(square @ square), 1e-6)
    return min(max(bend, 0.0), MOST_CURVED)


def _dense(outline: Floats) -> Floats:
    """With three points more between any two where it has few: corners alone would not tell how an end runs."""
    if len(outline) >= ENOUGH_POINTS:
        return outline
    ahead = np.roll(outline, -1, axis=0)
    shares = np.array([0, 0.25, 0.5, 0.75], np.float32)[None, :, None]
    dense: Floats = (outline[:, None] + shares * (ahead - outline)[:, None]).reshape(-1, 2)
    return dense
