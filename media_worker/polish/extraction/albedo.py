"""What a nail of a picture wears: cut out, laid flat, and freed from the light that fell on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from media_worker.polish.colour import to_linear, to_srgb
from media_worker.polish.extraction.burnt import burnt
from media_worker.polish.extraction.filling import filled
from media_worker.polish.extraction.rectify import flatten
from media_worker.polish.extraction.relight import lighting
from media_worker.polish.extraction.rims import without_rims
from media_worker.polish.extraction.snapping import snapped
from media_worker.polish.extraction.surface import Surface, grain
from media_worker.vision.arrays import Floats, Pixels
from media_worker.vision.nails import Nail

SHARP = 0.4
"""Pixels of the photo per pixel of the flat nail (50 along the nail) from which it is worth its full confidence."""


@dataclass(frozen=True)
class Worn:
    """What one nail of the picture wears."""

    nail: Nail
    picture: Pixels
    """(NAIL_SIZE, NAIL_SIZE, 3) sRGB albedo."""
    surface: Surface
    sureness: float
    """0–1: the nail's confidence, less where it is small, cut off or burnt out."""


def worn_by(rgb: Pixels, nail: Nail, white: Floats) -> Worn | None:
    """None where hardly anything of the nail can be seen. `white`, (3,), is what a white surface would be, linear."""
    nail = snapped(rgb, nail)
    flat = flatten(rgb, nail)
    if flat is None:
        return None
    linear = np.minimum(to_linear(flat.rgb) / white.astype(np.float32), 1)
    inside = without_rims(flat)
    lost = burnt(linear, inside)
    seen = inside & ~lost
    if not seen.any():
        return None
    light = lighting(linear, seen)
    paint = light.removed_from(linear)
    picture = to_srgb(filled(paint, seen))
    share = np.count_nonzero(seen) / seen.size
    surface = Surface(
        float(np.percentile(light.sheen[seen], 98)),
        np.count_nonzero(lost) / np.count_nonzero(inside),
        grain(paint, seen),
    )
    sureness = nail.confidence * min(flat.scale / SHARP, 1) ** 0.5 * min(share / 0.5, 1)
    return Worn(nail, picture, surface, sureness)
