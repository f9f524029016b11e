"""Random nail polish, in nail coordinates: u −1 to 1 across, v 0 at the cuticle to 1 at the free edge.

A `Manicure` is drawn once a picture, as one hand mostly wears one look; each nail wears it slightly differently.
Colours are in light, not in bytes: `to_light` and `to_bytes` use gamma 2 instead of sRGB's curve, which is close enough
to mix light in and costs a third.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.random import Generator

from media_worker.vision.arrays import Floats, Pixels

_LIGHT = (np.arange(256, dtype=np.float32) / 255) ** 2


def to_light(rgb: Pixels) -> Floats:
    """Bytes to light, 0–1, float32 of the same shape."""
    light: Floats = _LIGHT[rgb]
    return light


def to_bytes(light: Floats) -> Pixels:
    """Light to bytes; what is brighter than white clips."""
    root = cv2.sqrt(np.maximum(light, 0).astype(np.float32, copy=False))
    return cv2.convertScaleAbs(root, alpha=255).astype(np.uint8, copy=False)


@dataclass(frozen=True)
class Place:
    """Where the pixels of a patch lie on a nail."""

    u: Floats
    """(h, w)."""
    v: Floats
    """(h, w)."""
    pixel: float
    """Size of a pixel in u: edges of patterns are this soft."""


def place(axis: Floats, width: float, left: int, top: int, shape: tuple[int, int]) -> Place:
    """The pixel centres of a patch of `shape` (h, w) at (left, top), given a nail's axis (2, 2) and width in pixels."""
    along = axis[1] - axis[0]
    length = max(float(np.hypot(*along)), 1.0)
    half = max(width / 2, 1.0)
    dx, dy = along / length
    x = np.arange(left, left + shape[1], dtype=np.float32)[None, :] + np.float32(0.5 - axis[0, 0])
    y = np.arange(top, top + shape[0], dtype=np.float32)[:, None] + np.float32(0.5 - axis[0, 1])
    u = (y * np.float32(dx) - x * np.float32(dy)) / np.float32(half)
    v = (x * np.float32(dx) + y * np.float32(dy)) / np.float32(length)
    return Place(u, v, 1 / half)


@dataclass(frozen=True)
class Manicure:
    """A look, as one hand wears it."""

    pattern: str
    """A key of PATTERNS."""
    colours: Floats
    """(4, 3) in light."""
    opacity: float
    """1 hides the nail below."""
    gloss: float
    """0 matte to 1 wet."""
    glitter: float
    """Share of the nail that sparkles."""
    numbers: Floats = field(repr=False)
    """(8,) from 0 to 1, for what a pattern leaves open."""

    def colour(self, place: Place, rng: Generator) -> Floats:
        """Colour of each pixel before any light falls on it, float32 (h, w, 3)."""
        plain = PATTERNS[self.pattern](self, place, rng)
        return _sparkle(plain, self.glitter, rng) if self.glitter else plain


def random_manicure(rng: Generator, skin: Floats) -> Manicure:
    """A look for a hand whose skin has the colour `skin`, (3,) in light: some polishes come close to it."""
    pattern = str(rng.choice(list(PATTERNS), p=_ODDS))
    colours = np.stack([random_colour(rng, skin) for _ in range(4)])
    opacity = 1.0 if rng.random() < 0.75 else float(rng.uniform(0.35, 0.95))
    glitter = float(rng.uniform(0.03, 0.7)) if rng.random() < 0.15 else 0.0
    return Manicure(pattern, colours, opacity, float(rng.random() ** 0.6), glitter, rng.random(8).astype(np.float32))


def random_colour(rng: Generator, skin: Floats) -> Floats:
    """(3,) in light: anywhere in sRGB, with more of what salons sell and of what is hard to tell from skin."""
    kind = rng.choice(7, p=[0.22, 0.2, 0.16, 0.16, 0.08, 0.1, 0.08])
    rgb: Floats
    if kind == 0:  # anything
        rgb = rng.random(3)
    elif kind == 1:  # vivid
        rgb = _hsv(rng.uniform(0, 360), rng.uniform(0.6, 1), rng.uniform(0.4, 1))
    elif kind == 2:  # pink, red, burgundy
        rgb = _hsv(rng.uniform(-35, 12) % 360, rng.uniform(0.3, 1), rng.uniform(0.25, 1))
    elif kind == 3:  # nude
        rgb = np.clip(np.sqrt(skin) * rng.uniform(0.7, 1.25) * rng.uniform(0.93, 1.07, 3), 0, 1)
    elif kind == 4:  # black
        rgb = rng.uniform(0, 0.15) + rng.uniform(0, 0.08, 3)
    elif kind == 5:  # white
        rgb = np.clip(rng.uniform(0.85, 1) + rng.uniform(-0.08, 0.03, 3), 0, 1)
    else:  # pastel
        rgb = _hsv(rng.uniform(0, 360), rng.uniform(0.1, 0.4), rng.uniform(0.8, 1))
    return (rgb * rgb).astype(np.float32)


def _hsv(hue: float, saturation: float, value: float) -> Floats:
    pixel = np.array([[[hue, saturation, value]]], np.float32)
    rgb: Floats = cv2.cvtColor(pixel, cv2.COLOR_HSV2RGB)[0, 0]
    return rgb


