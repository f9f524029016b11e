"""What a nail's outline becomes once it is filed to a shape or extended, as press-on tips are.

The nail's own outline is never cut into. A tip is put on its side walls, and the convex hull joins the two: nails are
convex, so the hull bridges them with tangents, adds no kinks, and moves by no more than the points do.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import atan, cos, sin

import cv2
import numpy as np

from media_worker.polish.free_edges import FREE_EDGES
from media_worker.polish.nail_space import to_complex, to_points
from media_worker.vision.arrays import Floats
from media_worker.vision.nails import Nail
from media_worker.vision.shapes import Complex
from protocol.designs import Length, Shape

BEYOND = {Length.NATURAL: 0.0, Length.SHORT: 0.25, Length.MEDIUM: 0.7, Length.LONG: 1.3}
"""How far a tip reaches beyond the nail's own free edge, in nail widths. Press-on tips for a middle finger's nail of
12.5 by 16 mm measure about 19 mm (short), 24 mm (medium) and 32 mm (long)."""

POINT = {Shape.ALMOND: 0.15, Shape.COFFIN: 0.12, Shape.STILETTO: 0.4}
"""What tapers take more, in nail widths: on no more than the own free edge, they would cut into the nail."""

USUAL_RATIO = 1.25
"""Length to width of a nail seen squarely; what looks shorter is foreshortened. It is 1.28 on average for four fingers
in 50 phone photos (design section 6), and 1.32 in the median of 195 nails of photos and videos, some of them long."""

MOST_FORESHORTENED = 0.35
"""Nails seen at a steeper angle are hardly found, and their length tells little."""

SHOULDER = 0.7
"""Where tips begin on the nail, as a share of its length; side walls are about straight up to there."""

STATIONS = np.linspace(0.2, 0.8, 13)
"""Shares of a nail's length at which its walls are measured: without the rounding of cuticle and free edge."""

WAIST = slice(3, 12)
"""The stations, 0.35 to 0.75, over which the width is taken: a mean is steadier than the widest place."""

_LEVER = STATIONS - STATIONS.mean()
_LEVER /= _LEVER @ _LEVER  # times values at the stations: their slope by least squares

TRUST = 0.5
"""How far the walls correct the axis. In 203 nails of phone photos the direction is off the finger's last bone by 4.0°
in the median without, 3.9° with a half, and 4.5° with all of it; square nails, whose farthest point is a corner, gain.
"""

MOST_TURN = 0.35
"""Radians by which the walls may correct the axis; if they ask for more, the outline is broken."""


@dataclass(frozen=True)
class Silhouette:
    """The outline of what is painted."""

    outline: Floats
    """(N, 2) float32, pixels of the frame; it may reach beyond it."""
    axis: Floats
    """(2, 2) float32 pixels: middle of the cuticle, middle of the new free edge."""
    own: Floats
    """(M, 2) the bare nail's outline, which lies inside."""
    edge: float = 1.0
    """Where the own free edge lies on the axis, as a share of its length; beyond it no nail lies below."""

    @property
    def extended(self) -> bool:
        return self.edge < 1

    @cached_property
    def width(self) -> float:
        """Pixels: widest extent of the own nail across the axis."""
        start, end = to_complex(self.axis).tolist()
        across = (to_complex(self.own) * (end - start).conjugate()).imag
        return float((across.max() - across.min()) / max(abs(end - start), 1e-6))


def silhouette(nail: Nail, shape: Shape, length: Length) -> Silhouette:
    """`nail` filed to `shape` and extended to `length`; its own outline and axis, untouched, if both are natural."""
    if shape is Shape.NATURAL and length is Length.NATURAL:
        return Silhouette(nail.outline, nail.axis, nail.outline)
    body = _Body.of(nail)
    end = body.length + (BEYOND[length] + POINT.get(shape, 0.0)) * body.scale
    tip = body.grown(end) if shape is Shape.NATURAL else body.filed(shape, end)
    outline = cv2.convexHull(to_points(body.place(np.concatenate([body.points, tip]))))[:, 0]
    axis = to_points(np.array([body.origin, body.origin + body.along * end]))
    return Silhouette(outline.astype(np.float32, copy=False), axis, nail.outline, body.length / end)


@dataclass(frozen=True)
class _Body:
    """A nail in upright coordinates: x along it from the cuticle, y across it from the middle between its walls."""

    origin: complex
    """Middle of the cuticle in the frame, pixels."""
    along: complex
    """Direction of the nail in the frame, 1 long."""
    points: Complex
    """(N,) the outline."""
    length: float
    half_width: float
    """Mean of where the walls were measured: steadier than the widest place."""

    @classmethod
    def of(cls, nail: Nail) -> _Body:
        outline, (cuticle, free_edge) = to_complex(nail.outline), to_complex(nail.axis).tolist()
        along = free_edge - cuticle or 1j
        along *= _correction(outline / along) / abs(along)
        points = outline / along
        start, length = _extent(points)
        middles, half_widths = _walls(points, start, length)
        corner = complex(start, _mean(middles))
        return cls(corner * along, along, points - corner, length, _mean(half_widths[WAIST]))

    @property
    def scale(self) -> float:
        """Pixels along the nail that show a stretch as long as the nail is wide.

        A nail that looks short points at the camera. One that looks narrow is seen from the side or has grown long,
        and nobody knows which: the truth lies between its own width and the one that its length promises.
        """
        ratio = self.length / max(2 * self.half_width, 1e-3) / USUAL_RATIO
        return 2 * self.half_width * (max(ratio, MOST_FORESHORTENED) if ratio < 1 else min(ratio, 4.0) ** 0.5)

    def grown(self, end: float) -> Complex:
        """The own tip, moved on."""
        return self.points[self.points.real > self.length / 2] + (end - self.length)

    def filed(self, shape: Shape, end: float) -> Complex:
        return FREE_EDGES[shape].curve(SHOULDER * self.length, end, self.half_width)

    def place(self, points: Complex) -> Complex:
        """Pixels of the frame."""
        return self.origin + self.along * points


def _correction(points: Complex) -> complex:
    """How the axis must turn to run midway between the walls, as a number to multiply it by.

    The middle of a cut across a nail with straight walls lies on its true axis, whatever the direction of the cut. The
    ends of a nail know less: the extreme point of a square free edge is one of its corners.
    """
    start, length = _extent(points)
    slope = float(_LEVER @ _walls(points, start, length)[0]) / length
    turn = TRUST * max(-MOST_TURN, min(MOST_TURN, atan(slope)))
    return complex(cos(turn), sin(turn))


def _extent(points: Complex) -> tuple[float, float]:
    """Where an outline starts along x, and its length."""
    start = float(points.real.min())
    return start, max(float(points.real.max()) - start, 1e-3)


def _walls(points: Complex, start: float, length: float) -> tuple[Floats, Floats]:
    """At the stations: the middle between both walls, and half of their distance."""
    first = int(points.real.argmin())
    around = np.concatenate((points[first:], points[: first + 1]))
    turn = int(around.real.argmax())
    at = start + length * STATIONS
    one, other = _wall(around[: turn + 1], at), _wall(around[turn:][::-1], at)
    return (one + other) / 2, np.abs(one - other) / 2


def _mean(values: Floats) -> float:
    """Numpy's own takes three times as long of so few."""
    return float(values.sum()) / len(values)


def _wall(chain: Complex, at: Floats) -> Floats:
    """y of a chain of points at some x; where the chain turns back, it is held."""
    return np.interp(at, np.maximum.accumulate(chain.real), chain.imag)
