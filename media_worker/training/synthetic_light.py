"""Light on a relief: a lamp, the sky, shadows and reflections. Everything is in light, not in bytes."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator

from media_worker.training.synthetic_surface import FAR
from media_worker.vision.arrays import Floats, Mask

_COARSE = 4
"""Shadows are soft: they are computed this much smaller."""

_REDDENING = np.array([0.38, 0.22, 0.16], np.float32)
"""How far past the terminator light creeps through skin, per channel: red goes deepest."""


@dataclass(frozen=True)
class Lamp:
    towards: Floats
    """(3,), unit vector to the lamp in the camera's frame."""
    strength: float
    ambient: float
    """The sky's share; with `strength` about 1 in all."""
    softness: float
    """Of shadows, in pixels."""

    @classmethod
    def random(cls, rng: Generator, size: int) -> Lamp:
        slant, angle = rng.uniform(0.15, 1.15), rng.uniform(0, 2 * np.pi)
        towards = np.array([np.sin(slant) * np.cos(angle), np.sin(slant) * np.sin(angle), np.cos(slant)])
        ambient = rng.uniform(0.2, 0.65)
        return cls(towards, 1.15 - ambient, ambient, rng.uniform(0.004, 0.04) * size)


@dataclass(frozen=True)
class Shading:
    """How light falls, maps of (H, W) but for `skin`."""

    skin: Floats
    """(H, W, 3): factor for skin, reddish where it grazes."""
    plain: Floats
    """(H, W): factor for everything else."""
    ground: Floats
    """(H, W): factor for the background, which is flat."""
    mirror: Floats
    """(H, W), 0–1: how squarely the surface mirrors the lamp to the viewer (cosine)."""


def shade(z: Floats, lamp: Lamp, *, drop: float, contact: float) -> Shading:
    """Of heights with FAR for a background `drop` pixels below the lowest part of the hand.

    `contact`, 0–1, is how much the background knows of the hand: a wall far away has none of its shadows.
    """
    hand = z > FAR / 2
    floor = np.float32((z[hand].min() if hand.any() else 0) - drop)
    solid = np.where(hand, z, floor)
    smooth = np.where(hand, z, _extended(solid, hand))  # a cliff at the silhouette would light up as a rim
    slope_x = np.clip(cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=0.125), -3, 3)
    slope_y = np.clip(cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=0.125), -3, 3)
    length = cv2.sqrt(1 + slope_x * slope_x + slope_y * slope_y)
    lx, ly, lz = (np.float32(part) for part in lamp.towards)
    facing = (lz - slope_x * lx - slope_y * ly) / length
    lit, open_ = _occlusion(solid, lamp)
    sky = np.float32(lamp.ambient) * open_ * (np.float32(0.55) + np.float32(0.45) / length)
    key = np.float32(lamp.strength) * lit
    plain = sky + key * np.maximum(facing, 0)
    skin = cv2.merge([sky + key * np.maximum((facing + wrap) / (1 + wrap), 0) for wrap in _REDDENING])
    half = lamp.towards + np.array([0, 0, 1])
    hx, hy, hz = (np.float32(part) for part in half / np.linalg.norm(half))
    mirror = np.maximum((hz - slope_x * hx - slope_y * hy) / length, 0) * np.sqrt(lit)
    ground = np.float32(lamp.ambient) * open_ + key * lz
    ground += np.float32(1 - contact) * (np.float32(lamp.ambient) + np.float32(lamp.strength) * lz - ground)
    return Shading(skin, plain, ground, mirror)


def _extended(solid: Floats, hand: Mask) -> Floats:
    """Heights (H, W) around the hand as those of its border nearby; elsewhere as they are."""
    weight = cv2.blur(hand.astype(np.float32), (5, 5))
    total = cv2.blur(np.where(hand, solid, np.float32(0)), (5, 5))
    extended: Floats = np.where(weight > 0.02, total / np.maximum(weight, np.float32(0.02)), solid)
    return extended


def _occlusion(solid: Floats, lamp: Lamp) -> tuple[Floats, Floats]:
    """Maps (H, W) 0–1: how much of the lamp and how much of the sky each place sees."""
    height, width = solid.shape
    small = cv2.resize(solid, (width // _COARSE, height // _COARSE), interpolation=cv2.INTER_AREA)
    blocked = np.zeros_like(small)
    lx, ly, lz = lamp.towards
    for reach in (2, 4, 7, 11, 16, 23, 32):  # steps towards the lamp, coarse pixels
        move = np.array([[1, 0, -reach * lx], [0, 1, -reach * ly]], np.float32)
        towards = cv2.warpAffine(small, move, small.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
        rise = (towards - small - np.float32(reach * lz * _COARSE)) / np.float32(_COARSE * (1 + 0.5 * reach))
        blocked = np.maximum(blocked, np.clip(rise, 0, 1))
    sigma = max(lamp.softness / _COARSE, 0.5)
    lit = 1 - np.float32(0.9) * cv2.GaussianBlur(blocked, (0, 0), sigma)
    above = np.zeros_like(small)
    for sigma in (1.5, 5.0):
        around = cv2.GaussianBlur(small, (0, 0), sigma)
        above = above + np.clip((around - small) / np.float32(2.5 * _COARSE * sigma), 0, 1)
    open_ = 1 - np.float32(0.45) * above
    size = (width, height)
    return cv2.resize(lit, size).astype(np.float32), np.maximum(cv2.resize(open_, size), 0.15).astype(np.float32)
