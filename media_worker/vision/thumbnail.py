"""A design on a drawn nail, for the strip."""

from __future__ import annotations

import numpy as np

from media_worker.vision.designs import Look, to_srgb
from protocol.messages import Finger


def thumbnail(look: Look, size: int = 160) -> np.ndarray:
    picture = np.full((size, size, 3), 240, np.uint8)
    picture[size // 4 : -size // 4, size // 4 : -size // 4] = to_srgb(look.coats[Finger.INDEX].colours[0])
    return picture
