"""How bright the scene is and which colour its light has, read from a small overview of the frame.

Nothing here asks how bright a hand or nail is: dark skin in good light must not make polish dark.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from media_worker.polish.colour import strongest, to_linear
from media_worker.vision.arrays import Floats, Pixels

LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
"""Of linear sRGB (IEC 61966-2-1)."""

BRIGHT_SHARE = 0.05
"""What the brightest twentieth of a frame reaches tells how it is exposed: there is nearly always something light."""

WELL_LIT = 0.36
"""Luminance that the bright share of a well exposed frame reaches; cameras bring about every lit room there."""

DIMMING = 0.8
"""Exponent: eyes and cameras adapt to a dim room, but not in full."""

DIMMEST = 0.06

NEUTRAL = 1.1
"""How far log(red / blue) of a surface may lie from 0 to count as one that shows the colour of the light: warm lamps
that a camera leaves uncorrected reach 0.8, skin begins at 0.7 and wood lies beyond."""

UNNOTICED = 0.25
"""log(red / blue) up to which walls are taken for tinted rather than the light."""

WARMING = 0.75
"""Share of the cast beyond UNNOTICED that polish takes on: eyes look through a part of it."""

FEWEST = 0.03
"""Share of the frame that must be neutral, or no cast is told."""

LIKE = 0.01
"""Of Scene.like, light: one of the 255 steps of sRGB white, less of anything darker."""


@dataclass(frozen=True)
class Scene:
    """The light of a frame, against which polish is shown."""

    brightness: float
    """Luminance of the frame's bright share, 0–1."""
    cast: float
    """log(red / blue) of the light, 0 for white, positive for warm."""

    @cached_property
    def exposure(self) -> float:
        """1 shows polish in its own colour."""
        return float(np.clip((self.brightness / WELL_LIT) ** DIMMING, DIMMEST, 1))

    @cached_property
    def tint(self) -> Floats:
        """(3,) what the light does to red, green and blue; its luminance is 1."""
        felt = np.sign(self.cast) * max(abs(self.cast) - UNNOTICED, 0) * WARMING
        tint = np.exp(np.array([0.5, 0.08, -0.5], np.float32) * np.float32(felt))
        even: Floats = (tint / (tint @ LUMINANCE)).astype(np.float32)
        return even

    def like(self, other: Scene) -> bool:
        """Whether nobody could tell polish in one from polish in the other."""
        return float(np.abs(self.tint * self.exposure - other.tint * other.exposure).max()) < LIKE

    def towards(self, newer: Scene, share: float) -> Scene:
        """A step to another scene, even to the eye: `share` 1 is all of it."""
        brightness = self.brightness ** (1 - share) * newer.brightness**share
        return replace(self, brightness=brightness, cast=self.cast + share * (newer.cast - self.cast))


def read_scene(overview: Pixels) -> Scene:
    """Reads a small picture, uint8 (h, w, 3) sRGB."""
    linear = to_linear(overview).reshape(-1, 3)
    luminance = linear @ LUMINANCE
    place = int(len(luminance) * (1 - BRIGHT_SHARE))
    bright = float(np.partition(luminance, place)[place])
    return Scene(max(bright, 1e-3), _cast(linear, luminance, bright))


def _cast(linear: Floats, luminance: Floats, bright: float) -> float:
    """Mean of what is nearly neutral, brighter things counting more; burnt-out ones say nothing."""
    red, green, blue = np.log(linear.T + np.float32(0.01))
    cast, greenish = red - blue, green - (red + blue) / 2
    neutral = (np.abs(cast) < NEUTRAL) & (np.abs(greenish) < 0.25) & (strongest(linear) < 0.98)
    weight = np.where(neutral & (luminance > 0.15 * bright), luminance * (1 - np.abs(cast) / NEUTRAL), 0)
    if np.count_nonzero(weight) < FEWEST * len(weight):
        return 0.0
    return float((cast * weight).sum() / weight.sum())
