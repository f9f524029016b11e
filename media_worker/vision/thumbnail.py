"""A small picture of a look for a shop's design strip: drawn finger tips, painted by the same brush as a stream."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from media_worker.drawn_hand import SKIN_TONES
from media_worker.drawn_skeleton import fingertips
from media_worker.drawn_skin import draw_hand
from media_worker.vision import render
from media_worker.vision.arrays import Pixels
from media_worker.vision.designs import Look
from media_worker.vision.nails import Nail

OVERSIZE = 3
"""Drawn this many times larger and averaged down, for smooth edges."""


def thumbnail(look: Look, size: int = 160) -> Pixels:
    """uint8 (size, size, 3), sRGB: finger tips that wear `look`. The same look gives the same bytes. About 15 ms."""
    if size < 16:
        raise ValueError(f"a thumbnail has at least 16 pixels a side, not {size}")
    bare, nails = _fingertips(size * OVERSIZE)
    picture = bare.copy()
    render.paint_rgb(picture, nails, look)
    return cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


@lru_cache(maxsize=4)
def _fingertips(size: int) -> tuple[Pixels, list[Nail]]:
    """Bare finger tips on a soft background, (size, size, 3), and their nails. Shared: copy before painting."""
    x, y = np.meshgrid(np.linspace(-1, 1, size, dtype=np.float32), np.linspace(-1, 1, size, dtype=np.float32))
    far = np.clip((x + 0.3) ** 2 + (y + 0.4) ** 2, 0, 3)[..., None] / 3
    canvas = np.array([250, 245, 241], np.float32) - far * np.array([38, 44, 46], np.float32)
    hand = fingertips((0.53 * size, 0.56 * size), 1.4 * size, lean=-12)
    drawn = draw_hand(canvas, hand, SKIN_TONES["light"], None)
    nails = [Nail(n.finger, n.hand, n.outline.astype(np.float32), n.axis.astype(np.float32), 1.0, 1.0) for n in drawn]
    return canvas.clip(0, 255).astype(np.uint8), nails
