"""What lies behind drawn hands: procedural surfaces, clutter with nail-like things, or real photos without nails."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.random import Generator

from media_worker.training.polish import random_colour, to_light
from media_worker.vision.arrays import Floats, Pixels


def backdrop(rng: Generator, width: int, height: int, photos: Sequence[Pixels], skin: Floats) -> Floats:
    """(H, W, 3) in light. `photos` are sRGB bytes of any size; with some, three pictures of five use one."""
    if photos and rng.random() < 0.6:
        return _crop(photos[int(rng.integers(len(photos)))], width, height, rng)
    surface = np.ascontiguousarray(_SURFACES[int(rng.integers(len(_SURFACES)))](rng, width, height, skin))
    if rng.random() < 0.5:
        _clutter(surface, rng, skin)
    if rng.random() < 0.5:
        return cv2.GaussianBlur(surface, (0, 0), rng.uniform(0.5, 0.012 * width)).astype(np.float32, copy=False)
    return surface


def clouds(rng: Generator, width: int, height: int, cell: float) -> Floats:
    """Smooth noise (H, W), about −1 to 1, whose lumps are `cell` pixels wide."""
    small = rng.standard_normal((max(int(height / cell), 1) + 3, max(int(width / cell), 1) + 3), np.float32)
    smooth = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC if cell > 1 else cv2.INTER_NEAREST)
    return smooth.astype(np.float32, copy=False) * np.float32(0.6)


def _crop(photo: Pixels, width: int, height: int, rng: Generator) -> Floats:
    rows, columns = photo.shape[:2]
    share = rng.uniform(0.5, 1) * min(rows / height, columns / width)
    size = max(int(width * share), 1), max(int(height * share), 1)
    left = int(rng.integers(max(columns - size[0], 0) + 1))
    top = int(rng.integers(max(rows - size[1], 0) + 1))
    crop = photo[top : top + size[1], left : left + size[0]]
    return to_light(cv2.resize(crop, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False))


# --- surfaces --------------------------------------------------------------------------------------------------------
def _wall(rng: Generator, width: int, height: int, skin: Floats) -> Floats:
    """A plain colour with a gradient and slow stains."""
    colour = random_colour(rng, skin)
    other = colour * np.float32(rng.uniform(0.4, 1.6))
    angle = rng.uniform(0, 2 * np.pi)
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :] * np.float32(np.cos(angle))
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None] * np.float32(np.sin(angle))
    share = np.clip(0.5 + 0.4 * (x + y) + 0.2 * clouds(rng, width, height, 0.3 * width), 0, 1)
    return _mixed(colour, other, share)


def _wood(rng: Generator, width: int, height: int, skin: Floats) -> Floats:
    light = np.array([0.45, 0.26, 0.12], np.float32) * np.float32(rng.uniform(0.2, 1.6))
    stretch = rng.uniform(6, 20)
    rings = cv2.resize(clouds(rng, width, max(int(height / stretch), 4), 12), (width, height)).T
    if rings.shape != (height, width) or rng.random() < 0.5:
        rings = cv2.resize(rings, (width, height))
    grain = 0.5 + 0.5 * np.sin(rings * np.float32(rng.uniform(4, 20)))
    dark = light * np.float32(rng.uniform(0.3, 0.8))
    return _mixed(dark, light, grain)


def _cloth(rng: Generator, width: int, height: int, skin: Floats) -> Floats:
    """A weave or a print with folds."""
    colour, other = random_colour(rng, skin), random_colour(rng, skin)
    period = rng.uniform(3, 30)
    angle = rng.uniform(0, np.pi)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    along = x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle))
    across = y * np.float32(np.cos(angle)) - x * np.float32(np.sin(angle))
    weave = np.sin(along * np.float32(2 * np.pi / period)) * np.sin(across * np.float32(2 * np.pi / period))
    share = np.clip(0.5 + weave * np.float32(rng.choice([0.3, 4])), 0, 1) * np.float32(rng.uniform(0.1, 1))
    folds = np.exp2(0.7 * clouds(rng, width, height, 0.2 * width))
    return cv2.multiply(_mixed(colour, other, share), cv2.merge([folds] * 3)).astype(np.float32, copy=False)


def _keys(rng: Generator, width: int, height: int, skin: Floats) -> Floats:
    """Rows of keys, tiles or buttons, about as large as finger tips."""
    surface = np.tile(random_colour(rng, skin) * np.float32(0.5), (height, width, 1))
    key, legend = random_colour(rng, skin), random_colour(rng, skin)
    pitch = float(rng.uniform(0.05, 0.16) * width)
    for row in range(int(height / pitch) + 1):
        for column in range(int(width / pitch) + 2):
            left, top = (column - 0.4 * (row % 3)) * pitch, row * pitch
            _rectangle(surface, left, top, 0.85 * pitch, key)
            _rectangle(surface, left + 0.2 * pitch, top + 0.2 * pitch, 0.2 * pitch, legend)
    return surface


def _flesh(rng: Generator, width: int, height: int, skin: Floats) -> Floats:
    """Skin without shape: arms, faces, knees."""
    lumps = np.exp2(0.5 * clouds(rng, width, height, 0.25 * width) + 0.1 * clouds(rng, width, height, 6))
    return _mixed(np.zeros(3, np.float32), skin, lumps)


def _mixed(colour: Floats, other: Floats, share: Floats) -> Floats:
    """(H, W, 3): of two colours (3,), `share` (H, W) of the other."""
    mixed: Floats = colour + (other - colour) * share[..., None]
    return mixed


_SURFACES: tuple[Callable[[Generator, int, int, Floats], Floats], ...] = (_wall, _wall, _wood, _cloth, _keys, _flesh)


# --- things ----------------------------------------------------------------------------------------------------------
def _clutter(surface: Floats, rng: Generator, skin: Floats) -> None:
    """Things on the surface: boxes, pens, coins, and glossy pink ovals that only look like nails."""
    height, width = surface.shape[:2]
    for _ in range(int(rng.integers(2, 14))):
        size = float(rng.uniform(0.02, 0.3) * width)
        left, top = rng.uniform(-0.1, 1) * width, rng.uniform(-0.1, 1) * height
        colour = random_colour(rng, skin)
        if rng.random() < 0.4:
            _rectangle(surface, left, top, size, colour)
        else:
            _pebble(surface, np.array([left, top]), 0.35 * size, colour, rng)


def _rectangle(surface: Floats, left: float, top: float, size: float, colour: Floats) -> None:
    start, end = (round(left), round(top)), (round(left + size), round(top + size))
    cv2.rectangle(surface, start, end, [float(channel) for channel in colour], -1)


def _pebble(surface: Floats, centre: Floats, radius: float, colour: Floats, rng: Generator) -> None:
    """An oval with a shaded side and a highlight: a button, a bead, a sweet."""
    axes = np.array([radius, radius * rng.uniform(0.4, 1)])
    angle = float(rng.uniform(0, 180))
    for scale, gain, offset in ((1.0, 0.6, 0.0), (0.85, 1.0, -0.08), (0.2, 2.0, -0.35)):
        middle = np.round(centre + offset * radius).astype(int).tolist()
        shade = [float(channel) for channel in colour * gain + (0.3 if gain > 1 else 0)]
        cv2.ellipse(surface, middle, np.maximum(axes * scale, 1).astype(int).tolist(), angle, 0, 360, shade, -1)
