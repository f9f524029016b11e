"""Structural similarity of two grey pictures (Wang, Bovik, Sheikh, Simoncelli 2004, doi 10.1109/TIP.2003.819861)."""

from __future__ import annotations

import cv2
import numpy as np

from media_worker.vision.arrays import Floats, Mask

_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
"""The paper's K1 and K2 for grey levels of 8 bits."""


def ssim(a: Floats, b: Floats, inside: Mask | None = None) -> float:
    """Mean over `inside`, (H, W); `a` and `b`, (H, W), in grey levels 0–255. 1 for equal pictures.

    Local means in a Gaussian window of 11x11 with a sigma of 1.5 pixels, as in the paper.
    """
    a, b = a.astype(np.float64), b.astype(np.float64)
    mean_a, mean_b = _local(a), _local(b)
    variance_a, variance_b = _local(a * a) - mean_a**2, _local(b * b) - mean_b**2
    covariance = _local(a * b) - mean_a * mean_b
    likeness = (2 * mean_a * mean_b + _C1) * (2 * covariance + _C2)
    likeness /= (mean_a**2 + mean_b**2 + _C1) * (variance_a + variance_b + _C2)
    return float(likeness[inside].mean() if inside is not None else likeness.mean())


def _local(values: Floats) -> Floats:
    return cv2.GaussianBlur(values, (11, 11), 1.5).astype(np.float64, copy=False)
