"""A small picture of a look for a shop's design strip: a drawn finger tip, painted by the same brush as a stream."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from media_worker.drawn_hand import SKIN_TONES
from media_worker.drawn_skeleton import Pose, fingertip
from media_worker.drawn_skin import draw_hand
from media_worker.polish.looks import Look
from media_worker.polish.painter import Painter
from media_worker.vision.arrays import Floats, Pixels
from media_worker.vision.nails import Nail

OVERSIZE = 3
"""Drawn this many times larger and averaged down, for smooth edges."""


def thumbnail(look: Look, size: int = 160) -> Pixels:
    """uint8 (size, size, 3), sRGB: a finger tip that wears `look`. The same look gives the same bytes. About 15 ms."""
    if size < 16:
        raise ValueError(f"a thumbnail has at least 16 pixels a side, not {size}")
    bare, nails = _fingertip(size * OVERSIZE)
    picture = bare.copy()
    Painter().paint_rgb(picture, nails, look)
    return cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


@lru_cache(maxsize=4)
def _fingertip(size: int) -> tuple[Pixels, list[Nail]]:
    """A bare finger tip on a soft background, (size, size, 3), and its nail. Shared: copy before painting."""
    x, y = np.meshgrid(np.linspace(-1, 1, size, dtype=np.float32), np.linspace(-1, 1, size, dtype=np.float32))
    far = np.clip((x + 0.3) ** 2 + (y + 0.4) ** 2, 0, 3)[..., None] / 3
    canvas = np.array([240, 231, 225], np.float32) - far * np.array([52, 58, 60], np.float32)
    finger = fingertip((0.495 * size, 0.455 * size), 2.6 * size, lean=-9)
    _cast_shadow(canvas, finger)
    drawn = draw_hand(canvas, finger, SKIN_TONES["light"], None)
    nails = [Nail(n.finger, n.hand, n.outline.astype(np.float32), n.axis.astype(np.float32), 1.0, 1.0) for n in drawn]
    return canvas.clip(0, 255).astype(np.uint8), nails


def _cast_shadow(canvas: Floats, finger: Pose) -> None:
    """Darkens where the light from the upper left does not reach, to the lower right of the finger."""
    size = canvas.shape[0]
    small = np.zeros((size // 8, size // 8), np.float32)
    along = (finger.joints[9:13] + 0.06 * size) / 8
    cv2.polylines(small, [along.round().astype(np.int32)], False, (1.0,), max(1, round(0.021 * finger.unit)))
    soft = cv2.GaussianBlur(small, (0, 0), size / 160)
    canvas *= 1 - np.float32(0.26) * cv2.resize(soft, (size, size), interpolation=cv2.INTER_CUBIC)[..., None]