def highlights(place: Place, gloss: float, rng: Generator) -> Floats:
    """Reflections of lamps and windows on a curved plate, (h, w): 0 to about 1. Gloss makes them narrow and bright."""
    total = np.zeros(place.u.shape, np.float32)
    for _ in range(int(rng.integers(1, 4))):
        width = np.float32(rng.uniform(0.06, 0.16) + 0.3 * (1 - gloss))
        across = (place.u - np.float32(rng.uniform(-0.7, 0.7))) / width
        reach = np.float32(rng.uniform(0.06, 0.5))
        along = (place.v - np.float32(rng.uniform(0.2, 0.85))) / reach
        sharp = np.float32(rng.choice([1, 1, 3]))  # 3: nearly a rectangle, a window's
        bright = np.float32(rng.uniform(0.1, 1) * (0.06 + 0.9 * gloss * gloss))
        total += bright * np.exp(-np.power(across * across, sharp) - np.power(along * along, sharp))
    return total


# --- patterns: the colour of each pixel, (h, w, 3) -------------------------------------------------------------------
def _solid(look: Manicure, place: Place, rng: Generator) -> Floats:
    return np.tile(look.colours[0], (*place.u.shape, 1))


def _french(look: Manicure, place: Place, rng: Generator) -> Floats:
    smile = 0.62 + 0.28 * look.numbers[0] - (0.35 * look.numbers[1] - 0.05) * place.u * place.u
    return _two(look, place.v - smile, place)


def _half_moon(look: Manicure, place: Place, rng: Generator) -> Floats:
    moon = 0.15 + 0.3 * look.numbers[0] - 0.25 * look.numbers[1] * place.u * place.u
    return _two(look, place.v - moon, place)


def _gradient(look: Manicure, place: Place, rng: Generator) -> Floats:
    angle = 0.6 * (look.numbers[0] - 0.5)
    position = np.clip((place.v + angle * place.u) * 1.4 - 0.2, 0, 1)
    return _mix(look, position)


def _stripes(look: Manicure, place: Place, rng: Generator) -> Floats:
    angle, count = np.pi * look.numbers[0], 1.5 + 4 * look.numbers[1]
    across = (place.u * np.cos(angle) * 0.5 + place.v * np.sin(angle)) * count + look.numbers[2]
    wave = np.abs(across % 1 - 0.5) - (0.1 + 0.3 * look.numbers[3])
    return _two(look, wave / count, place)


def _dots(look: Manicure, place: Place, rng: Generator) -> Floats:
    count = 1.5 + 2.5 * look.numbers[0]
    rows = place.v * count * 1.3
    across = place.u * count / 2 + 0.5 * (np.floor(rows) % 2)
    distance = np.hypot(across % 1 - 0.5, rows % 1 - 0.5)
    return _two(look, (0.15 + 0.25 * look.numbers[1] - distance) / count, place)


def _marble(look: Manicure, place: Place, rng: Generator) -> Floats:
    """Clouds or, cut at a level, spots and veins."""
    height, width = place.u.shape
    cells = rng.random((int(rng.integers(3, 9)), int(rng.integers(3, 9))), np.float32)
    clouds = cv2.resize(cells, (width, height), interpolation=cv2.INTER_CUBIC)
    steep = np.float32(rng.choice([1, 3, 12]))
    return _mix(look, np.clip((clouds - 0.5) * steep + 0.5, 0, 1))


def _art(look: Manicure, place: Place, rng: Generator) -> Floats:
    """Strokes, petals and stones over a plain ground."""
    picture = _solid(look, place, rng)
    height, width = place.u.shape
    size = np.array([width, height])
    for _ in range(int(rng.integers(1, 7))):
        colour = [float(channel) for channel in look.colours[int(rng.integers(1, 4))]]
        start, end = (rng.random((2, 2)) * size).astype(int).tolist()
        if rng.random() < 0.5:
            cv2.line(picture, start, end, colour, int(rng.integers(1, 4)), cv2.LINE_AA)
        else:
            radius = int(rng.integers(1, max(3, min(height, width) // 6)))
            cv2.circle(picture, start, radius, colour, -1, cv2.LINE_AA)
    return picture


PATTERNS: dict[str, Callable[[Manicure, Place, Generator], Floats]] = {
    "solid": _solid,
    "french": _french,
    "half moon": _half_moon,
    "gradient": _gradient,
    "stripes": _stripes,
    "dots": _dots,
    "marble": _marble,
    "art": _art,
}
_ODDS = (0.5, 0.12, 0.04, 0.1, 0.07, 0.04, 0.07, 0.06)


def _two(look: Manicure, signed: Floats, place: Place) -> Floats:
    """The first colour where `signed` is negative, else the second, with a pixel of transition."""
    share = np.clip(signed / np.float32(place.pixel) + 0.5, 0, 1)
    return _mix(look, share / 3)


def _mix(look: Manicure, position: Floats) -> Floats:
    """0 is the first colour, 1/3 the second and so on."""
    stops = np.linspace(0, 1, 4)
    channels = [np.interp(position, stops, look.colours[:, k]) for k in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)


def _sparkle(plain: Floats, share: float, rng: Generator) -> Floats:
    """Flakes one to three pixels wide, some brighter than white."""
    height, width = plain.shape[:2]
    size = int(rng.integers(1, 4))
    shape = (height // size + 1, width // size + 1)
    bright = np.where(rng.random(shape) < share, rng.exponential(0.5, shape), 0).astype(np.float32)
    tint = (0.5 + 0.5 * rng.random((*shape, 3), np.float32)) * bright[..., None]
    flakes = cv2.resize(tint, (shape[1] * size, shape[0] * size), interpolation=cv2.INTER_NEAREST)
    return plain + flakes[:height, :width]
