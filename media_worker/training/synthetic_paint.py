"""Colour and light for a relief of hands: skin, sleeves, rings, bare and painted nails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator

from media_worker.training.polish import Manicure, Place, highlights, random_colour, random_manicure
from media_worker.training.synthetic_backdrop import backdrop, clouds
from media_worker.training.synthetic_light import Lamp, Shading, shade
from media_worker.training.synthetic_nail import Bare
from media_worker.training.synthetic_relief import DIGITS, FOREARM, Nailed, Relief
from media_worker.training.synthetic_skin import Detail, Skin, skin_colour, small_relief
from media_worker.training.synthetic_surface import FAR
from media_worker.vision.arrays import Floats, Pixels


@dataclass(frozen=True)
class _Coat:
    """What each pixel is made of; maps (H, W), painted part by part."""

    z: Floats
    """Height in pixels, down to creases and pores."""
    colour: Floats
    """(H, W, 3) in light."""
    gloss: Floats
    """How brightly the lamp is mirrored, 0–1."""
    reflections: Floats
    """Of windows and lamps, on nails."""


def paint(
    relief: Relief, nailed: list[Nailed], unit: float, rng: Generator, *, backgrounds: Sequence[Pixels]
) -> Floats:
    """The lit scene, float32 (H, W, 3) in light, of hands that are `unit` pixels from wrist to middle knuckle."""
    width, height = relief.size
    skin, lamp = Skin.random(rng), Lamp.random(rng, width)
    detail = Detail.of(relief, unit, rng)
    surface = skin_colour(relief, skin, detail, unit)
    gloss = np.full((height, width), np.float32(rng.uniform(0.0, 0.1) + 0.25 * (rng.random() < 0.25)))
    coat = _Coat(relief.z + small_relief(relief, skin, detail, unit), surface, gloss, np.zeros_like(gloss))
    _dress(relief, coat, skin, rng)
    if rng.random() < 0.3:
        _put_ring(relief, coat, unit, rng)
    _finish_nails(relief, coat, nailed, skin, rng)
    drop, contact = ((0.0, 1.0), (0.1, 0.8), (0.5, 0.3), (3.0, 0.0))[int(rng.integers(4))]
    shading = shade(coat.z, lamp, drop=drop * unit, contact=contact)
    lit = _light(relief, coat, shading)
    ground = backdrop(rng, width, height, backgrounds, skin.back) * shading.ground[..., None]
    hand = (relief.z > FAR / 2)[..., None]
    return np.where(hand, lit, ground).astype(np.float32, copy=False)


def _light(relief: Relief, coat: _Coat, shading: Shading) -> Floats:
    nail = relief.label > 0
    factor = shading.skin
    factor[nail] = shading.plain[nail][:, None]
    broad = _to_the_16th(shading.mirror)
    reflected = broad * coat.gloss
    reflected[nail] = coat.reflections[nail] + broad[nail] ** 5 * coat.gloss[nail]
    lit: Floats = coat.colour * factor + reflected[..., None]
    return lit


def _to_the_16th(x: Floats) -> Floats:
    """As `x**16`, which takes twenty times as long."""
    for _ in range(4):
        x = x * x
    return x


def _dress(relief: Relief, coat: _Coat, skin: Skin, rng: Generator) -> None:
    """A sleeve of cloth on the forearm."""
    sleeve = relief.part == FOREARM
    if sleeve.any():
        width, height = relief.size
        weave = np.exp2(np.float32(0.3) * clouds(rng, width, height, 3))[sleeve]
        coat.colour[sleeve] = random_colour(rng, skin.back) * weave[:, None]


def _put_ring(relief: Relief, coat: _Coat, unit: float, rng: Generator) -> None:
    """A band on the first bone of a finger, maybe with a stone: glossy, oval, and no nail."""
    part = DIGITS + int(rng.integers(1, 5))
    middle, width = rng.uniform(0.4, 0.75), rng.uniform(0.03, 0.09)
    on_finger = (relief.part == part) & (relief.along > 0) & (relief.along < 1)
    band = on_finger & (np.abs(relief.along - np.float32(middle)) < width)
    metal = np.array([0.75, rng.uniform(0.5, 0.72), rng.uniform(0.25, 0.75)], np.float32)
    coat.colour[band], coat.gloss[band] = metal * np.float32(rng.uniform(0.3, 1)), 0.8
    coat.z[band] += np.float32(0.02 * unit)
    if rng.random() < 0.5:
        size = rng.uniform(0.08, 0.2)
        reach = ((relief.along - middle) / size) ** 2 + np.maximum(1 - relief.dorsal, 0) / rng.uniform(0.1, 0.4)
        stone = on_finger & (reach < 1)
        coat.colour[stone], coat.gloss[stone] = random_colour(rng, metal), 0.8
        coat.z[stone] += np.float32(0.06 * unit) * np.sqrt(1 - reach[stone]).astype(np.float32)


def _finish_nails(relief: Relief, coat: _Coat, nailed: list[Nailed], skin: Skin, rng: Generator) -> None:
    """Bare nails, or polish over them."""
    bare = Bare.random(skin.back, rng)
    look = random_manicure(rng, skin.back) if rng.random() < 0.55 else None
    coat.colour[relief.under > 0] = bare.free * np.float32(0.6)
    for nail in nailed:
        mask = (relief.label == nail.label).astype(np.uint8)
        left, top, width, height = cv2.boundingRect(mask)
        if width < 2 or height < 2:
            continue
        box = slice(top, top + height), slice(left, left + width)
        at = Place(relief.u[box], relief.v[box], 1 / max(nail.plate.half_width, 1))
        gloss = look.gloss if look is not None else float(rng.uniform(0.1, 0.7))
        inside = mask[box] > 0
        coat.colour[box][inside] = _nail_colour(nail, at, bare, look, rng)[inside]
        coat.reflections[box][inside] = highlights(at, gloss, rng)[inside] * np.float32(0.8)
        coat.gloss[box][inside] = 0.6 * gloss


def _nail_colour(nail: Nailed, at: Place, bare: Bare, look: Manicure | None, rng: Generator) -> Floats:
    """(h, w, 3) in light: the bare nail, ridged a little, with the look's polish over it."""
    height, width = at.u.shape
    grain = clouds(rng, width, height, max(0.3 * nail.plate.half_width, 1))
    ridges = np.float32(0.4) * np.sin(at.u * np.float32(rng.uniform(8, 20)) + grain)
    colour = bare.colour(nail.plate, at.u, at.v, grain + ridges)
    if look is not None:
        colour = colour + (look.colour(at, rng) - colour) * np.float32(look.opacity)
    return colour
