"""Opaque polish, painted in linear light on a small patch around each nail.

The bare nail tells how light falls on it: its slow changes of brightness shade the polish, its sharp bright spots stay
as highlights. The colour of the nail itself (pink bed, white edge, moon) goes.
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from media_worker.polish import finishes
from media_worker.polish.canvas import Canvas, I420Canvas, Patch, RgbCanvas
from media_worker.polish.colour import to_linear, to_srgb
from media_worker.polish.looks import Coat, Look
from media_worker.vision.arrays import Floats, Pixels
from media_worker.vision.coverage import coverage
from media_worker.vision.nails import Nail

REFERENCE_BRIGHTNESS = 0.5
"""Linear brightness of a bare nail's strongest channel in good light; a nail so lit shows the polish's own colour."""

SMALLEST_AREA = 12
"""Pixels; less than that shows no light and would be a speck of paint."""


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
    light = _read_light(bare, cover)
    if light is None:
        return before
    place = finishes.nail_coordinates(nail, patch.left, patch.top, before.shape[1], before.shape[0])
    polish = finishes.polish(coat, place, light, bare)
    after = to_srgb(bare + (polish - bare) * cover[..., None])
    return np.where(cover[..., None] > 0, after, before)


def _read_light(bare: Floats, cover: Floats) -> finishes.Light | None:
    """How light falls on a bare nail, `bare` (h, w, 3) in linear light. None where too little of it is in view."""
    inside = cover > 0.5
    area = int(np.count_nonzero(inside))
    if area < SMALLEST_AREA:
        return None
    # The strongest channel hardly tells pink bed from white edge, so it shows light rather than the nail's colour. A
    # highlight is white and small: it lifts even the weakest channel above its surroundings.
    red, green, blue = bare[..., 0], bare[..., 1], bare[..., 2]
    strongest = np.maximum(np.maximum(red, green), blue)
    weakest = np.minimum(np.minimum(red, green), blue)
    # the median; np.median takes four times as long
    level = max(float(np.partition(strongest[inside], area // 2)[area // 2]), 0.01)
    smooth = _blur_inside(strongest, weakest, cover, 0.12 * area**0.5)
    highlights = np.maximum(weakest - 1.25 * smooth[..., 1] - 0.01, 0)
    exposure = float(np.clip((level / REFERENCE_BRIGHTNESS) ** 0.6, 0.25, 1.05))
    return finishes.Light(exposure, np.clip(smooth[..., 0] / level, 0.3, 1.6), highlights)


def _blur_inside(a: Floats, b: Floats, cover: Floats, sigma: float) -> Floats:
    """Two (h, w) arrays blurred into one (h, w, 2), seeing only what is covered: skin must not leak in.

    `sigma` is in pixels. Blurring at a quarter of the size is five times faster and looks the same.
    """
    height, width = cover.shape
    stack = cv2.merge([a * cover, b * cover, cover])
    small = cv2.resize(stack, (max(width // 4, 1), max(height // 4, 1)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), max(sigma / 4, 0.5))
    means = small[..., :2] / np.maximum(small[..., 2:], 1e-3)
    return cv2.resize(means, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.float32, copy=False)
