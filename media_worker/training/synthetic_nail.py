"""Nail plates: their shapes, where they sit on a finger's last bone, and the colours of bare ones.

Nail coordinates: u −1 to 1 across at the widest place, v 0 at the cuticle to 1 at the free edge, along the middle line.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from media_worker.training.synthetic_pose import Bone
from media_worker.vision.arrays import Floats, Mask

_TIPS = {  # reach of the tip's curve in half widths, its exponent (1 a point, 2 an ellipse, large a square), taper
    "round": (1.0, 2.0, 0.0),
    "oval": (1.5, 1.9, 0.05),
    "squoval": (0.6, 2.6, 0.04),
    "square": (0.3, 5.0, 0.02),
    "almond": (2.2, 1.6, 0.12),
    "coffin": (0.25, 5.0, 0.42),
    "stiletto": (3.2, 1.15, 0.2),
}
_SHORT = ("round", "oval", "squoval", "square")


@dataclass(frozen=True)
class NailStyle:
    """What the nails of one hand share; lengths in radii of the finger near its tip."""

    tip: str
    """A key of _TIPS."""
    bed: float
    """From the cuticle to the finger's end."""
    grown: float
    """How far the free edge reaches beyond the finger's end; negative for bitten nails."""
    width: float
    """Over the finger's."""
    arch: float
    """How far the sides lie below the middle, in half widths."""
    cuticle: float
    """Exponent of the cuticle's curve."""
    sag: float
    """How far the free edge drops below the plate's highest place, in its length."""


def random_style(rng: Generator) -> NailStyle:
    grown = rng.uniform(-0.45, 0.25) if rng.random() < 0.6 else 0.2 + 2.3 * rng.beta(1, 2)
    tip = str(rng.choice(_SHORT if grown < 0.4 else tuple(_TIPS)))
    return NailStyle(
        tip,
        bed=rng.uniform(1.75, 2.4),
        grown=float(grown),
        width=rng.uniform(0.64, 0.84),
        arch=rng.uniform(0.2, 0.5),
        cuticle=rng.uniform(1.9, 2.9),
        sag=rng.uniform(0.05, 0.22),
    )


@dataclass(frozen=True)
class Plate:
    """A nail in its bone's coordinates, pixels along it from its first end and out of its back."""

    cuticle: float
    free_edge: float
    half_width: float
    top: tuple[float, float]
    """Highest place, (along, dorsal)."""
    curvature: tuple[float, float]
    """1/radius along and across, per pixel."""
    flesh_end: float
    """v at which the finger ends under the nail."""
    style: NailStyle

    @classmethod
    def on(cls, bone: Bone, style: NailStyle, rng: Generator) -> Plate:
        """A plate seated in the back of a last bone, by the hand's style and a little chance."""
        radius = bone.radii[1]
        length = float(np.linalg.norm(bone.ends[1] - bone.ends[0]))
        end = length + radius
        cuticle = end - radius * style.bed * rng.uniform(0.92, 1.08)
        free_edge = end + radius * style.grown * rng.uniform(0.85, 1.1)
        half_width = radius * style.width * rng.uniform(0.95, 1.05)
        top = cuticle + 0.25 * (free_edge - cuticle)
        here = bone.radii[0] + (radius - bone.radii[0]) * min(top / length, 1)
        along = 2 * style.sag / max(free_edge - top, 1.0) * min(1.0, 2.2 * radius / max(free_edge - top, 1.0))
        return cls(
            cuticle,
            free_edge,
            half_width,
            (top, 0.985 * bone.flat * here),
            (along, 2 * style.arch / half_width),
            (end - 0.12 * radius - cuticle) / max(free_edge - cuticle, 1.0),
            style,
        )

    def width_at(self, v: Floats) -> Floats:
        """Half the width at `v`, as a share of the widest; 0 beyond the ends."""
        length = max(self.free_edge - self.cuticle, 1.0)
        reach, power, taper = _TIPS[self.style.tip]
        tip = min(reach * self.half_width / length, 0.75)
        root = min(0.9 * self.half_width / length, 0.5)
        before = np.clip((root - v) / root, 0, 1)
        after = np.clip((v - (1 - tip)) / tip, 0, 1)
        width: Floats = (1 - before**self.style.cuticle) ** (1 / self.style.cuticle) * (1 - after**power) ** (1 / power)
        width *= 1 - np.float32(taper) * np.clip((v - 0.3) / 0.7, 0, 1)
        return width

    def covers(self, u: Floats, v: Floats) -> Mask:
        """Which of nail coordinates (h, w) lie on the plate."""
        inside: Mask = (v > 0) & (v < 1) & (np.abs(u) < self.width_at(v))
        return inside

    def middle_line(self, bone: Bone, v: Floats) -> Floats:
        """(N, 3): the points (0, v) of the plate in the camera's frame."""
        along = (bone.ends[1] - bone.ends[0]) / np.linalg.norm(bone.ends[1] - bone.ends[0])
        dorsal = bone.dorsal - along * float(bone.dorsal @ along)
        dorsal = dorsal / np.linalg.norm(dorsal)
        t = self.cuticle + v * (self.free_edge - self.cuticle)
        height = self.top[1] - 0.5 * self.curvature[0] * (t - self.top[0]) ** 2
        points: Floats = bone.ends[0] + np.outer(t, along) + np.outer(height, dorsal)
        return points


@dataclass(frozen=True)
class Bare:
    """Colours of one hand's bare nails, (3,) in light."""

    bed: Floats
    moon: Floats
    free: Floats
    moon_size: float
    """v at which the moon ends; 0 or less hides it."""
    clear: float
    """How much of what is below shows through the free edge, 0–1."""

    @classmethod
    def random(cls, skin: Floats, rng: Generator) -> Bare:
        """For a skin of colour (3,): beds differ less between people than skins do, and are pinker."""
        pink = np.array([0.66, 0.40, 0.35]) * rng.uniform(0.75, 1.15)
        bed = skin + (pink - skin) * rng.uniform(0.25, 0.85)
        bed = bed * rng.uniform(0.94, 1.06, 3)
        white = np.array([0.88, 0.82, 0.72]) * rng.uniform(0.7, 1.05)
        moon = bed + (white - bed) * rng.uniform(0.1, 0.5)
        free = bed + (white - bed) * rng.uniform(0.25, 1)
        bed, moon, free = np.stack([bed, moon, free]).astype(np.float32)
        return cls(bed, moon, free, moon_size=rng.uniform(-0.05, 0.28), clear=rng.uniform(0, 0.35))

    def colour(self, plate: Plate, u: Floats, v: Floats, grain: Floats) -> Floats:
        """(h, w, 3) in light; `grain` (h, w), about −1 to 1, makes beds uneven."""
        square = u * u
        moon = _ramp(self.moon_size - 0.12 * square - v, 0.05)
        smile = min(plate.flesh_end, 0.94) - 0.1 * square
        free = _ramp(v - smile, 0.035)
        band = np.exp(-(((v - smile + 0.05) / 0.04) ** 2)) * np.float32(0.12)  # where the bed ends it is darker
        bed = self.bed * (1 + np.float32(0.07) * grain - band - np.float32(0.12) * square * square)[..., None]
        coloured = bed + (self.moon - bed) * (moon * np.float32(0.8))[..., None]
        mixed: Floats = coloured + (self.free - coloured) * free[..., None]
        return mixed


def _ramp(signed: Floats, width: float) -> Floats:
    ramp: Floats = np.clip(signed / np.float32(width) + np.float32(0.5), 0, 1)
    return ramp
