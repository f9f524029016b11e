"""sRGB and linear light. Light adds up in linear light only, so that is where polish is mixed."""

from __future__ import annotations

import cv2
import numpy as np

from media_worker.vision.arrays import Floats, Pixels


def _srgb_to_linear(srgb: Floats) -> Floats:
    """IEC 61966-2-1, 0–1 to 0–1."""
    linear: Floats = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4).astype(np.float32)
    return linear


_LINEAR = _srgb_to_linear(np.arange(256) / 255)


def to_linear(srgb: Pixels) -> Floats:
    """sRGB bytes of any shape as linear light, 0–1."""
    return _LINEAR.take(srgb)


_STEPS = 8192
"""Entries of the way back; enough that bytes survive the round trip (tested)."""

_INVERSE = np.searchsorted((_LINEAR[1:] + _LINEAR[:-1]) / 2, (np.arange(_STEPS + 1)) / _STEPS).astype(np.uint8)


def to_srgb(linear: Floats) -> Pixels:
    """Linear light of any shape as sRGB bytes; values outside 0–1 are clipped."""
    flat = np.ascontiguousarray(linear, np.float32).reshape(-1)
    steps = np.asarray(cv2.addWeighted(flat, _STEPS, flat, 0, 0, dtype=cv2.CV_16U), np.uint16)  # 0 for what is below
    return _INVERSE.take(steps.reshape(linear.shape), mode="clip")
