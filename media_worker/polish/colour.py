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
    return cv2.LUT(srgb, _LINEAR).astype(np.float32, copy=False)


_STEPS = 8192
"""Steps of light on the way back; enough that bytes survive the round trip (tested)."""

_INVERSE = np.searchsorted((_LINEAR[1:] + _LINEAR[:-1]) / 2, np.arange(2**16) / _STEPS).astype(np.uint8)
"""For every uint16, as OpenCV wants it: whatever is brighter than white becomes 255."""


def to_srgb(linear: Floats) -> Pixels:
    """Linear light of any shape as sRGB bytes; values outside 0–1 are clipped."""
    steps = cv2.addWeighted(linear, _STEPS, linear, 0, 0, dtype=cv2.CV_16U)  # saturates: 0 for what is below
    return cv2.LUT(steps, _INVERSE).astype(np.uint8, copy=False)


def strongest(colours: Floats) -> Floats:
    """(…) each colour's highest channel, of (…, 3). Numpy's own max over so short an axis takes ten times as long."""
    highest: Floats = np.maximum(np.maximum(colours[..., 0], colours[..., 1]), colours[..., 2])
    return highest


def weakest(colours: Floats) -> Floats:
    """(…) each colour's lowest channel, of (…, 3): what is white in it."""
    lowest: Floats = np.minimum(np.minimum(colours[..., 0], colours[..., 1]), colours[..., 2])
    return lowest


SHOULDER = 0.78
"""Linear light from which cameras compress white, so that it keeps its shading and highlights their form."""


def rolled_off(linear: Floats) -> Floats:
    """Linear light (h, w, 3), compressed where it is white beyond SHOULDER, so that it nears 1 and never clips.

    What is white in a colour is its weakest channel: a bright orange keeps its hue and its brightness.
    """
    white = weakest(linear)
    if white.max() <= SHOULDER:
        return linear
    beyond = np.maximum(white - np.float32(SHOULDER), 0)
    room = np.float32(1 - SHOULDER)
    share = (white - beyond + room * (1 - np.exp(beyond * (-1 / room)))) / np.maximum(white, np.float32(SHOULDER))
    even = np.where(beyond > 0, share, np.float32(1)).astype(np.float32)
    rolled: Floats = linear * cv2.merge((even, even, even))
    return rolled
