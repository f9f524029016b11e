"""Patterns and finishes in nail coordinates: u −1 to 1 across, v 0 at the cuticle to 1 at the free edge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from media_worker.polish.looks import TEXTURE_SIZE, Coat
from media_worker.vision.arrays import Floats
from media_worker.vision.nails import Nail
from protocol.designs import Finish, Pattern


@dataclass(frozen=True)
class Light:
    """How light falls on the bare nail; all in linear light."""

    exposure: float
    """Brightness of the scene: 1 shows the polish in its own colour."""
    shading: Floats
    """(h, w): slow change over the nail, 1 on average."""
    highlights: Floats
    """(h, w): small bright spots, to be added as white."""


@dataclass(frozen=True)
class Place:
    """Where each pixel centre of a patch lies on the nail."""

    u: Floats
    v: Floats
    pixel_u: float
    """Size of a pixel in u; edges of patterns are this soft."""
    pixel_v: float
    shine: float
    """u of the line that mirrors a light from above the camera: it wanders as the finger turns in the picture."""
    angle: float
    """Direction of the nail in the picture, radians."""


def nail_coordinates(nail: Nail, left: int, top: int, width: int, height: int) -> Place:
    """Coordinates of the pixels of a (height, width) patch whose top left corner is pixel (left, top) of the frame."""
    cuticle, tip = nail.axis
    along = tip - cuticle
    length = max(float(np.hypot(*along)), 1.0)
    half_width = max(nail.width / 2, 0.5)
    dx, dy = float(along[0]) / length, float(along[1]) / length
    x = np.arange(left, left + width, dtype=np.float32)[None, :] + np.float32(0.5 - cuticle[0])
    y = np.arange(top, top + height, dtype=np.float32)[:, None] + np.float32(0.5 - cuticle[1])
    u = (x * np.float32(-dy) + y * np.float32(dx)) / np.float32(half_width)
    v = (x * np.float32(dx) + y * np.float32(dy)) / np.float32(length)
    # light comes from above and a little from the left: across · (−0.5, −0.85)
    shine = 0.4 * (0.5 * dy - 0.85 * dx)
    return Place(u, v, 1 / half_width, 1 / length, shine, float(np.arctan2(dy, dx)))


def polish(coat: Coat, place: Place, light: Light, bare: Floats) -> Floats:
    """The lit polish (h, w, 3) in linear light over the bare nail, (h, w, 3) too."""
    colour = _texture(coat.texture, place) if coat.texture is not None else _PATTERNS[coat.pattern](coat, place)
    return _FINISHES[coat.finish](colour, coat, place, light, bare)


# --- patterns: the colour of each pixel, (h, w, 3) or (1, 1, 3) ------------------------------------------------------
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


_PATTERNS: dict[Pattern, Callable[[Coat, Place], Floats]] = {
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
    x, y = _texture_map(place)
    return cv2.remap(texture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)


def _texture_map(place: Place) -> tuple[Floats, Floats]:
    x = ((place.u + 1) * (TEXTURE_SIZE / 2) - 0.5).astype(np.float32)
    y = (place.v * TEXTURE_SIZE - 0.5).astype(np.float32)
    return x, y


# --- finishes: how a surface of that colour answers light ------------------------------------------------------------
def _surface(colour: Floats, light: Light, place: Place, *, contrast: float, rim: float) -> Floats:
    """Diffuse colour: the nail's own shading with more or less contrast, and a rim that curves away from the light."""
    square = place.u * place.u
    curve = 1 - np.float32(rim) * square * square
    shade = np.power(light.shading, np.float32(contrast)) * np.maximum(curve, 0) * np.float32(light.exposure)
    lit: Floats = colour * shade[..., None]
    return lit


def _shine(place: Place, width: float) -> Floats:
    """A soft bright band along the nail, fading towards both ends."""
    across = (place.u - np.float32(place.shine)) / np.float32(width)
    along = np.clip(4 * place.v * (1 - place.v), 0, 1)
    return np.exp(-across * across) * along


def _cream(colour: Floats, coat: Coat, place: Place, light: Light, bare: Floats) -> Floats:
    band = _shine(place, 0.3) * np.float32(0.03 * light.exposure)
    return _surface(colour, light, place, contrast=0.8, rim=0.2) + (light.highlights * 0.8 + band)[..., None]


def _gloss(colour: Floats, coat: Coat, place: Place, light: Light, bare: Floats) -> Floats:
    band = _shine(place, 0.16) * np.float32(0.28 * light.exposure)
    return _surface(colour, light, place, contrast=0.8, rim=0.3) + (light.highlights * 1.2 + band)[..., None]


def _matte(colour: Floats, coat: Coat, place: Place, light: Light, bare: Floats) -> Floats:
    veil = np.float32(0.012 * light.exposure)  # a rough surface scatters a little white
    return _surface(colour, light, place, contrast=0.55, rim=0.1) + veil


def _sheer(colour: Floats, coat: Coat, place: Place, light: Light, bare: Floats) -> Floats:
    lit = _surface(colour, light, place, contrast=0.8, rim=0.1)
    band = _shine(place, 0.18) * np.float32(0.16 * light.exposure)
    return 0.5 * (lit + bare) + (light.highlights * 0.6 + band)[..., None]


def _metallic(colour: Floats, coat: Coat, place: Place, light: Light, bare: Floats) -> Floats:
    """Mirrors: dark where it looks past the light, and the mirrored light has the metal's own colour."""
    mirrored = 0.5 + 0.75 * _shine(place, 0.45) + 0.5 * _shine(place, 0.15)
    lit = _surface(colour, light, place, contrast=1.0, rim=0.45) * mirrored[..., None]
    return lit + (light.highlights * 0.8)[..., None]


def _glitter(colour: Floats, coat: Coat, place: Place, light: Light, bare: Floats) -> Floats:
    x, y = _texture_map(place)
    flakes = cv2.remap(_FLAKES, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    # each flake lies at its own tilt, so it flashes at its own direction of the finger
    flash: Floats = flakes[..., 0] * (0.35 + 0.65 * np.maximum(np.cos(flakes[..., 1] * 6.28 + 9 * place.angle), 0))
    sparkle: Floats = flash[..., None] * coat.colours[-1] * np.float32(0.9 * light.exposure)
    return _surface(colour, light, place, contrast=0.8, rim=0.3) + sparkle + (light.highlights * 0.8)[..., None]


_FINISHES: dict[Finish, Callable[[Floats, Coat, Place, Light, Floats], Floats]] = {
    Finish.CREAM: _cream,
    Finish.GLOSS: _gloss,
    Finish.MATTE: _matte,
    Finish.SHEER: _sheer,
    Finish.METALLIC: _metallic,
    Finish.GLITTER: _glitter,
}


def _scatter_flakes() -> Floats:
    """(TEXTURE_SIZE, TEXTURE_SIZE, 2): how much of a flake there is, and its tilt in turns. The same on every run."""
    random = np.random.default_rng(7)
    size = TEXTURE_SIZE
    flakes = np.zeros((size, size, 2), np.float32)
    for _ in range(420):
        x, y = random.uniform(0, size, 2)
        radius = random.uniform(1.0, 2.8)
        brightness, tilt = random.uniform(0.3, 1.0), random.uniform()
        cv2.circle(flakes, (int(x), int(y)), max(1, round(radius)), (brightness, tilt), -1)
    return flakes


_FLAKES = _scatter_flakes()
