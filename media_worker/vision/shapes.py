"""A nail as a place and a form. Points are complex numbers, x + iy in pixels: turning and scaling is one product.

A form lives in the nail's own coordinates, so it can be averaged over time while the nail moves.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from media_worker.vision.arrays import Floats
from media_worker.vision.nails import Nail

Complex = NDArray[np.complexfloating]

POINTS = 32
"""Of the outline, one for each direction from the middle, so that those of two outlines of one nail correspond."""

_DIRECTIONS = 2 * np.pi * np.arange(POINTS) / POINTS
_SPOKES: Complex = np.exp(1j * _DIRECTIONS)
_STEPS = np.arange(4) / 4


@dataclass(frozen=True)
class Similarity:
    """A motion that keeps form: z → turn·z + shift."""

    turn: complex
    shift: complex

    def __call__(self, point: complex) -> complex:
        return self.turn * point + self.shift


@dataclass(frozen=True, eq=False)
class NailShape:
    """Where a nail is, and its form."""

    centre: complex
    """Centroid of the outline's area, pixels."""
    along: complex
    """Cuticle → free edge, pixels."""
    radii: Floats
    """(POINTS,): from the centre to the outline, in lengths of `along`, at equal angles, the first along it."""
    ends: tuple[complex, complex]
    """Middle of the cuticle, middle of the free edge, from the centre in lengths of `along`."""

    @classmethod
    def of(cls, nail: Nail) -> NailShape:
        outline, axis = to_complex(nail.outline), to_complex(nail.axis)
        centre, along = _centroid(outline), complex(axis[1] - axis[0]) or 1e-3j
        local = (outline - centre) / along
        ends = (axis - centre) / along
        return cls(centre, along, _radii(local), (complex(ends[0]), complex(ends[1])))

    @property
    def length(self) -> float:
        return abs(self.along)

    def place(self, local: Complex) -> Complex:
        """Pixels of points in the nail's own coordinates."""
        return self.centre + self.along * local

    def outline(self) -> Floats:
        """(POINTS, 2) pixels."""
        return to_points(self.place(self.radii * _SPOKES))

    def axis(self) -> Floats:
        """(2, 2) pixels: middle of the cuticle, middle of the free edge."""
        return to_points(self.place(np.array(self.ends)))

    def moved(self, motion: Similarity) -> NailShape:
        return replace(self, centre=motion(self.centre), along=motion.turn * self.along)

    def towards(self, goal: NailShape, *, centre: float, along: float, form: float) -> NailShape:
        """Part of the way to `goal`; each share is 0 (stay) to 1 (all the way)."""
        cuticle, free_edge = (mine + form * (theirs - mine) for mine, theirs in zip(self.ends, goal.ends, strict=True))
        return NailShape(
            self.centre + centre * (goal.centre - self.centre),
            self.along + along * (goal.along - self.along),
            self.radii + form * (goal.radii - self.radii),
            (cuticle, free_edge),
        )


def to_complex(points: Floats) -> Complex:
    """(N, 2) → (N,)."""
    numbers: Complex = points[..., 0] + 1j * points[..., 1]
    return numbers


def to_points(numbers: Complex) -> Floats:
    """(N,) → float32 (N, 2)."""
    return np.stack([numbers.real, numbers.imag], axis=-1).astype(np.float32)


def _centroid(outline: Complex) -> complex:
    """Of a polygon's area (shoelace formula); of its corners where it has none."""
    after = np.roll(outline, -1)
    crosses = (outline.conj() * after).imag
    area = float(crosses.sum())
    if abs(area) < 1e-3:
        return complex(outline.mean())
    return complex(((outline + after) * crosses).sum() / (3 * area))


def _radii(local: Complex) -> Floats:
    """Distances from 0 to a polygon round it, one for each direction."""
    edges = np.roll(local, -1) - local
    dense = (local[:, None] + edges[:, None] * _STEPS).ravel()
    angles = np.angle(dense)
    order = np.argsort(angles)
    return np.interp(_DIRECTIONS, angles[order], np.abs(dense)[order], period=2 * np.pi)
