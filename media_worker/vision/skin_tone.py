"""How light the skin round a nail looks: the individual typology angle, and pictures split by it.

ITA° = arctan((L* − 50) / b*) in CIELAB (Chardon, Cretois, Hourseau: Skin colour typology and suntanning pathways,
Int. J. Cosmetic Science 13, 1991); above 55° is very light, below −30° dark. A camera's exposure and white balance
move it, so it is what the picture shows of a person, not the person.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from media_worker.vision.arrays import Mask, Pixels

RING = (0.1, 0.5)
"""Where the ring begins and ends, as distances from the mask in square roots of a nail's area."""

SKIN_CHROMA = 8.0
SKIN_HUES = (0.0, 85.0)
"""Least chroma and range of hue angles (degrees, a* to b*) in CIELAB. Skin of every tone is between red and yellow;
walls, cloth and paper behind a finger are mostly not. Lightness is not asked for, as that is what is measured."""

FEWEST_PIXELS = 30


def skin_tone(rgb: Pixels, nails: Mask) -> float | None:
    """ITA in degrees: the median over the skin in a ring round the nails. None where hardly any skin is there.

    `rgb` is uint8 (H, W, 3) in sRGB, `nails` the true mask, bool (H, W).
    """
    lab = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    lightness, a, b = lab[..., 0], lab[..., 1], lab[..., 2]
    hue = np.degrees(np.arctan2(b, a))
    skin = (np.hypot(a, b) >= SKIN_CHROMA) & (hue > SKIN_HUES[0]) & (hue < SKIN_HUES[1]) & ring(nails)
    if np.count_nonzero(skin) < FEWEST_PIXELS:
        return None
    return float(np.median(np.degrees(np.arctan2(lightness[skin] - 50, b[skin]))))


def ring(nails: Mask) -> Mask:
    """The surroundings of each nail of a mask, bool (H, W), the nails' folds left out as they are redder than skin."""
    count, _, statistics, _ = cv2.connectedComponentsWithStats(nails.astype(np.uint8), connectivity=8)
    if count < 2:
        return np.zeros_like(nails)
    size = float(np.sqrt(np.median(statistics[1:, cv2.CC_STAT_AREA])))
    distance = cv2.distanceTransform((~nails).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    around: Mask = (distance > RING[0] * size) & (distance < RING[1] * size)
    return around


def thirds(tones: Sequence[float]) -> tuple[list[int], list[int], list[int]]:
    """Indices of the darkest, the middle and the lightest third. Raises ValueError for fewer than three."""
    if len(tones) < 3:
        raise ValueError(f"three pictures or more make thirds, not {len(tones)}")
    dark, middle, light = np.array_split(np.argsort(tones, kind="stable"), 3)
    return dark.tolist(), middle.tolist(), light.tolist()
