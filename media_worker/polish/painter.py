"""Opaque polish, painted in linear light on a small patch around each nail.

The bare nail tells how light falls on it: its slow changes of brightness shade the polish, its sharp bright spots stay
as highlights. The colour of the nail itself (pink bed, white edge, moon) goes.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from media_worker.polish import finishes
from media_worker.polish.canvas import Canvas, I420Canvas, Patch, RgbCanvas
from media_worker.polish.colour import to_linear, to_srgb
from media_worker.polish.light import read_light
from media_worker.polish.looks import Coat, Look
from media_worker.polish.nail_space import nail_coordinates
from media_worker.vision.arrays import Pixels
from media_worker.vision.coverage import coverage
from media_worker.vision.nails import Nail


class Painter:
    """Paints the nails of one stream or photo. Not thread-safe."""

    def paint_rgb(self, rgb: Pixels, nails: Iterable[Nail], look: Look, *, left: int = 0) -> None:
        """Paints into `rgb`, uint8 (H, W, 3) sRGB, in place. Columns before `left` stay as they are."""
        self._paint(RgbCanvas(rgb), nails, look, left)

    def paint_i420(self, i420: Pixels, nails: Iterable[Nail], look: Look, *, left: int = 0) -> None:
        """Paints into `i420`, uint8 (H·3/2, W) with even H and W, in place."""
        self._paint(I420Canvas(i420), nails, look, left)

    def _paint(self, canvas: Canvas, nails: Iterable[Nail], look: Look, left: int) -> None:
        for nail in nails:
            patch = Patch.around(nail.outline, canvas.width, canvas.height, left=left)
            if patch is not None:
                before = canvas.read(patch)
                canvas.write(patch, before, _painted(before, nail, look.coats[nail.worn_as], patch, left))


def _painted(before: Pixels, nail: Nail, coat: Coat, patch: Patch, left: int) -> Pixels:
    """The patch with the nail painted; where there is no paint, its exact bytes."""
    cover = coverage(nail.outline - (patch.left, patch.top), before.shape[1], before.shape[0]) * nail.visibility
    if left > patch.left:
        cover[:, : left - patch.left] = 0
    bare = to_linear(before)
    light = read_light(bare, cover)
    if light is None:
        return before
    place = nail_coordinates(nail, patch.left, patch.top, before.shape[1], before.shape[0])
    polish = finishes.polish(coat, place, light, bare)
    after = to_srgb(bare + (polish - bare) * cover[..., None])
    return np.where(cover[..., None] > 0, after, before)
