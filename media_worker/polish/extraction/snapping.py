"""Moves a found outline to where the paint really ends: a finder is some percent off, patterns of a nail need better.

Rays cross the outline. Along each, colours are compared with those of the paint and with those well outside, skin and
background, and the best place to divide them is found for all rays together, neighbours moving alike: an active contour
by dynamic programming (Amini, Weymouth, Jain 1990, doi 10.1109/34.57681). `contours` then makes a nail's outline of it:
where white paint lies beside pale skin, or paint is hardly seen at all, the rest of the outline and the finder tell.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from media_worker.polish.edges import MARGIN, OVERLAP
from media_worker.polish.extraction.contours import ANGLES, RAYS, Frame
from media_worker.polish.extraction.rectify import window
from media_worker.vision.arrays import Floats, Pixels
from media_worker.vision.nails import Nail

LEAST_AREA, MOST_AREA = 0.75, 1.4
"""Of what the finder found; what goes beyond is no correction any more."""

SECTORS = 12
"""What lies beyond is known by its colour in so many directions."""

ELSEWHERE = 6.0
"""How much less a colour that lies beyond at the opposite side is like a pixel, CIE Lab of 8 bits."""

ROUNDS = 3
"""Each begins where the one before ended: a finder may have left out a whole French tip."""

OFFSETS = np.linspace(-0.14, 0.14, 29, dtype=np.float32)
"""Where an outline may move to, outwards, as shares of the nail's width."""

OUTSIDE = np.linspace(0.14, 0.24, 6, dtype=np.float32)
"""Where the surroundings begin."""

TIP = 0.15
"""How much farther off they begin at the free edge, as the tip of a French manicure may have been left out."""

DEPTHS = np.linspace(0.1, 0.8, 6, dtype=np.float32)
"""Where paint is for certain, as shares of the way from the centre to the outline."""

COLOURS = 6
"""Of the paint: those of the pattern, and highlights."""

LIGHTNESS = 0.5
"""Weight of lightness in a difference of colours: paint and skin are both lit and in shade."""

STRANGE = 18.0
"""What is farther than this from all colours of the paint may still be paint, if it is unlike what lies beyond, too."""

CLEAR = 16.0
"""By so much nearer to the one than to the other, CIE Lab of 8 bits, a pixel is so beyond doubt."""

SIDES = np.array([2, 3, 4, 5, 6])
"""Steps from where paint ends to both sides, at which it is judged how clearly it ends."""

FAINTEST = 0.1
"""How clearly paint has to end, or none may be there; then no margin is added to what the finder found."""

FINDER = 0.1
"""Weight of the outline that was found, relative to paint that ends clearly."""

STAY = 0.3
"""How much an outline resists to be moved; growing with the square of the way, at a tenth of the width."""

TOGETHER = 0.5
"""How much neighbouring rays resist to be moved apart; with the square of the step."""


def snapped(rgb: Pixels, nail: Nail) -> Nail:
    """The nail with the outline and axis that its paint tells, as the picture, uint8 (H, W, 3), shows it."""
    frame = Frame.of_nail(nail)
    outline, clearness = frame.outline(frame.radii(nail.outline)), 0.0
    for _ in range(ROUNDS):
        frame, outline, clearness = _step(rgb, frame, outline, nail.outline)
    moved = replace(nail, outline=outline.astype(np.float32), axis=frame.axis.astype(np.float32))
    if not LEAST_AREA < _area(moved) / max(_area(nail), 1e-6) < MOST_AREA:
        return nail
    return _bare(moved) if clearness > FAINTEST else moved


def _step(rgb: Pixels, frame: Frame, outline: Floats, believed: Floats) -> tuple[Frame, Floats, float]:
    """One round: the frame and outline (RAYS, 2) again, and how clearly paint ends, 0–1.

    `believed` is the finder's own outline, (N, 2).
    """
    evidence = _evidence(rgb, frame, outline)
    best = _best_path(evidence)
    clear = _clarity(evidence, best)
    painted = frame.radii(outline) + OFFSETS[best] * 2 * frame.half_width / np.hypot(*frame.rays.T)
    radii = (clear * painted + FINDER * frame.radii(believed)) / (clear + FINDER)
    return *frame.fitted(radii, clear + FINDER), float(clear.mean())


