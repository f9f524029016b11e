"""What colour lies where on a nail, in nail coordinates: (h, w, 3) or (1, 1, 3), linear light."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from media_worker.polish.looks import TEXTURE_SIZE, Coat
from media_worker.polish.nail_space import Place
from media_worker.vision.arrays import Floats
from protocol.designs import Pattern


def colour_of(coat: Coat, place: Place) -> Floats:
    """The texture where the coat has one, else its pattern."""
    return _texture(coat.texture, place) if coat.texture is not None else PATTERNS[coat.pattern](coat, place)


def _solid(coat: Coat, place: Place) -> Floats:
    return coat.colours[:1].reshape(1, 1, 3)


def _french(coat: Coat, place: Place) -> Floats:
    """The accent on the tip; its line arches like the natural free edge, lower at the sides."""
    smile = 0.76 - 0.16 * place.u * place.u
    return _two(coat, _step(place.v - smile, place.pixel_v))


def _two_tone(coat: Coat, place: Place) -> Floats:
    """A half moon of the base colour at the cuticle; the accent above it."""
    moon = 0.42 - 0.3 * place.u * place.u
    return _two(coat, _step(place.v - moon, place.pixel_v))


def _gradient(coat: Coat, place: Place) -> Floats:
    """Through all colours, however many, from cuticle to free edge."""
    position = np.clip((place.v - 0.12) / 0.76, 0, 1)
    smooth = position * position * (3 - 2 * position)
    stops = np.linspace(0, 1, len(coat.colours))
    channels = [np.interp(smooth, stops, coat.colours[:, k]) for k in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)


def _stripes(coat: Coat, place: Place) -> Floats:
    phase = np.abs((place.v * 4.5) % 1 - 0.5)  # 0.5 at the middle of a base band
    return _two(coat, 1 - _step((phase - 0.2) / 4.5, place.pixel_v))


def _dots(coat: Coat, place: Place) -> Floats:
    """Rows of dots, every other row shifted; round on the nail, whose length is about 1.3 widths."""
    rows = place.v * 4.4 - 0.2
    row = np.floor(rows)
    across = place.u * 1.7 + 0.5 * (row % 2)
    du, dv = across % 1 - 0.5, rows - row - 0.5
    return _two(coat, _step(0.27 - np.hypot(du, dv), 1.7 * place.pixel_u))


PATTERNS: dict[Pattern, Callable[[Coat, Place], Floats]] = {
    Pattern.SOLID: _solid,
    Pattern.FRENCH: _french,
    Pattern.GRADIENT: _gradient,
    Pattern.TWO_TONE: _two_tone,
    Pattern.STRIPES: _stripes,
    Pattern.DOTS: _dots,
}


def _step(signed: Floats, softness: float) -> Floats:
    """0 below, 1 above, with an edge one pixel wide."""
    step: Floats = np.clip(signed / np.float32(softness) + 0.5, 0, 1)
    return step


def _two(coat: Coat, accent: Floats) -> Floats:
    base, other = coat.colours[0], coat.colours[min(1, len(coat.colours) - 1)]
    mixed: Floats = base + accent[..., None] * (other - base)
    return mixed


def _texture(texture: Floats, place: Place) -> Floats:
    x, y = texture_map(place)
    return cv2.remap(texture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)


def texture_map(place: Place) -> tuple[Floats, Floats]:
    x = ((place.u + 1) * (TEXTURE_SIZE / 2) - 0.5).astype(np.float32)
    y = (place.v * TEXTURE_SIZE - 0.5).astype(np.float32)
    return x, y
