"""The shapes that nails are filed to, as curves between a nail's side walls.

Each is one half of a superellipse, xᵖ + |y|ʳ = 1 (Lamé's curve, with an exponent for each direction): with exponents of
2 it is round, with larger ones it nears a rectangle, with smaller ones a triangle.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from media_worker.vision.shapes import Complex
from protocol.designs import Shape

SAMPLES = 25


@dataclass(frozen=True)
class FreeEdge:
    """A shape for any nail. Points are complex numbers: x along the nail, iy across it."""

    along: float
    """Exponent p."""
    across: float
    """Exponent r."""
    height: float | None
    """Of the curve, in half widths of the nail; None: from the nail itself to the end, it tapers all the way."""
    width: float = 1.0
    """Of the curve, as a share of the nail's; side walls run straight towards it."""

    def curve(self, shoulder: float, end: float, half_width: float) -> Complex:
        """(SAMPLES + 2,) from the wall at `shoulder` to the far end and back to the other wall, all in pixels."""
        height = end - shoulder if self.height is None else self.height * half_width
        tip = end + height * self._unit.real + half_width * 1j * self._unit.imag
        return np.concatenate(([complex(shoulder, -half_width)], tip, [complex(shoulder, half_width)]))

    @cached_property
    def _unit(self) -> Complex:
        """x from −1 to 0, y from −width to width."""
        turn = np.linspace(-np.pi / 2, np.pi / 2, SAMPLES)
        x = np.maximum(np.cos(turn), 0) ** (2 / self.along) - 1
        y = self.width * np.sign(turn) * np.abs(np.sin(turn)) ** (2 / self.across)
        points: Complex = x + 1j * y
        return points


FREE_EDGES = {
    Shape.SQUARE: FreeEdge(9, 9, 0.6, width=0.94),
    Shape.SQUOVAL: FreeEdge(3.2, 3.2, 0.9, width=0.94),
    Shape.ROUND: FreeEdge(2, 2, 1.0, width=0.94),
    Shape.ALMOND: FreeEdge(1.9, 1.4, None),
    Shape.COFFIN: FreeEdge(6, 6, 0.4, width=0.55),
    Shape.STILETTO: FreeEdge(1.45, 1.1, None),
}
"""Every shape but the natural one. Walls of real nails close in a little towards the tip, even of square ones."""
