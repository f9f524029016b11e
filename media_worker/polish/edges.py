"""Where polish ends: a thin bare margin at cuticle and sides, and the shade of the folds in which a nail lies."""

from __future__ import annotations

import cv2
import numpy as np

from media_worker.polish.nail_space import NailSpace
from media_worker.vision.arrays import Floats

MARGIN = 0.025
"""Share of a nail's width that manicurists leave bare, so that polish does not touch the skin."""

FREE = (0.55, 0.8)
"""Shares of the length between which the margin ends: the free edge is painted over."""

FOLD_WIDTH = 0.05
"""Share of a nail's width in which the fold's shade falls on it."""

FOLD_DEPTH = 0.3
"""Share of the light that the folds take at the very edge."""


def with_margin(outline: Floats, space: NailSpace) -> Floats:
    """The outline (N, 2) of the polish on a nail of this outline."""
    offsets = outline - space.cuticle
    t = offsets @ space.along / space.length
    across = np.array([-space.along[1], space.along[0]])
    u = offsets @ across / space.half_width
    margin = 2 * MARGIN * space.half_width * np.clip((FREE[1] - t) / (FREE[1] - FREE[0]), 0, 1)
    inwards = np.outer(-np.sign(u) * np.minimum(np.abs(u) * 1.5, 1) * margin, across)
    up = np.outer(np.clip(1 - 3 * t, 0, 1) * margin, space.along)
    return (outline + inwards + up).astype(np.float32)


def fold(cover: Floats, v: Floats, space: NailSpace) -> Floats:
    """(h, w) share of the light that reaches each pixel, given how much of each is nail."""
    sigma = max(2 * FOLD_WIDTH * space.half_width, 0.5)
    depth = 2 * (1 - cv2.GaussianBlur(cover, (0, 0), sigma))  # 1 on the edge, 0 well inside
    ends = np.clip((v - np.float32(FREE[0])) * np.float32(1 / (FREE[1] - FREE[0])), 0, 1)
    lit: Floats = 1 - np.float32(FOLD_DEPTH) * np.clip(depth, 0, 1) * (1 - ends)
    return lit
