"""The flat sheet that patterns are drawn on, and the few strokes they are drawn with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from media_worker.polish.looks import Coat
from media_worker.polish.nail_space import Place
from media_worker.vision.arrays import Floats
from protocol.designs import Length

Field = Callable[[Floats, Floats], Floats]
"""Some number at each place (x, y)."""

LENGTHS = {Length.NATURAL: 2.6, Length.SHORT: 3.0, Length.MEDIUM: 3.9, Length.LONG: 5.1}
"""Length of a nail in half widths, for what must be round on it: hearts, dots. The coat tells it, not the nail as it is
seen: a finger that bends away must not slide its pattern."""

_BEND = 0.32
"""Half widths that the ends of most nails fall back at the sides."""


@dataclass(frozen=True)
class Sheet:
    """Where each pixel lies, all (h, w) float32."""

    u: Floats
    """−1 to 1 across."""
    v: Floats
    """0 at the cuticle to 1 at the free edge."""
    x: Floats
    """Half widths from the middle line."""
    y: Floats
    """Half widths from the cuticle, along straight lines; lines of one v bend as the nail's ends do."""
    length: float
    """y of the free edge."""
    pixel: float
    """Half widths that a pixel spans; edges are this soft."""

    @classmethod
    def on(cls, coat: Coat, place: Place) -> Sheet:
        u, v = np.broadcast_arrays(place.u, place.v)
        length = LENGTHS[coat.length]
        y = length * v + _BEND * u**2 * (1 - 2 * v)
        return cls(u, v, u, y.astype(np.float32, copy=False), length, (place.pixel_u + place.pixel_v * length) / 2)

    def inside(self, depth: Floats, slope: Floats | float = 1) -> Floats:
        """Share of each pixel, 0–1, on the inner side of an edge, `depth` half widths away (negative outside).

        Where `depth` is no distance but some other field, `slope` is how much it changes in a half width.
        """
        share: Floats = np.clip(depth / (slope * np.float32(self.pixel)) + 0.5, 0, 1)
        return share

    def within(self, field: Field) -> Floats:
        """Share of each pixel where a smooth field is above 0."""
        return self.inside(field(self.x, self.y), slope(field, self.x, self.y))

    def line(self, distance: Floats, width: float, slope: Floats | float = 1) -> Floats:
        """Share of each pixel on a line `width` half widths wide; one finer than a pixel grows pale instead."""
        pale = min(1.0, width / self.pixel)
        return np.float32(pale) * self.inside(np.float32(max(width, self.pixel) / 2) * slope - np.abs(distance), slope)


def lay(under: Floats, share: Floats, colour: Floats) -> Floats:
    """`colour`, (3,) or (h, w, 3), over what lies under it, as far as `share` (h, w) says."""
    over: Floats = under + share[..., None] * (colour - under)
    return over


def accent(colours: Floats, number: int) -> Floats:
    """The accent (3,) of that number from 0; a coat with fewer accents uses them again."""
    accents: Floats = colours[1:]
    chosen: Floats = accents[number % len(accents)]
    return chosen


def with_accent(colours: Floats) -> Floats:
    """(K, 3) with at least two colours: milk is the accent of a dark polish, ink that of a light one."""
    if len(colours) > 1:
        return colours
    light = float(colours[0] @ _LUMINANCE) > 0.35
    return np.vstack([colours, _INK if light else _MILK]).astype(np.float32)


_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)  # IEC 61966-2-1
_MILK, _INK = np.array([[0.93, 0.90, 0.84]], np.float32), np.array([[0.005, 0.005, 0.007]], np.float32)


def blend(colours: Floats, position: Floats) -> Floats:
    """Through all (K, 3) colours, however many, as `position` (h, w) goes from 0 to 1; (h, w, 3)."""
    smooth = position * position * (3 - 2 * position)
    stops = np.linspace(0, 1, len(colours))
    channels = [np.interp(smooth, stops, colours[:, k]) for k in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)


def slope(field: Field, x: Floats, y: Floats) -> Floats:
    """How much a field changes in a half width, at each place; never 0, so that it may divide."""
    here, step = field(x, y), np.float32(0.01)
    steepest = np.hypot(field(x + step, y) - here, field(x, y + step) - here) / step
    return np.maximum(steepest, np.float32(0.7))


def triangle(phase: Floats) -> Floats:
    """0 at whole numbers, 0.5 halfway between them."""
    wave: Floats = np.abs(phase - np.round(phase))
    return wave


def clouds(x: Floats, y: Floats, size: float, seed: int) -> Floats:
    """A smooth field without a direction, about −1 to 1, whose blobs are `size` half widths large: eight plane waves of
    random direction and phase. It has no grid, no end and the same value at the same place at any resolution."""
    random = np.random.default_rng(seed)
    field = np.zeros(np.broadcast_shapes(x.shape, y.shape), np.float32)
    for angle in (np.arange(8) + random.uniform(-0.4, 0.4, 8)) * (np.pi / 8):
        wave, phase = np.pi / size * random.uniform(0.7, 1.3), random.uniform(0, 2 * np.pi)
        field += np.sin(x * np.float32(wave * np.cos(angle)) + y * np.float32(wave * np.sin(angle)) + np.float32(phase))
    return field / np.float32(4)
