"""Other polish and other skin for photos whose nails are known, so that a few photos teach many looks.

All take and return sRGB bytes (H, W, 3), leave their input as it is, and depend on nothing but it and the generator.
`camera` has the other half: light and the faults of cameras.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from media_worker.training.camera import degrade, relight
from media_worker.training.polish import Manicure, highlights, place, random_manicure, to_bytes, to_light
from media_worker.vision.arrays import Floats, Pixels

__all__ = ["axis_of", "degrade", "recolour_nails", "relight", "retone_skin", "skin_tone"]

Labels = NDArray[np.integer[Any]]
"""(H, W): 0 background, k the k-th nail."""

_SKIN_LIGHT = np.array([0.55, 0.36, 0.27], np.float32)
"""A light skin's colour, in light; where a nail's surroundings say nothing."""

_NAIL_ALBEDO = 0.42
"""Share of the light that a bare nail reflects: tells how bright the scene is."""


# --- polish ----------------------------------------------------------------------------------------------------------
def recolour_nails(rgb: Pixels, labels: Labels, axes: Sequence[Floats | None] | None, rng: Generator) -> Pixels:
    """The nails of `labels` in random polish, lit as the bare ones were; now and then some of them stay bare.

    `axes[k - 1]`, (2, 2) from cuticle to free edge in pixels, belongs to nail k; without one the mask's own long axis
    serves, either way round.
    """
    if labels.shape != rgb.shape[:2]:
        raise ValueError(f"labels are {labels.shape}, the picture is {rgb.shape[:2]}")
    painted = rgb.copy()
    look = random_manicure(rng, _SKIN_LIGHT)
    all_nails, one_look = rng.random() < 0.8, rng.random() < 0.8
    for k in range(1, int(labels.max(initial=0)) + 1):
        if not all_nails and rng.random() < 0.4:
            continue
        mask = (labels == k).astype(np.uint8)
        left, top, width, height = cv2.boundingRect(mask)
        if min(width, height) < 3:
            continue
        margin = 4 + width // 8
        box = slice(max(top - margin, 0), top + height + margin), slice(max(left - margin, 0), left + width + margin)
        axis = axes[k - 1] if axes is not None and k <= len(axes) else None
        if axis is not None:
            axis = axis - np.array([box[1].start, box[0].start])
        if not one_look:
            look = random_manicure(rng, _SKIN_LIGHT)
        _paint(painted[box], mask[box], axis, look, rng)
    return painted


def axis_of(mask: NDArray[np.uint8]) -> tuple[Floats, float]:
    """A mask's long axis (2, 2) in pixels, whichever way round, and its width across it, from second moments."""
    moments = cv2.moments(mask, binaryImage=True)
    area = max(moments["m00"], 1.0)
    centre = np.array([moments["m10"], moments["m01"]]) / area + 0.5
    spread = np.array([[moments["mu20"], moments["mu11"]], [moments["mu11"], moments["mu02"]]]) / area
    values, vectors = np.linalg.eigh(spread)
    half_length, half_width = 2 * np.sqrt(np.maximum(values[::-1], 0.1))  # of an ellipse with these moments
    along = vectors[:, 1] * half_length
    return np.stack([centre - along, centre + along]).astype(np.float32), 2 * float(half_width)


def _paint(region: Pixels, mask: NDArray[np.uint8], axis: Floats | None, look: Manicure, rng: Generator) -> None:
    """Paints one nail into its region of the picture; `axis` is in the region's pixels."""
    long_axis, width = axis_of(mask)
    if axis is None:
        axis = long_axis[:: rng.choice([-1, 1])]
    else:
        width = float(mask.sum()) / max(float(np.hypot(*(axis[1] - axis[0]))), 1.0) / 0.85
    bare = to_light(region)
    at = place(axis, width, 0, 0, mask.shape)
    exposure, shading, gleam = _light_on(bare, mask, width)
    colour = look.colour(at, rng) * (shading ** np.float32(rng.uniform(0.3, 1.0)))[..., None]
    rim = 1 - np.float32(rng.uniform(0, 0.4)) * np.minimum(at.u * at.u, 1) ** 2
    shine = highlights(at, look.gloss, rng) + np.float32(look.gloss) * gleam
    lit = (colour * rim[..., None] + shine[..., None]) * exposure
    cover = _soft(mask, width, rng) * np.float32(look.opacity)
    if rng.random() < 0.2:  # grown out
        cover *= np.clip((at.v - np.float32(rng.uniform(0, 0.2))) / np.float32(at.pixel), 0, 1)
    region[...] = to_bytes(bare + (lit - bare) * cover[..., None])


def _soft(mask: NDArray[np.uint8], width: float, rng: Generator) -> Floats:
    """The mask's coverage (h, w): corners of coarse masks rounded, edges one to two pixels wide."""
    sigma = 0.6 + 0.03 * width
    blurred = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), sigma)
    slope = 2.5 * sigma / rng.uniform(1, 2)  # a blurred edge rises by 1 / (2.5 sigma) a pixel
    cover: Floats = np.clip((blurred - np.float32(0.5)) * np.float32(slope) + np.float32(0.5), 0, 1)
    return cover


