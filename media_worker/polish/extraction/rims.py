"""Leaves out of a flat nail what is skin or background after all: the sides of an outline that is a bit too wide."""

from __future__ import annotations

import cv2
import numpy as np

from media_worker.polish.extraction.rectify import FlatNail
from media_worker.vision.arrays import Floats, Mask, Pixels

CLOSE = 16.0
"""Distance in CIE Lab of 8 bits to what lies beside the nail, below which a pixel is of the same kind."""

MIDDLE = 0.5
"""Share of the width that is nail for certain."""

WIDEST = 0.3
"""Share of a row that a rim takes at most; where more looks like skin, it is nude polish."""


def without_rims(flat: FlatNail) -> Mask:
    """`inside`, less the runs of pixels from each side that look like what lies beside rather than like the middle."""
    rgb = cv2.blur(flat.rgb, (3, 3)).astype(np.uint8, copy=False)
    like_middle = _distance(rgb, _middle(rgb))
    core = flat.inside.copy()
    for side in (0, 1):
        like_beside = _distance(rgb, flat.beside[:, side : side + 1])
        strange = (like_beside < CLOSE) & (like_beside < like_middle)
        core &= ~_run(strange, flat.inside, from_right=side == 1)
    return core


def _middle(rgb: Pixels) -> Pixels:
    """(H, 1, 3) usual colour of the middle of each row."""
    reach = round((1 - MIDDLE) / 2 * rgb.shape[1])
    middle: Pixels = np.median(rgb[:, reach:-reach], axis=1, keepdims=True).astype(np.uint8)
    return middle


def _distance(a: Pixels, b: Pixels) -> Floats:
    """(H, W) between colours in CIE Lab of 8 bits."""
    lab = [cv2.cvtColor(each, cv2.COLOR_RGB2LAB).astype(np.float32) for each in (a, b)]
    gaps: Floats = np.linalg.norm(lab[0] - lab[1], axis=2)
    return gaps


def _run(strange: Mask, inside: Mask, *, from_right: bool) -> Mask:
    """What is strange in one go from one side on; nothing in rows where that goes too far."""
    if from_right:
        return _run(strange[:, ::-1], inside[:, ::-1], from_right=False)[:, ::-1]
    run = np.logical_and.accumulate(strange | ~inside, axis=1) & inside
    run &= run.sum(axis=1, keepdims=True) < WIDEST * inside.sum(axis=1, keepdims=True)
    return run
