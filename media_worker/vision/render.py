"""Opaque polish, painted in linear light on a small patch around each nail.

The bare nail tells how light falls on it: its slow changes of brightness shade the polish, its sharp bright spots stay
as highlights. The colour of the nail itself (pink bed, white edge, moon) goes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from media_worker.vision import coats
from media_worker.vision.arrays import Floats, Pixels
from media_worker.vision.designs import Coat, Look, to_linear, to_srgb
from media_worker.vision.nails import Nail

SUPERSAMPLING = 4
"""The edge of a nail is drawn this many times finer and averaged down: 17 steps of opacity along an edge."""

REFERENCE_BRIGHTNESS = 0.5
"""Linear brightness of a bare nail's strongest channel in good light; a nail so lit shows the polish's own colour."""

SMALLEST_AREA = 12
"""Pixels; less than that shows no light and would be a speck of paint."""


@dataclass(frozen=True)
class Patch:
    """The part of a frame that one nail covers; left, top, width and height are even, as 4:2:0 chroma needs."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def slices(self) -> tuple[slice, slice]:
        return slice(self.top, self.bottom), slice(self.left, self.right)


def paint_rgb(rgb: Pixels, nails: Iterable[Nail], look: Look, *, left: int = 0) -> None:
    """Paints into `rgb`, uint8 (H, W, 3) sRGB, in place. Columns before `left` stay as they are."""
    height, width = rgb.shape[:2]
    for nail in nails:
        patch = _patch(nail, width, height, left)
        if patch is not None:
            rgb[patch.slices] = _painted(rgb[patch.slices], nail, look.coats[nail.worn_as], patch, left)


def paint_i420(i420: Pixels, rgb: Pixels, nails: Iterable[Nail], look: Look, *, left: int = 0) -> None:
    """Paints into `i420`, uint8 (H*3//2, W), in place; `rgb` is the same frame and is painted too.

    Only the difference that paint makes is added to the planes, so what is not painted keeps its exact bytes.
    """
    height, width = rgb.shape[:2]
    planes = _planes(i420, width, height)
    for nail in nails:
        patch = _patch(nail, width & ~1, height & ~1, left)
        if patch is None:
            continue
        before = np.ascontiguousarray(rgb[patch.slices])
        after = _painted(before, nail, look.coats[nail.worn_as], patch, left)
        rgb[patch.slices] = after
        _add_difference(planes, patch, before, after)


def _planes(i420: Pixels, width: int, height: int) -> tuple[Pixels, ...]:
    """Views of Y (H, W), U and V (H/2, W/2)."""
    chroma = i420[height:].reshape(2, height // 2, width // 2)
    return i420[:height], chroma[0], chroma[1]


def _add_difference(planes: tuple[Pixels, ...], patch: Patch, before: Pixels, after: Pixels) -> None:
    height, width = before.shape[:2]
    old = _planes(cv2.cvtColor(before, cv2.COLOR_RGB2YUV_I420).astype(np.uint8, copy=False), width, height)
    new = _planes(cv2.cvtColor(after, cv2.COLOR_RGB2YUV_I420).astype(np.uint8, copy=False), width, height)
    for plane, o, n, step in zip(planes, old, new, (1, 2, 2), strict=True):
        target = plane[patch.top // step : patch.bottom // step, patch.left // step : patch.right // step]
        change = n.astype(np.int16) - o
        target[...] = np.clip(target + change, 0, 255)


def _patch(nail: Nail, width: int, height: int, left: int) -> Patch | None:
    """The even rectangle round a nail, cut to the frame and to what lies right of `left`."""
    low = np.floor(nail.outline.min(axis=0)).astype(int) - 2
    high = np.ceil(nail.outline.max(axis=0)).astype(int) + 3
    x0, y0 = max(int(low[0]), left, 0) & ~1, max(int(low[1]), 0) & ~1
    x1, y1 = min(int(high[0] + 1) & ~1, width), min(int(high[1] + 1) & ~1, height)
    return Patch(x0, y0, x1, y1) if x1 - x0 >= 4 and y1 - y0 >= 4 else None


def _painted(before: Pixels, nail: Nail, coat: Coat, patch: Patch, left: int) -> Pixels:
    """The patch with the nail painted; where there is no paint, its exact bytes."""
    cover = coverage(nail.outline - (patch.left, patch.top), before.shape[1], before.shape[0]) * nail.visibility
    if left > patch.left:
        cover[:, : left - patch.left] = 0
    bare = to_linear(before)
    light = _read_light(bare, cover)
    if light is None:
        return before
    place = coats.nail_coordinates(nail, patch.left, patch.top, before.shape[1], before.shape[0])
    polish = coats.polish(coat, place, light, bare)
    after = to_srgb(bare + (polish - bare) * cover[..., None])
    return np.where(cover[..., None] > 0, after, before)


def coverage(outline: Floats, width: int, height: int) -> Floats:
    """Share of each pixel that lies inside a polygon, 0–1, float32 (height, width); pixel (0, 0) spans 0–1."""
    fine = np.zeros((height * SUPERSAMPLING, width * SUPERSAMPLING), np.uint8)
    # fillPoly puts sample centres on whole numbers, half a sample off, and fills half a sample beyond the outline
    outward = outline - outline.mean(axis=0)
    inset = 0.5 * outward / np.maximum(np.hypot(outward[:, :1], outward[:, 1:]), 1e-6)
    points = np.round((outline * SUPERSAMPLING - inset - 0.5) * 16).astype(np.int32)
    cv2.fillPoly(fine, [points], 255, shift=4)
    return cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def _read_light(bare: Floats, cover: Floats) -> coats.Light | None:
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
    return coats.Light(exposure, np.clip(smooth[..., 0] / level, 0.3, 1.6), highlights)


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
