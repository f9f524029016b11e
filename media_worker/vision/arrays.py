"""Names for the arrays that vision passes around. Shapes are given where they are used."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""Bytes of a picture: sRGB (H, W, 3), or I420 (H*3//2, W)."""

Floats = NDArray[np.floating[Any]]
"""float32 in practice: numpy's own annotations widen it in most expressions."""

Mask = NDArray[np.bool_]
