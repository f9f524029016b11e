"""Moves a found outline to where the paint really ends: a finder is some percent off, patterns of a nail need better.

Rays cross the outline. Along each, colours are told apart from those well outside, skin and background, and the best
place to divide them is found for all rays together, neighbours moving alike: an active contour by dynamic programming
(Amini, Weymouth, Jain 1990, doi 10.1109/34.57681). Where paint is hardly different from skin, the outline stays.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from media_worker.polish.edges import MARGIN
from media_worker.polish.extraction.rectify import window
from media_worker.vision.arrays import Floats, Pixels
from media_worker.vision.nails import Nail

RAYS = 72

LEAST_AREA, MOST_AREA = 0.75, 1.4
"""Of what the finder found; what goes beyond is no correction any more."""

LONG = 0.3
"""Excess of the squared length over the squared width from which an outline tells its direction."""

MOST_TURNED = 0.25
"""Radians by which an axis is corrected at most; an outline farther off has another reason."""

BLEED = 0.8
"""Pixels by which paint looks larger than it is: the lens, and the coarse colours of JPEG. Measured on drawn hands."""

SECTORS = 12
"""What lies beyond is known by its colour in so many directions."""

ROUNDS = 3
"""Each begins where the one before ended: a finder may have left out a whole French tip."""

OFFSETS = np.linspace(-0.14, 0.14, 29, dtype=np.float32)
"""Where an outline may move to, outwards, as shares of the nail's width."""

OUTSIDE = np.linspace(0.14, 0.24, 6, dtype=np.float32)
"""Where the surroundings begin."""

INSIDE = np.linspace(-0.3, -0.14, 6, dtype=np.float32)
"""Where paint is for certain."""

FAINTEST = 20.0
"""Distance of paint from its surroundings, CIE Lab of 8 bits, below which nothing is moved."""

CLEAR = 24.0
"""Distance from the surroundings that is paint's beyond doubt, however different most of the paint is."""

STAY = 0.3
"""How much an outline resists to be moved; growing with the square of the way, at a tenth of the width."""

TOGETHER = 0.5
"""How much neighbouring rays resist to be moved apart; with the square of the step."""


def snapped(rgb: Pixels, nail: Nail) -> Nail:
    """The nail with the outline and axis that its paint tells, as the picture, uint8 (H, W, 3), shows it."""
    moved = nail
    for _ in range(ROUNDS):
        moved = _step(rgb, moved)
    if moved is nail or not LEAST_AREA < _area(moved) / max(_area(nail), 1e-6) < MOST_AREA:
        return _straightened(nail)
    return _with_margin(_straightened(moved))


def _step(rgb: Pixels, nail: Nail) -> Nail:
    points, normals = _rays(nail.outline)
    offsets = np.concatenate([INSIDE, OFFSETS, OUTSIDE])
    lab = _colours(rgb, points[:, None] + normals[:, None] * (offsets * nail.width)[None, :, None])
    inside, middle, outside = np.split(lab, [len(INSIDE), len(INSIDE) + len(OFFSETS)], axis=1)
    beyond = np.median(outside.reshape(SECTORS, -1, 3), axis=1)
    contrast = float(np.median(_difference(inside, beyond)))
    if contrast < FAINTEST:
        return nail
    paint = np.clip(_difference(middle, beyond) / min(0.5 * contrast, CLEAR) - 1, -1, 1)
    moves = _smooth(OFFSETS[_best_path(paint)][:, None], 1.5)[:, 0] * nail.width
    return _moved(nail, (points + normals * moves[:, None]).astype(np.float32))


def _rays(outline: Floats) -> tuple[Floats, Floats]:
    """Evenly spaced points on an outline and the directions outwards, (RAYS, 2) each."""
    closed = np.concatenate([outline, outline[:1]])
    steps = np.hypot(*np.diff(closed, axis=0).T)
    walked = np.concatenate([[0], np.cumsum(steps)])
    at = np.linspace(0, walked[-1], RAYS, endpoint=False)
    points = np.stack([np.interp(at, walked, closed[:, k]) for k in (0, 1)], axis=1)
    along = _smooth(np.roll(points, -1, axis=0) - np.roll(points, 1, axis=0), 1.5)
    normals = np.stack([along[:, 1], -along[:, 0]], axis=1)
    normals /= np.maximum(np.hypot(normals[:, :1], normals[:, 1:]), 1e-6)
    turn = np.sign(((points - points.mean(axis=0)) * normals).sum()) or 1
    return points, normals * turn


def _colours(rgb: Pixels, places: Floats) -> Floats:
    """CIE Lab of 8 bits at (RAYS, N, 2) places of a picture."""
    part, low = window(rgb, places)
    lab = cv2.cvtColor(part, cv2.COLOR_RGB2LAB)
    x, y = cv2.split((places - low - 0.5).astype(np.float32))
    return cv2.remap(lab, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)


