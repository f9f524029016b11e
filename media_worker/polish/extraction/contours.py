"""A nail's outline as radii round its middle: smooth, and nearly the same on both sides of its axis.

Nails are so. Where a picture does not tell where a nail ends, the rest of its outline does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from media_worker.vision.arrays import Floats
from media_worker.vision.nails import Nail

RAYS = 72

ORDERS = np.arange(9)
"""Waves round the outline: an ellipse has none, corners and points need them all."""

SMOOTH = 1e-4
"""How much a wave is held back, per ray, growing with the fourth power of its order."""

LOPSIDED = 30.0
"""How much more so one that differs between both sides: a nail seen from aside is not symmetric, but nearly."""

UPRIGHT = 0.15
"""Standard deviation of the finder's axis, radians."""

CORRELATED = 6
"""Rays that err as one."""

TURN = len(ORDERS) + 1
"""The wave that turns an ellipse."""

MOST_TURNED = 0.25
"""Radians by which an axis is corrected at most; an outline farther off has another reason."""

ROUNDS = 4
"""Least squares again and again, each time believing less in what does not fit (Holland and Welsch 1977)."""

FITS = 0.03
"""A ray so far off, as a share of the nail's half width, counts half."""

ANGLES = 2 * np.pi * np.arange(RAYS) / RAYS
"""From the free edge round; in coordinates in which the nail is about a circle."""


@dataclass(frozen=True)
class Frame:
    """The ellipse about an outline."""

    centre: Floats
    """(2,) pixels."""
    along: Floats
    """(2,) unit vector towards the free edge."""
    half_length: float
    half_width: float
    turned: float = 0.0
    """Radians since the finder's axis."""

    @classmethod
    def of(cls, outline: Floats, along: Floats, turned: float = 0.0) -> Frame:
        """The smallest that holds an outline (N, 2) and stands upright along `along`."""
        across = np.array([-along[1], along[0]])
        low, high = (np.array([extreme(outline @ along), extreme(outline @ across)]) for extreme in (np.min, np.max))
        middle, half = (low + high) / 2, np.maximum((high - low) / 2, 0.5)
        return cls(middle[0] * along + middle[1] * across, along, float(half[0]), float(half[1]), turned)

    @classmethod
    def of_nail(cls, nail: Nail) -> Frame:
        along = nail.axis[1] - nail.axis[0]
        return cls.of(nail.outline, along / max(float(np.hypot(*along)), 1e-6))

    @property
    def rays(self) -> Floats:
        """(RAYS, 2) from the centre to the ellipse."""
        across = np.array([-self.along[1], self.along[0]])
        along = np.outer(np.cos(ANGLES) * self.half_length, self.along)
        return along + np.outer(np.sin(ANGLES) * self.half_width, across)

    @property
    def axis(self) -> Floats:
        """(2, 2) both ends."""
        return self.centre + np.outer([-self.half_length, self.half_length], self.along)

    def radii(self, outline: Floats) -> Floats:
        """(RAYS,) where an outline (N, 2) crosses the rays, as shares of them."""
        offsets = _dense(outline) - self.centre
        a = offsets @ self.along / self.half_length
        b = offsets @ np.array([-self.along[1], self.along[0]]) / self.half_width
        radii: Floats = np.interp(ANGLES, np.arctan2(b, a), np.hypot(a, b), period=2 * np.pi)
        return radii

    def outline(self, radii: Floats) -> Floats:
        """(RAYS, 2)"""
        return self.centre + radii[:, None] * self.rays

    def fitted(self, radii: Floats, weights: Floats) -> tuple[Frame, Floats]:
        """The frame and outline (RAYS, 2) of a nail that fits best to radii, (RAYS,), of different weights."""
        waves, stiffness = self._waves()
        lengths = np.hypot(*self.rays.T) / self.half_width
        usual = np.zeros(len(stiffness))
        usual[TURN] = -self.turned
        trust = weights * lengths**2
        solution = usual
        for _ in range(ROUNDS):
            normal = (waves.T * trust) @ waves + np.diag(stiffness)
            solution = np.linalg.solve(normal, (waves.T * trust) @ radii + stiffness * usual)
            off = (waves @ solution - radii) * lengths
            trust = weights * lengths**2 / (1 + (off / FITS) ** 2)
        return self._turned(float(solution[TURN]), self.outline(waves @ solution))

    def _turned(self, leaning: float, outline: Floats) -> tuple[Frame, Floats]:
        total = np.clip(self.turned + leaning, -MOST_TURNED, MOST_TURNED)
        turn = total - self.turned
        along = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ self.along
        return Frame.of(outline, along, float(total)), outline

    @property
    def _gain(self) -> float:
        """Wave of order two by which an ellipse changes per radian that it is turned."""
        return (self.half_length / self.half_width - self.half_width / self.half_length) / 2

    def _waves(self) -> tuple[Floats, Floats]:
        """(RAYS, K) cosines, the same on both sides, then sines; (K,) how much they are held back."""
        waves = np.concatenate([np.cos(np.outer(ANGLES, ORDERS)), np.sin(np.outer(ANGLES, ORDERS[1:]))], axis=1)
        held = RAYS * SMOOTH * ORDERS.astype(float) ** 4
        held[:2] = 0
        lopsided = LOPSIDED * held[1:]
        waves[:, TURN] *= self._gain
        lopsided[1] = CORRELATED * (FITS / UPRIGHT) ** 2
        return waves, np.concatenate([held, lopsided])


def _dense(outline: Floats) -> Floats:
    """Evenly spaced points on a closed outline, four for each ray."""
    closed = np.concatenate([outline, outline[:1]])
    walked = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(closed, axis=0).T))])
    at = np.linspace(0, walked[-1], 4 * RAYS, endpoint=False)
    return np.stack([np.interp(at, walked, closed[:, k]) for k in (0, 1)], axis=1)
