"""Finishes that mirror with a colour of their own: brushed foil, chrome, and the magnetic band of cat-eye polish."""

from __future__ import annotations

import numpy as np

from media_worker.polish.colour import strongest
from media_worker.polish.flakes import DUST, brushed, flakes
from media_worker.polish.surface import Film, Wet, times, tinted
from media_worker.vision.arrays import Floats


def metallic(wet: Wet) -> Film:
    """Foil: streaks scatter across, so the lamp becomes a broad band along the nail, in the metal's own colour."""
    streaks = np.float32(0.05) * brushed(wet.relief.place.u.shape[0])
    band = wet.spot(0.38, 0.9) + np.float32(0.5) * wet.spot(0.12, 0.6)
    shade = wet.round(0.5) * (np.float32(0.58) + np.float32(0.68) * band) * (1 + streaks * (1 + 2 * band))
    bright = np.float32(0.12) * band * band + np.float32(0.6) * wet.gleam
    return Film(wet.lit(shade) * _deepened(wet.colour, shade) + wet.white(bright))


def _deepened(metal: Floats, shade: Floats) -> Floats:
    """(rows, columns, 3) light left of a metal, (h, w, 3): where it is dark it mirrors itself, and its hue deepens.

    So gold turns to amber there, not to olive.
    """
    hue = metal / np.maximum(strongest(metal), np.float32(1e-3))[..., None]
    return 1 - times(1 - hue, np.float32(DEEPENS) * np.maximum(1 - shade, 0))


DEEPENS = 0.9
"""How often light in the darkest parts of metal was mirrored before, about."""


_SURROUNDINGS = (
    (-1.0, 0.10), (-0.74, 0.20), (-0.62, 0.75), (-0.38, 1.20), (-0.21, 1.05), (-0.15, 0.26), (-0.02, 0.15),
    (0.12, 0.28), (0.34, 0.60), (0.47, 0.95), (0.54, 0.55), (0.74, 0.30), (1.0, 0.12),
)  # fmt: skip
"""Brightness of a room as a round mirror shows it, from one side (−1) to the other: dark wall, lamp side, horizon,
floor, a far window, dark wall. The edge of the horizon is what tells chrome from satin."""


def _room() -> Floats:
    """(512,) over −1.6 to 1.6: beyond its ends the room goes on as it is there."""
    sides, light = zip(*_SURROUNDINGS, strict=True)
    room: Floats = np.interp(np.linspace(-1.6, 1.6, 512), sides, light).astype(np.float32)
    return room


_ROOM = _room()


def chrome(wet: Wet) -> Film:
    """A mirror: it shows a room, whose bands move as the finger turns."""
    relief = wet.relief
    # mirrored direction doubles the normal's; along the nail the room changes less
    sideways = 2 * relief.across * relief.facing + np.float32(0.5) * relief.along * (1 + relief.along)
    towards = sideways - np.float32(0.9 * wet.shine.u + 0.12 * np.sin(wet.shine.turn) + 0.28)
    cells = ((towards + np.float32(1.6)) * np.float32(511 / 3.2)).astype(np.int32)
    mirrored = _ROOM.take(cells, mode="clip") * wet.round(0.25)
    bright = np.float32(0.06) * mirrored + np.float32(0.35) * wet.window(0.07, 0.26) + np.float32(0.5) * wet.gleam
    return Film(wet.lit(np.float32(1.1) * mirrored) + wet.white(bright))


def cat_eye(wet: Wet) -> Film:
    """Magnetic dust: a bright velvet band across the nail that wanders as the finger tilts; dark beside it."""
    place = wet.relief.place
    wander = np.float32(0.3 * np.sin(0.7 * wet.shine.turn) + 0.35 * wet.shine.u)
    u, v = place.u[:1], place.v[:, :1]
    off = np.float32(4.6) * (v - np.float32(0.5) - wander) + np.float32(1.75) * u + np.float32(0.28) * u * u
    square = off * off
    band = 1 / (1 + square * (1 + np.float32(0.6) * square))
    dust, flash = flakes(DUST, place.u.shape[0], wet.shine.turn)
    glow = wet.colours[-1] if len(wet.colours) > 1 else np.minimum(wet.colours[0] * 1.6 + 0.06, 1)
    velvet = band * (np.float32(0.75) + np.float32(0.9) * flash - np.float32(0.2) * dust)
    dark = wet.lit(wet.round(0.35) * (np.float32(0.38) + np.float32(0.3) * band))
    shown = tinted(velvet * wet.shading, glow * wet.light)
    return Film(dark + shown + wet.white(np.float32(0.42) * wet.window(0.13, 0.28) + wet.gleam))
