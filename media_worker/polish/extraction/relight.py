"""Takes the light off a flat nail, so that its paint can be lit anew: shading and sheen.

Light changes slowly and alike in all rows, for a nail is a cylinder: brightness falls off to both sides (times a
shading), and a band of sheen lies along it (plus white). Paint changes in steps, and as it likes from cuticle to free
edge. So light is read from slopes across the nail alone, on which most of its pixels agree; the steep ones are edges of
a pattern, as Retinex has it (Land and McCann 1971; Horn 1974). What changes only along the nail, such as a French tip
or a gradient, is never taken for light.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from media_worker.vision.arrays import Floats, Mask

GRID = 48
"""Light is estimated at this size, in which fine grain is averaged away."""

ACROSS, ALONG = 14, 6
"""Sheen is a surface over so many knots."""

ROUNDS = 4
"""Least squares again and again, each time believing less in what did not agree (Holland and Welsch 1977)."""

AGREES = 0.02
"""A slope this far off, relative to the brightness there, counts half."""

HELD = 1e-4
"""How much sheen resists to be there, and to bend, per pixel that speaks of it."""

PLAIN_SHARE = 35
"""Percentile of a row that mirrors nothing: sheen is what exceeds it."""

USUAL_SHARE = 30
"""Percentile of the weakest channel in a row: most of that remains after sheen is taken off, for it is the paint's."""


@dataclass(frozen=True)
class Lighting:
    """light = paint × shading + sheen; both (H, W) in linear light."""

    shading: Floats
    """1 in the median."""
    sheen: Floats
    """White; 0 where least."""

    def removed_from(self, linear: Floats) -> Floats:
        """The paint under this light, (H, W, 3). White paint cannot get whiter: little is taken from white."""
        room = np.clip((1 - linear.min(axis=2)) / 0.3, 0, 1)
        paint: Floats = np.maximum(linear - (self.sheen * room)[..., None], 0) / self.shading[..., None]
        return paint


def lighting(linear: Floats, inside: Mask) -> Lighting:
    """How light falls on a flat nail, (H, W, 3) linear light under a white lamp; the result has its size."""
    small: Floats = cv2.resize(linear, (GRID, GRID), interpolation=cv2.INTER_AREA).astype(np.float32, copy=False)
    known = cv2.resize(inside.astype(np.float32), (GRID, GRID), interpolation=cv2.INTER_AREA) > 0.99
    small = cv2.GaussianBlur(small, (0, 0), 0.8).astype(np.float32, copy=False)
    shading, sheen = _fitted(small, known)
    sheen = np.minimum(sheen, _most_white(small, known))
    size = inside.shape[1::-1]
    wide = (cv2.resize(each, size).astype(np.float32, copy=False) for each in (shading, np.maximum(sheen, 0)))
    return Lighting(*wide)


def _fitted(small: Floats, known: Mask) -> tuple[Floats, Floats]:
    """Shading and sheen, (GRID, GRID), by iteratively reweighted least squares over neighbours and channels of

    slope of a channel = (colour − sheen) · slope of log shading + slope of sheen
    """
    pairs = known[:, 1:] & known[:, :-1]
    slopes = np.diff(small, axis=1)[pairs]
    colours = (0.5 * (small[:, 1:] + small[:, :-1]))[pairs]
    brightness = colours.max(axis=1, keepdims=True) + np.float32(0.03)
    basis = _basis()
    falling, bending = basis.falling[np.nonzero(pairs)[1]], basis.bending[pairs]
    paint, weights = colours, np.ones_like(brightness)
    solution = np.zeros(len(basis.stiffness))
    for _ in range(ROUNDS):
        normal, right = HELD * len(slopes) * basis.stiffness, np.zeros(len(solution))
        terms = [np.concatenate([paint[:, c : c + 1] * falling, bending], axis=1) for c in range(3)]
        for channel, term in enumerate(terms):
            weighted = term * (weights / brightness**2)
            normal = normal + weighted.T @ term
            right += weighted.T @ slopes[:, channel]
        solution = np.linalg.solve(normal, right)
        off = np.stack([term @ solution for term in terms], axis=1) - slopes
        weights = (1 / (1 + ((off / brightness) ** 2).sum(axis=1, keepdims=True) / AGREES**2)).astype(np.float32)
        sheen = basis.sheen(solution)
        paint = np.maximum(colours - sheen[:, 1:][pairs][:, None], 0)
    return basis.shading(solution), sheen