def _evidence(rgb: Pixels, frame: Frame, outline: Floats) -> Floats:
    """(RAYS, OFFSETS) from 1 for paint to −1 for what lies beyond."""
    core = frame.centre + DEPTHS[None, :, None] * (outline - frame.centre)[:, None]
    outwards = 2 * frame.half_width * frame.rays / np.hypot(*frame.rays.T)[:, None]
    far = OUTSIDE + TIP * (np.cos(ANGLES) > 0.5)[:, None]
    rim, outside = (
        _colours(rgb, outline[:, None] + outwards[:, None] * np.broadcast_to(way, (RAYS, way.shape[-1]))[..., None])
        for way in (OFFSETS, far)
    )
    beyond = np.median(outside.reshape(SECTORS, -1, 3), axis=1)
    to_paint = _distances(rim, _palette(_colours(rgb, core).reshape(-1, 3))).min(axis=2)
    to_beyond = (_distances(rim, beyond) + ELSEWHERE * _apart()[:, None]).min(axis=2)
    nearer: Floats = (to_beyond - np.minimum(to_paint, STRANGE)) / CLEAR
    return np.clip(nearer, -1, 1)


def _apart() -> Floats:
    """(RAYS, SECTORS) how far a sector's middle is from a ray: 0, to 1 opposite of it."""
    middles = (np.arange(SECTORS) + 0.5) * RAYS / SECTORS - 0.5
    steps = np.abs(np.arange(RAYS)[:, None] - middles)
    apart: Floats = np.minimum(steps, RAYS - steps) / (RAYS / 2)
    return apart


def _distances(lab: Floats, kinds: Floats) -> Floats:
    """(RAYS, N, K) between colours (RAYS, N, 3) and (K, 3)."""
    weights = np.array([LIGHTNESS, 1, 1], np.float32)
    distances: Floats = np.linalg.norm((lab[:, :, None] - kinds) * weights, axis=3)
    return distances


def _palette(lab: Floats) -> Floats:
    """(COLOURS, 3) usual colours of (N, 3): k-means that begins with equal shares by lightness."""
    labels = np.empty((len(lab), 1), np.int32)
    labels[np.argsort(lab[:, 0], kind="stable"), 0] = np.arange(len(lab)) * COLOURS // len(lab)
    stop = (cv2.TERM_CRITERIA_MAX_ITER + cv2.TERM_CRITERIA_EPS, 10, 0.5)
    _, _, colours = cv2.kmeans(lab, COLOURS, labels, stop, 1, cv2.KMEANS_USE_INITIAL_LABELS)
    return colours.astype(np.float32, copy=False)


def _clarity(evidence: Floats, best: NDArray[np.intp]) -> Floats:
    """(RAYS,) 0–1: how clearly paint ends at `best`."""
    inner, outer = (
        np.take_along_axis(evidence, np.clip(best[:, None] + way, 0, len(OFFSETS) - 1), axis=1).mean(axis=1)
        for way in (-SIDES, SIDES)
    )
    clarity: Floats = np.clip((inner - outer) / 2, 0, 1) ** 2
    return clarity


def _colours(rgb: Pixels, places: Floats) -> Floats:
    """CIE Lab of 8 bits at (RAYS, N, 2) places of a picture."""
    part, low = window(rgb, places)
    lab = cv2.cvtColor(part, cv2.COLOR_RGB2LAB)
    x, y = cv2.split((places - low - 0.5).astype(np.float32))
    return cv2.remap(lab, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)


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


def _bare(painted: Nail) -> Nail:
    """The nail under the paint: the inverse of `edges.with_margin` where nothing was worn."""
    along, across = _directions(painted)
    width, over = painted.width, float(np.hypot(*(painted.axis[1] - painted.axis[0])))
    length = max(over - (OVERLAP - MARGIN) * width, 1e-6)

    def under(points: Floats) -> Floats:
        u, t = (points - painted.axis[0]) @ across, (points - painted.axis[0]) @ along
        share = t / max(over, 1e-6)
        u = u / (1 - 2 * MARGIN + 2 * (MARGIN + OVERLAP) * share**2)
        moved: Floats = painted.axis[0] + np.outer(u, across) + np.outer(share * length - MARGIN * width, along)
        return moved.astype(np.float32)

    return replace(painted, outline=under(painted.outline), axis=under(painted.axis))


def _directions(nail: Nail) -> tuple[Floats, Floats]:
    """Unit vectors from the cuticle to the free edge, and across."""
    along = nail.axis[1] - nail.axis[0]
    along = along / max(float(np.hypot(*along)), 1e-6)
    return along, np.array([-along[1], along[0]])


def _area(nail: Nail) -> float:
    return float(cv2.contourArea(nail.outline.astype(np.float32)))
