"""Nail coordinates: u −1 to 1 across, v 0 at the cuticle to 1 at the free edge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from media_worker.vision.arrays import Floats
from media_worker.vision.nails import Nail


@dataclass(frozen=True)
class Place:
    """Where each pixel centre of a patch lies on the nail."""

    u: Floats
    v: Floats
    pixel_u: float
    """Size of a pixel in u; edges of patterns are this soft."""
    pixel_v: float
    shine: float
    """u of the line that mirrors a light from above the camera: it wanders as the finger turns in the picture."""
    angle: float
    """Direction of the nail in the picture, radians."""


def nail_coordinates(nail: Nail, left: int, top: int, width: int, height: int) -> Place:
    """Coordinates of the pixels of a (height, width) patch whose top left corner is pixel (left, top) of the frame."""
    cuticle, tip = nail.axis
    along = tip - cuticle
    length = max(float(np.hypot(*along)), 1.0)
    half_width = max(nail.width / 2, 0.5)
    dx, dy = float(along[0]) / length, float(along[1]) / length
    x = np.arange(left, left + width, dtype=np.float32)[None, :] + np.float32(0.5 - cuticle[0])
    y = np.arange(top, top + height, dtype=np.float32)[:, None] + np.float32(0.5 - cuticle[1])
    u = (x * np.float32(-dy) + y * np.float32(dx)) / np.float32(half_width)
    v = (x * np.float32(dx) + y * np.float32(dy)) / np.float32(length)
    # light comes from above and a little from the left: across · (−0.5, −0.85)
    shine = 0.4 * (0.5 * dy - 0.85 * dx)
    return Place(u, v, 1 / half_width, 1 / length, shine, float(np.arctan2(dy, dx)))