def _light_on(bare: Floats, mask: NDArray[np.uint8], width: float) -> tuple[Floats, Floats, Floats]:
    """The lamp's colour and brightness (3,), the nail's shading (h, w) of mean 1, and its reflections (h, w)."""
    inside = mask.astype(np.float32)
    grey = cv2.transform(bare, np.full((1, 3), 1 / 3, np.float32))
    sigma = max(0.12 * width, 1.0)
    blurred = cv2.GaussianBlur(grey * inside, (0, 0), sigma) / (cv2.GaussianBlur(inside, (0, 0), sigma) + 1e-4)
    colour = np.array(cv2.mean(bare, mask)[:3], np.float32)
    around = np.array(cv2.mean(bare, 1 - mask)[:3], np.float32)
    mean = max(float(colour.mean()), 1e-3)
    shading = np.clip(np.where(mask > 0, blurred / mean, 1), 0.3, 2.5).astype(np.float32)
    gleam = np.clip(grey - 1.4 * blurred, 0, 1) * inside
    brightness = np.clip(max(mean, float(around.mean())) / _NAIL_ALBEDO, 0.08, 1.5)
    cast = colour / mean / (_SKIN_LIGHT / _SKIN_LIGHT.mean())
    return (brightness * np.clip(cast, 0.5, 1.6) ** 0.4).astype(np.float32), shading, gleam


# --- skin ------------------------------------------------------------------------------------------------------------
def retone_skin(rgb: Pixels, rng: Generator, labels: Labels | None = None) -> Pixels:
    """Skin of another tone, from very light to very dark; the rest of the picture shifts with it to some degree.

    Works in CIE Lab: lightness follows a curve that keeps black, white and reflections; hue and chroma become those
    of skin that light. With `labels`, bare nails keep half of their distance to the old skin: beds differ less
    between people than skins do.
    """
    weight = _skin_weight(rgb, rng)
    if labels is not None:
        weight = weight * (1 - np.float32(rng.uniform(0.1, 0.6)) * (labels > 0))
    light, a, b = cv2.split(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB))
    old = np.array([cv2.mean(channel, (weight > 0.6).astype(np.uint8))[0] for channel in (light, a, b)])
    if old[0] < 5:  # no skin to speak of
        return rgb.copy()
    new = skin_tone(rng)
    curve = _lightness_curve(float(old[0]), float(new[0]))
    table = curve - np.arange(256, dtype=np.float32)
    chroma = np.float32(np.clip(np.hypot(*(new[1:] - 128)) / max(float(np.hypot(*(old[1:] - 128))), 4), 0.5, 1.6))
    shifted = [light + weight * table[light]]
    for channel, mean, target in ((a, old[1], new[1]), (b, old[2], new[2])):
        moved = (channel - np.float32(mean)) * chroma + np.float32(target)
        shifted.append(channel + weight * (moved - channel))
    lab = cv2.convertScaleAbs(cv2.merge(shifted))
    toned: Pixels = cv2.cvtColor(lab, cv2.COLOR_LAB2RGB).astype(np.uint8, copy=False)
    return toned


def skin_tone(rng: Generator) -> Floats:
    """(3,) in OpenCV's 8-bit Lab. Hues 40–65° and chroma 8–30 by lightness: the range of measured skins, Xiao et al.,
    "Characterising the variations in ethnic skin colours", 2017."""
    lightness = rng.uniform(18, 82)
    chroma = np.interp(lightness, [18, 35, 55, 82], [10, 19, 23, 17]) * rng.uniform(0.8, 1.3)
    hue = np.radians(rng.uniform(36, 66))
    return np.array([lightness * 2.55, 128 + chroma * np.cos(hue), 128 + chroma * np.sin(hue)], np.float32)


def _lightness_curve(old: float, new: float) -> Floats:
    """(256,): lightness for lightness, with `old` becoming `new` and white staying nearly white."""
    white = 255 if new > old else 255 - 0.25 * (old - new)
    return np.interp(np.arange(256), [0, old, 255], [0, new, white]).astype(np.float32)


def _skin_weight(rgb: Pixels, rng: Generator) -> Floats:
    """How much each pixel follows the skin, (H, W) 0–1: by hue and saturation, and a floor for everything else."""
    floor = float(rng.choice([0.0, rng.uniform(0, 0.4), 1.0], p=[0.4, 0.4, 0.2]))
    hsv = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV)
    likely = cv2.calcBackProject([hsv], [0, 1], _SKIN_HISTOGRAM, [0, 180, 0, 256], 1)
    smooth = cv2.GaussianBlur(likely, (0, 0), 1.5).astype(np.float32) / np.float32(255)
    weight: Floats = np.float32(floor) + np.float32(1 - floor) * smooth
    return weight


def _skin_histogram() -> Floats:
    """(90, 64) over hue and saturation, 0–255: reds to yellows that are neither grey nor vivid, with soft borders."""
    hue = (np.arange(90, dtype=np.float32)[:, None] * 2 + 20) % 180 - 20  # −20 to 160, in halves of a degree
    saturation = np.arange(64, dtype=np.float32)[None, :] * 4
    by_hue = np.clip(np.minimum((hue + 14) / 6, (26 - hue) / 6), 0, 1)
    by_saturation = np.clip(np.minimum((saturation - 18) / 25, (225 - saturation) / 40), 0, 1)
    histogram: Floats = (255 * by_hue * by_saturation).astype(np.float32)
    return histogram


_SKIN_HISTOGRAM = _skin_histogram()
