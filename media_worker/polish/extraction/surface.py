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

SPARKLES = 0.02
"""Contrast of fine grain from which it glitters."""

CALM = 30
"""Percentile of the detail that counts: between the edges of a pattern a nail is calm, glitter is rough everywhere."""


@dataclass(frozen=True)
class Surface:
    """What one nail shows of its finish."""

    mirrored: float
    """White light on the paint at its strongest, linear."""
    burnt: float
    """Share of the nail that light has burnt out."""
    grain: float
    """Contrast of fine detail, as a share of the brightness."""


def grain(albedo: Floats, inside: Mask) -> float:
    """Contrast of what is finer than a twentieth of the nail; `albedo` (H, W, 3) linear."""
    light = albedo.mean(axis=2)
    coarse = cv2.GaussianBlur(light, (0, 0), 0.015 * len(light))
    detail = float(np.percentile(np.abs(light - coarse)[inside], CALM))
    return detail / max(float(np.median(coarse[inside])), 0.02)


def finish_of(surfaces: Sequence[Surface]) -> Finish:
    """What most nails have: glitter, matte, or else gloss."""
    if np.median([each.grain for each in surfaces]) > SPARKLES:
        return Finish.GLITTER
    shiny = np.median([each.mirrored for each in surfaces]) > MIRRORS or np.median([s.burnt for s in surfaces]) > 0
    return Finish.GLOSS if shiny else Finish.MATTE
