"""How much of a sent picture survives the way there and back."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np

from media_worker.evaluation.similarity import ssim
from media_worker.frame_code import ROWS
from media_worker.pipeline import StillPipeline
from media_worker.vision.arrays import Mask, Pixels
from media_worker.vision.nails import Nail

MARGIN = 17
"""Pixels across the brush that widens nails: polish covers a little more than what is found of a nail."""


def outside_nails(pairs: Iterable[tuple[Pixels, Pixels]], model: Path) -> float | None:
    """SSIM of the grey pictures outside nails, mean over pairs of (sent, returned), uint8 (H, W, 3) each.

    A returned picture of another size is enlarged first, as a page does. The numbers along the top edge are left out.
    None without pairs.
    """
    with closing(StillPipeline(model)) as pipeline:
        found = [_likeness(sent, returned, pipeline.find(sent)[0]) for sent, returned in pairs]
    return statistics.fmean(found) if found else None


def _likeness(sent: Pixels, returned: Pixels, nails: list[Nail]) -> float:
    height, width = sent.shape[:2]
    if returned.shape != sent.shape:
        returned = cv2.resize(returned, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)
    grey = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) for picture in (sent, returned)]
    return ssim(grey[0], grey[1], inside=compared(nails, height, width))


def compared(nails: Iterable[Nail], height: int, width: int) -> Mask:
    """(H, W): where pictures are compared."""
    covered = np.zeros((height, width), np.uint8)
    for nail in nails:
        cv2.fillPoly(covered, [np.round(nail.outline).astype(np.int32)], (1,))
    inside = cv2.dilate(covered, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (MARGIN, MARGIN))) == 0
    inside[: 2 * height // ROWS] = False  # compression blurs the strip's lower edge, too
    return np.asarray(inside, np.bool_)
