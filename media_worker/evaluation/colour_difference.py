"""How different two colours look: CIE L*a*b* and the CIEDE2000 colour difference.

G. Sharma, W. Wu, E. N. Dalal: "The CIEDE2000 color-difference formula: implementation notes, supplementary test data,
and mathematical observations". Color Research & Application 30 (2005), 21–30. Equation numbers below are theirs.
"""

from __future__ import annotations

import numpy as np

from media_worker.polish.colour import to_linear
from media_worker.vision.arrays import Floats, Pixels

_TO_XYZ = np.array(((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505)))
"""Linear sRGB to CIE XYZ (IEC 61966-2-1)."""

_WHITE = _TO_XYZ.sum(axis=1)
"""D65, as white has it: so that greys have no hue."""


def lab(srgb: Pixels) -> Floats:
    """L* 0–100, a*, b* of sRGB bytes (..., 3), under D65."""
    ratio = to_linear(srgb).astype(np.float64) @ _TO_XYZ.T / _WHITE
    cube = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio * (29 / 6) ** 2 / 3 + 4 / 29)
    x, y, z = np.moveaxis(cube, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def difference(a: Pixels, b: Pixels) -> Floats:
    """CIEDE2000 of sRGB bytes (..., 3), which broadcast against each other; 1 is about what an eye just sees."""
    return ciede2000(lab(a), lab(b))


def ciede2000(first: Floats, second: Floats) -> Floats:
    """The difference of L*a*b* colours (..., 3), with k_L = k_C = k_H = 1."""
    lightness, chroma, hue = _lch(first, second)
    (light_1, light_2), (chroma_1, chroma_2), (hue_1, hue_2) = lightness, chroma, hue
    grey = chroma_1 * chroma_2 == 0
    turn = (hue_2 - hue_1 + 180) % 360 - 180  # eq. 10
    d_hue = 2 * np.sqrt(chroma_1 * chroma_2) * np.sin(np.radians(np.where(grey, 0, turn)) / 2)  # eq. 11
    mean_hue = np.where(grey, hue_1 + hue_2, _mean_hue(hue_1, hue_2))  # eq. 14
    mean_light, mean_chroma = (light_1 + light_2) / 2, (chroma_1 + chroma_2) / 2
    weight_l, weight_c, weight_h, rotation = _weights(mean_light, mean_chroma, mean_hue)
    l_term, c_term, h_term = (light_2 - light_1) / weight_l, (chroma_2 - chroma_1) / weight_c, d_hue / weight_h
    square = l_term**2 + c_term**2 + h_term**2 + rotation * c_term * h_term  # eq. 22
    return np.sqrt(np.maximum(square, 0))


Pair = tuple[Floats, Floats]


def _lch(first: Floats, second: Floats) -> tuple[Pair, Pair, Pair]:
    """L, C' and h' (degrees) of both, with a* stretched for colours near grey: eq. 2 to 7."""
    (l_1, a_1, b_1), (l_2, a_2, b_2) = np.moveaxis(first, -1, 0), np.moveaxis(second, -1, 0)
    seventh = ((np.hypot(a_1, b_1) + np.hypot(a_2, b_2)) / 2) ** 7
    stretch = 1.5 - 0.5 * np.sqrt(seventh / (seventh + 25.0**7))
    a_1, a_2 = a_1 * stretch, a_2 * stretch
    hues = np.degrees(np.arctan2(b_1, a_1)) % 360, np.degrees(np.arctan2(b_2, a_2)) % 360
    return (l_1, l_2), (np.hypot(a_1, b_1), np.hypot(a_2, b_2)), hues


def _mean_hue(one: Floats, other: Floats) -> Floats:
    """Half way round the circle on the shorter side, in degrees."""
    mean = (one + other) / 2
    return np.where(np.abs(one - other) <= 180, mean, np.where(one + other < 360, mean + 180, mean - 180))


def _weights(light: Floats, chroma: Floats, hue: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """S_L, S_C, S_H and R_T: eq. 15 to 21."""
    t = (
        1
        - 0.17 * np.cos(np.radians(hue - 30))
        + 0.24 * np.cos(np.radians(2 * hue))
        + 0.32 * np.cos(np.radians(3 * hue + 6))
        - 0.20 * np.cos(np.radians(4 * hue - 63))
    )
    bend = 30 * np.exp(-(((hue - 275) / 25) ** 2))
    rotation = -np.sin(np.radians(2 * bend)) * 2 * np.sqrt(chroma**7 / (chroma**7 + 25.0**7))
    middle = (light - 50) ** 2
    return 1 + 0.015 * middle / np.sqrt(20 + middle), 1 + 0.045 * chroma, 1 + 0.015 * chroma * t, rotation
