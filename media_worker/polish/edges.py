"""Where polish ends: a thin bare margin at cuticle and sides, and the shade of the folds in which a nail lies."""

from __future__ import annotations

import math
from functools import lru_cache

import cv2
import numpy as np

from media_worker.polish.nail_space import ASPECT, NailSpace, Place, sheet, to_complex, to_points
from media_worker.polish.surface import Film, Wet, times, tinted
from media_worker.vision.arrays import Floats

MARGIN = 0.025
"""Share of a nail's width that manicurists leave bare, so that polish does not touch the skin."""

OVERLAP = 0.025
"""Share of a nail's width by which polish is drawn over a free edge, and over the rim of old polish: what outlines miss
there is white or coloured and would shine round the new polish."""

FREE = (0.55, 0.8)
"""Shares of the length between which the margin ends: the free edge is painted over."""

LENS = 0.011
"""Blur of a photo's own edges: standard deviation as a share of a nail's width, seen on phones' close-ups."""

FOLD_WIDTH = 0.07
"""Share of a nail's width in which the fold's shade falls on it."""

FOLD_DEPTH = 0.28
"""Share of the light that the folds take at the very edge."""

RIM_WIDTH = 0.04
"""Thickness of an extension that shows at its far end, as a share of a nail's width."""

RIM_LIGHT, RIM_SHADE = 0.3, 0.08
"""Share of light that the end of an extension gains as it points to the lamp, and loses in any case."""

TIP = np.array([0.80, 0.70, 0.65], np.float32)
"""Colour of a bare press-on tip, linear: milky, a little warm."""

TIP_HIDES = np.float32(0.88)
"""Share of what is behind that such a tip hides."""

TIP_BEGINS = np.float32(0.3)
"""Share of the own nail's length from which it thickens; it is all there at the own free edge, and hides that."""


def with_margin(outline: Floats, space: NailSpace, worn: float = 0.0) -> Floats:
    """The outline (N, 2) of the polish on a nail of this outline: narrower at the cuticle, over the brim at its end.

    Where the nail wears polish already (`worn`, 0–1) there is no margin: its rim would shine.
    """
    margin, width = MARGIN - (MARGIN + OVERLAP) * worn, 2 * space.half_width
    cuticle, along = complex(*space.cuticle.tolist()), complex(*space.along.tolist())
    points = (to_complex(outline) - cuticle) * along.conjugate()  # along and, imaginary, across, in pixels
    square = points.real * points.real
    points.imag *= (1 - 2 * margin) + (2 * (margin + OVERLAP) / space.length**2) * square
    points.real *= 1 + width * (OVERLAP - margin) / space.length
    points.real += width * margin
    return to_points(points * along + cuticle)


def softened(cover: Floats, space: NailSpace) -> Floats:
    """(h, w) how much of each pixel is polish, as a camera sees it: no lens is as sharp as pixels are."""
    sigma = min(max(LENS * 2 * space.half_width, 0.5), 2.5)
    size = 3 if sigma < 0.8 else 2 * math.ceil(2 * sigma) + 1
    return cv2.GaussianBlur(cover, (size, size), sigma).astype(np.float32, copy=False)


@lru_cache(maxsize=64)
def fold(rows: int, edge: float = 1.0) -> Floats:
    """(rows, columns) share of the light that reaches each point of a sheet; `edge` as above. Shared: read only."""
    place = sheet(rows)
    u, v = place.u[:1], place.v[:, :1] * np.float32(1 / edge)
    walls = np.exp(-(((1 - np.abs(u)) / np.float32(2 * FOLD_WIDTH)) ** 2))
    cuticle = np.exp(-((v / np.float32(FOLD_WIDTH * ASPECT)) ** 2))
    walled = np.float32(FOLD_DEPTH) * _ramp((np.float32(FREE[1]) - v) * np.float32(1 / (FREE[1] - FREE[0])))
    lit: Floats = 1 - walled * np.maximum(walls, cuticle)
    return lit


def rim(place: Place, edge: float, towards_light: float) -> Floats:
    """(rows, 1) light on the bevel at the far end of an extended nail, relative to the light beside it.

    `towards_light` is −1 to 1: how far the nail points to where light comes from.
    """
    past = (1 - place.v[:, :1]) / np.float32(RIM_WIDTH * ASPECT * edge)
    lit: Floats = 1 + np.float32(RIM_LIGHT * towards_light - RIM_SHADE) * np.exp(-past * past)
    return lit


def over_tip(film: Film, wet: Wet, edge: float) -> Film:
    """A coat on an extended nail: a milky tip lies below it, and hides what is behind beyond the own free edge."""
    if film.through is None:
        return film
    share = _ramp((wet.relief.place.v[:, :1] / np.float32(edge) - TIP_BEGINS) * (1 / (1 - TIP_BEGINS)))
    hides = TIP_HIDES * share * share * (3 - 2 * share)  # without a kink
    hides = np.broadcast_to(hides, wet.shading.shape)
    body = tinted(hides * wet.shading, TIP * wet.light)
    return Film(film.light + film.through * body, times(film.through, 1 - hides))


def _ramp(values: Floats) -> Floats:
    """Cut to 0–1; np.clip takes three times as long."""
    cut: Floats = np.minimum(np.maximum(values, 0), 1)
    return cut