def _difference(lab: Floats, beyond: Floats) -> Floats:
    """(RAYS, N): how different colours are from all that lies beyond the nail, be it skin or background."""
    gaps = np.linalg.norm(lab[:, :, None] - beyond, axis=3)
    nearest: Floats = gaps.min(axis=2)
    return nearest


def _best_path(paint: Floats) -> NDArray[np.intp]:
    """(RAYS,) indices into OFFSETS that best have paint (1) inside and none (−1) outside."""
    inside = np.cumsum(paint, axis=1)
    scores = 2 * inside - inside[:, -1:] - STAY * (OFFSETS / 0.1) ** 2 * len(OFFSETS) / 2
    steps = np.arange(len(OFFSETS))
    resist = TOGETHER * (steps[:, None] - steps[None, :]) ** 2
    best, came = scores[0], []
    for score in np.concatenate([scores[1:], scores, scores]):  # thrice round, so that the ends meet in the middle
        reached = best[None, :] - resist
        came.append(reached.argmax(axis=1))
        best = reached.max(axis=1) + score
    path = [int(best.argmax())]
    for step in reversed(came):
        path.append(int(step[path[-1]]))
    return np.array(path[::-1][RAYS : 2 * RAYS], np.intp)


def _smooth(values: Floats, sigma: float) -> Floats:
    """(RAYS, N) blurred along the outline, which is closed; sigma in rays."""
    reach = 12
    wrapped = np.concatenate([values[-reach:], values, values[:reach]]).astype(np.float32)
    blurred = cv2.GaussianBlur(wrapped, (1, 2 * reach + 1), 0, sigmaY=sigma).astype(np.float32, copy=False)
    smooth: Floats = blurred.reshape(wrapped.shape)[reach:-reach]
    return smooth


def _moved(nail: Nail, outline: Floats) -> Nail:
    """With another outline, and the axis moved as its ends and sides were."""
    along, across = _directions(nail)
    was, now = (_extents(points - nail.axis[0], along, across) for points in (nail.outline, outline))
    low, high, aside = (after - before for before, after in zip(was, now, strict=True))
    axis = nail.axis + across * aside + np.outer([low, high], along)
    return replace(nail, outline=outline, axis=axis.astype(np.float32))


def _straightened(nail: Nail) -> Nail:
    """With its axis turned to the outline's own long axis, the more, the longer the nail is."""
    moments = cv2.moments(nail.outline.astype(np.float32))
    spread = np.array([[moments["mu20"], moments["mu11"]], [moments["mu11"], moments["mu02"]]])
    (short, long), axes = np.linalg.eigh(spread)
    along, _ = _directions(nail)
    principal = axes[:, 1] * (np.sign(axes[:, 1] @ along) or 1)
    off = float(np.angle(complex(*principal) / complex(*along)))
    trust = np.clip((long / max(short, 1e-6) - 1) / LONG, 0, 1)
    if abs(off) > MOST_TURNED:
        return nail
    turn = np.exp(1j * off * trust)
    middle = np.array([moments["m10"], moments["m01"]]) / max(moments["m00"], 1e-6)
    turned = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]]) @ along
    t = (nail.outline - middle) @ turned
    axis = middle + np.outer([t.min(), t.max()], turned)
    return replace(nail, axis=axis.astype(np.float32))


def _with_margin(painted: Nail) -> Nail:
    """The nail under the paint: at the cuticle and on both sides paint leaves a margin free, at the free edge none."""
    along, across = _directions(painted)
    half, length = painted.width / 2, max(float(np.hypot(*(painted.axis[1] - painted.axis[0]))), 1e-6)
    margin = MARGIN * painted.width
    wider, low, high = 1 + (margin - BLEED) / max(half, 1), margin / length, -BLEED / length

    def under(points: Floats) -> Floats:
        u, t = (points - painted.axis[0]) @ across, (points - painted.axis[0]) @ along / length
        moved: Floats = painted.axis[0] + np.outer(u * wider, across)
        return (moved + np.outer((t * (1 + high + low) - low) * length, along)).astype(np.float32)

    return replace(painted, outline=under(painted.outline), axis=under(painted.axis))


def _directions(nail: Nail) -> tuple[Floats, Floats]:
    """Unit vectors from the cuticle to the free edge, and across."""
    along = nail.axis[1] - nail.axis[0]
    along = along / max(float(np.hypot(*along)), 1e-6)
    return along, np.array([-along[1], along[0]])


def _extents(points: Floats, along: Floats, across: Floats) -> tuple[float, float, float]:
    """Both ends, and the middle between the sides, in pixels along and across."""
    u, t = points @ across, points @ along
    return float(t.min()), float(t.max()), float(u.min() + u.max()) / 2


def _area(nail: Nail) -> float:
    return float(cv2.contourArea(nail.outline.astype(np.float32)))
