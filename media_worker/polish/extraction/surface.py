"""Which finish a manicure seems to have, from how its nails answered the light."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from media_worker.vision.arrays import Floats, Mask
from protocol.designs import Finish

MIRRORS = 0.035
"""White light on a nail, linear, from which it is glossy: less is the veil of a matte one."""

SPARKLES = 0.09
"""Roughness from which it glitters; dots and leopards reach 0.08, and their pictures bring their own sparkle."""

CALM = 30
"""Percentile that counts: between the things of a pattern a nail is calm, glitter is rough everywhere."""


@dataclass(frozen=True)
class Surface:
    """What one nail shows of its finish."""

    mirrored: float
    """White light on the paint at its strongest, linear."""
    burnt: float
    """Share of the nail that light has burnt out."""
    grain: float
    """Roughness in all directions, as a share of the brightness."""


def grain(albedo: Floats, inside: Mask) -> float:
    """How rough a nail is in all directions at once, relative to its brightness; `albedo` (H, W, 3) linear light.

    The smaller eigenvalue of the structure tensor: 0 along an edge, whatever its contrast, as that is rough in one
    direction only (Förstner and Gülch 1987).
    """
    light = albedo.mean(axis=2)
    x, y = (cv2.Sobel(light, cv2.CV_32F, *order, scale=1 / 8) for order in ((1, 0), (0, 1)))
    xx, yy, xy = (cv2.GaussianBlur(each, (0, 0), 0.02 * len(light)) for each in (x * x, y * y, x * y))
    smaller = (xx + yy) / 2 - np.sqrt(((xx - yy) / 2) ** 2 + xy * xy)
    roughness = float(np.percentile(np.sqrt(np.maximum(smaller, 0))[inside], CALM))
    return roughness / max(float(np.median(light[inside])), 0.02)


def finish_of(surfaces: Sequence[Surface]) -> Finish:
    """What most nails have: glitter, matte, or else gloss."""
    if np.median([each.grain for each in surfaces]) > SPARKLES:
        return Finish.GLITTER
    shiny = np.median([each.mirrored for each in surfaces]) > MIRRORS or np.median([s.burnt for s in surfaces]) > 0
    return Finish.GLOSS if shiny else Finish.MATTE
