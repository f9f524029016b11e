"""Skin of drawn hands: its colour from place to place, and the small relief of creases, pores and nail folds."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator

from media_worker.training.polish import to_light
from media_worker.training.recolour import skin_tone
from media_worker.training.synthetic_backdrop import clouds
from media_worker.training.synthetic_relief import BACK, DIGITS, PALM, Relief
from media_worker.vision.arrays import Floats


@dataclass(frozen=True)
class Skin:
    """(3,) in light each."""

    back: Floats
    palm: Floats
    blush: Floats
    """What joints and finger tips are tinted with."""
    knuckles: float
    """How deep the creases are over joints."""
    pores: float

    @classmethod
    def random(cls, rng: Generator) -> Skin:
        lab = np.clip(skin_tone(rng), 0, 255).astype(np.uint8)[None, None]
        back = to_light(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB).astype(np.uint8, copy=False))[0, 0]
        pale = np.array([0.62, 0.40, 0.31], np.float32)  # palms differ less than backs do
        palm = back + (pale - back) * np.float32(rng.uniform(0.2, 0.6))
        blush = np.array([1.0, rng.uniform(0.72, 0.92), rng.uniform(0.7, 0.92)], np.float32)
        return cls(back, palm, blush * np.float32(rng.uniform(0.85, 1)), rng.uniform(0.2, 1.2), rng.uniform(0.2, 1))


@dataclass(frozen=True)
class Detail:
    """Maps (H, W) that colour and relief share."""

    creases: Floats
    """0–1."""
    fold: Floats
    """1 at a nail's edge, falling over the skin around it."""
    grain: Floats
    """Noise of single pixels, about −1 to 1."""
    lines: Floats
    """Noise as fine as the skin's lines, about −1 to 1."""
    stains: Floats
    """Slow noise, about −1 to 1."""

    @classmethod
    def of(cls, relief: Relief, unit: float, rng: Generator) -> Detail:
        width, height = relief.size
        grain = clouds(rng, width, height, 1.5)
        lines = clouds(rng, width, height, max(0.014 * unit, 2))
        stains = clouds(rng, width, height, max(0.12 * unit, 4))
        finger = relief.part >= DIGITS
        wavy = relief.along + np.float32(0.03) * stains + np.float32(0.008) * lines
        creases = np.zeros((height, width), np.float32)
        for joint, reach, count in ((1.0, 0.13, 9.0), (2.0, 0.15, 13.0)):
            distance = (wavy - np.float32(joint)) / np.float32(reach)
            across = np.float32(0.5) + np.float32(0.5) * np.cos(wavy * np.float32(2 * np.pi * count))
            creases = np.maximum(creases, np.exp(-distance * distance) * across * across)
        creases *= finger & (relief.label == 0)
        away = cv2.distanceTransform((relief.label == 0).astype(np.uint8), cv2.DIST_L2, 3)
        fold = np.exp(-(np.minimum(away / np.float32(0.022 * unit), 9) ** 2)) * np.clip(
            (3.25 - relief.along) / 0.25, 0, 1
        )
        return cls(creases, fold * (finger & (relief.label == 0)), grain, lines, stains)


def small_relief(relief: Relief, skin: Skin, detail: Detail, unit: float) -> Floats:
    """Heights (H, W) in pixels to add to the relief's skin."""
    bare = relief.label == 0
    height = detail.creases * np.float32(-0.006 * unit * skin.knuckles)
    height += detail.fold * np.float32(0.013 * unit)
    pores = detail.grain * np.float32(0.05) + detail.lines * np.float32(0.0014 * unit)
    height += pores * np.float32(skin.pores) * bare
    height += detail.stains * np.float32(0.006 * unit) * np.isin(relief.part, (PALM, BACK))
    return height


def skin_colour(relief: Relief, skin: Skin, detail: Detail, unit: float) -> Floats:
    """(H, W, 3) in light, wherever the relief has skin."""
    inner = np.clip(np.float32(0.35) - relief.dorsal, 0, 1) * (relief.part >= DIGITS)
    inner = np.maximum(inner, relief.part == PALM)
    if (relief.part == PALM).any():  # the ball of the thumb belongs to the palm
        inner = np.maximum(inner, (relief.part == DIGITS) * np.clip((np.float32(1.1) - relief.along) / 0.4, 0, 1))
    size = 2 * max(round(0.02 * unit), 0) + 1
    inner = cv2.blur(inner.astype(np.float32), (size, size))
    joints = np.exp(-(((relief.along - 1) / 0.22) ** 2)) + np.exp(-(((relief.along - 2) / 0.25) ** 2))
    tips = np.clip((relief.along - 2.6) / 0.5, 0, 1)
    red = np.clip(np.float32(0.6) * joints + tips * np.float32(0.8) + detail.fold * np.float32(0.3), 0, 1)
    red *= relief.part >= DIGITS
    even = 1 + np.float32(0.07) * detail.stains + np.float32(0.06 * skin.pores) * detail.lines
    dark = even * (1 - np.float32(0.25 * skin.knuckles) * detail.creases)
    channels: list[Floats] = []
    for k in range(3):
        base = skin.back[k] + inner * np.float32(skin.palm[k] - skin.back[k])
        channels.append(base * dark * (1 + red * np.float32(skin.blush[k] - 1)))
    return cv2.merge(channels).astype(np.float32, copy=False)