@dataclass(frozen=True)
class _Basis:
    """What light is made of: three polynomials across the nail for the shading, and K knots of sheen."""

    polynomials: Floats
    """(GRID, 3)"""
    falling: Floats
    """(GRID − 1, 3) slopes of the polynomials."""
    heights: Floats
    """(GRID, GRID, K)"""
    bending: Floats
    """(GRID, GRID − 1, K) slopes of the heights across the nail."""
    stiffness: Floats
    """(3 + K, 3 + K) penalties: on shading and sheen that are strong, and on sheen that bends."""

    def shading(self, solution: Floats) -> Floats:
        """(GRID, GRID)"""
        logarithm = self.polynomials @ solution[:3]
        shading = np.exp(np.clip(logarithm - np.median(logarithm), -0.6, 0.4))
        return np.repeat(shading.astype(np.float32)[None], GRID, axis=0)

    def sheen(self, solution: Floats) -> Floats:
        """(GRID, GRID)"""
        sheen = self.heights @ solution[3:].astype(np.float32)
        excess: Floats = sheen - np.percentile(sheen, PLAIN_SHARE, axis=1, keepdims=True).astype(np.float32)
        return excess


@cache
def _basis() -> _Basis:
    u = _centres() * 2 - 1
    polynomials = np.stack([u, u**2, u**4], axis=1).astype(np.float32)
    heights = np.einsum("ri,cj->rcij", _bumps(ALONG), _bumps(ACROSS)).reshape(GRID, GRID, -1).astype(np.float32)
    return _Basis(polynomials, np.diff(polynomials, axis=0), heights, np.diff(heights, axis=1), _stiffness())


def _stiffness() -> Floats:
    bend_u, bend_v = (np.diff(np.eye(knots), 2, axis=0) for knots in (ACROSS, ALONG))
    bends = np.kron(np.eye(ALONG), bend_u.T @ bend_u) + np.kron(bend_v.T @ bend_v, np.eye(ACROSS))
    stiffness = np.zeros((3 + ACROSS * ALONG,) * 2)
    stiffness[:3, :3] = np.diag([0.1, 0.01, 0.1])
    stiffness[3:, 3:] = bends + 0.3 * np.eye(ACROSS * ALONG)
    return stiffness


def _bumps(count: int) -> Floats:
    """(GRID, count) cubic B-splines round evenly spaced knots."""
    away = np.abs(_centres()[:, None] * (count - 1) - np.arange(count))
    bumps: Floats = np.where(away < 1, 2 / 3 - away**2 + away**3 / 2, np.maximum(2 - away, 0) ** 3 / 6)
    bumps /= bumps.sum(axis=1, keepdims=True)
    return bumps


def _centres() -> Floats:
    return (np.arange(GRID) + 0.5) / GRID


def _most_white(small: Floats, known: Mask) -> Floats:
    """(GRID, GRID): taking more white away would leave a pixel with less than is usual in its row."""
    weakest = small.min(axis=2)
    most = np.zeros_like(weakest)
    for row in np.flatnonzero(known.any(axis=1)):
        most[row] = weakest[row] - 0.9 * np.percentile(weakest[row, known[row]], USUAL_SHARE)
    return cv2.GaussianBlur(np.where(known, np.maximum(most, 0), 0), (0, 0), 0.8).astype(np.float32)
