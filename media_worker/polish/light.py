"""How light falls on a nail, read from the frame: slow shading and small highlights of the bare nail."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from media_worker.vision.arrays import Floats

REFERENCE_BRIGHTNESS = 0.5
"""Linear brightness of a bare nail's strongest channel in good light; a nail so lit shows the polish's own colour."""

SMALLEST_AREA = 12
"""Pixels; less than that shows no light and would be a speck of paint."""


@dataclass(frozen=True)
class Light:
    """How light falls on the bare nail; all in linear light."""

    exposure: float
    """Brightness of the scene: 1 shows the polish in its own colour."""
    shading: Floats
    """(h, w): slow change over the nail, 1 on average."""
    highlights: Floats
    """(h, w): small bright spots, to be added as white."""


def read_light(bare: Floats, cover: Floats) -> Light | None:
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
    return Light(exposure, np.clip(smooth[..., 0] / level, 0.3, 1.6), highlights)


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
