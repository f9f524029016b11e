"""A person's own reference picture as a look: the nails of a hand in it, or the picture itself as a swatch."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from media_worker.pipeline import StillPipeline
from media_worker.polish.looks import Look
from media_worker.vision import models
from media_worker.vision.arrays import Pixels
from media_worker.vision.nails import Nail
from protocol.designs import Finger

CORE = 0.6
"""Colours are read from this share of the outline, round its middle: at its edge, skin shines through."""

HIGHLIGHT_SHARE = 0.1
"""The brightest and darkest share of a nail's pixels are left out: highlights, shadows and skin."""


def look_of(rgb: Pixels, model_path: Path | None = None) -> Look:
    """The look shown by `rgb`, uint8 (H, W, 3). Raises ModelUnavailable or VisionFailed."""
    pipeline = StillPipeline(model_path or models.find())
    try:
        nails, _ = pipeline.find(rgb)
    finally:
        pipeline.close()
    samples: dict[Finger, list[Pixels]] = {}
    for nail in nails:
        colour = nail_colour(rgb, nail)
        if colour is not None:
            samples.setdefault(nail.worn_as, []).append(colour)
    if not samples:
        return Look.from_swatch(rgb)
    return Look.from_colours({f: np.mean(found, axis=0).astype(np.uint8) for f, found in samples.items()})


def nail_colour(rgb: Pixels, nail: Nail) -> Pixels | None:
    """Robust median colour of a nail, uint8 sRGB (3,); None where too little of it is in the picture."""
    middle = nail.outline.mean(axis=0)
    core = np.round(middle + CORE * (nail.outline - middle)).astype(np.int32)
    left, top = np.maximum(core.min(axis=0), 0)
    right, bottom = core.max(axis=0) + 1
    pixels = rgb[top:bottom, left:right]
    if pixels.size == 0:
        return None
    mask = np.zeros(pixels.shape[:2], np.uint8)
    cv2.fillPoly(mask, [core - (left, top)], 1)
    inside = pixels[mask > 0]
    if len(inside) < 9:
        return None
    order = np.argsort(inside.sum(axis=1, dtype=np.int32))
    cut = int(len(order) * HIGHLIGHT_SHARE)
    colour: Pixels = np.median(inside[order[cut : len(order) - cut]], axis=0).astype(np.uint8)
    return colour
