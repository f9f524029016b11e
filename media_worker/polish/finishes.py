"""How a surface of some colour answers light."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from media_worker.polish import patterns
from media_worker.polish.light import Light
from media_worker.polish.looks import TEXTURE_SIZE, Coat
from media_worker.polish.nail_space import Place
from media_worker.polish.patterns import texture_map
from media_worker.vision.arrays import Floats
from protocol.designs import Finish


def polish(coat: Coat, place: Place, light: Light, bare: Floats) -> Floats:
    """The lit polish (h, w, 3) in linear light over the bare nail, (h, w, 3) too."""
    return _FINISHES[coat.finish](patterns.colour_of(coat, place), coat, place, light, bare)


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
    x, y = texture_map(place)
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
    Finish.CHROME: _metallic,
    Finish.SHIMMER: _metallic,
    Finish.PEARL: _gloss,
    Finish.CAT_EYE: _metallic,
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
