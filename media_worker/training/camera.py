"""Light that falls otherwise, and what cameras do to a picture. sRGB bytes (H, W, 3) in and out."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.random import Generator

from media_worker.vision.arrays import Floats, Pixels

_GRID = 48
"""Light varies smoothly: it is made this small and enlarged."""


# --- light -----------------------------------------------------------------------------------------------------------
def relight(rgb: Pixels, rng: Generator) -> Pixels:
    """The scene under another lamp: from one side, warm or cool, too dim or too bright, shadows across, vignette."""
    height, width = rgb.shape[:2]
    gain = np.full((_GRID, _GRID), 2 ** rng.normal(0, 0.35), np.float32)
    y, x = (np.mgrid[0:_GRID, 0:_GRID] / ((_GRID - 1) / 2) - 1).astype(np.float32)
    if rng.random() < 0.6:
        angle = rng.uniform(0, 2 * np.pi)
        gain *= np.exp2((x * np.cos(angle) + y * np.sin(angle)) * rng.uniform(0.1, 0.9))
    if rng.random() < 0.35:
        gain *= _shadow(x, y, rng)
    if rng.random() < 0.3:
        gain *= 1 - np.float32(rng.uniform(0.1, 0.3)) * (x * x + y * y)
    if rng.random() < 0.15:  # a webcam in a dark room
        gain *= np.float32(2 ** rng.uniform(-3.5, -1))
    cast = _lamp(rng) if rng.random() < 0.6 else np.ones(3)
    coloured = np.sqrt(gain)[..., None] * np.sqrt(cast).astype(np.float32)  # gamma 2: a gain of light, for bytes
    full = cv2.resize(coloured.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    lit = cv2.multiply(rgb, full, dtype=cv2.CV_8U)
    return cv2.LUT(lit, _tone_curve(rng)).astype(np.uint8, copy=False)


def _shadow(x: Floats, y: Floats, rng: Generator) -> Floats:
    """A straight-edged shadow or a bar of one."""
    angle, middle = rng.uniform(0, 2 * np.pi), rng.uniform(-0.8, 0.8)
    along = x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle)) - np.float32(middle)
    if rng.random() < 0.5:
        along = np.float32(rng.uniform(0.1, 0.5)) - np.abs(along)
    dark = np.clip(along / np.float32(rng.uniform(0.06, 0.5)) + 0.5, 0, 1)
    gain: Floats = 1 - np.float32(rng.uniform(0.2, 0.75)) * dark
    return gain


def _lamp(rng: Generator) -> Floats:
    """(3,): colour of a lamp that the white balance missed. Candle to overcast sky, now and then a coloured LED."""
    warmth, tint = rng.normal(0, 0.3), rng.normal(0, 0.08)
    cast = np.exp2([warmth, tint, -warmth * 1.2])
    if rng.random() < 0.06:
        cast = np.exp2(rng.uniform(-1, 1, 3))
    return np.asarray(cast / cast.mean())


def _tone_curve(rng: Generator) -> Pixels:
    """(256,): contrast, gamma and raised blacks, as phones and webcams apply them."""
    at = np.linspace(0, 1, 256) ** np.exp2(rng.normal(0, 0.2))
    contrast = at + rng.uniform(-0.25, 0.45) * at * (1 - at) * (2 * at - 1)
    black = rng.uniform(0, 0.1) if rng.random() < 0.2 else 0.0
    curve: Pixels = np.clip(255 * (black + (1 - black) * contrast), 0, 255).astype(np.uint8)
    return curve


# --- cameras ---------------------------------------------------------------------------------------------------------
def degrade(rgb: Pixels, rng: Generator) -> Pixels:
    """Some of a camera's faults, in the order in which light meets them: lens, sensor, processing, compression."""
    for odds, fault in _FAULTS:
        if rng.random() < odds:
            rgb = fault(rgb, rng)
    return rgb.copy()


def _defocus(rgb: Pixels, rng: Generator) -> Pixels:
    return cv2.GaussianBlur(rgb, (0, 0), rng.uniform(0.4, 2.2)).astype(np.uint8, copy=False)


def _motion(rgb: Pixels, rng: Generator) -> Pixels:
    size = 2 * int(rng.integers(1, 6)) + 1
    kernel = np.zeros((size, size), np.float32)
    reach = size / 2 * np.array([np.cos(angle := rng.uniform(0, np.pi)), np.sin(angle)])
    middle = np.array([size // 2, size // 2])
    start, end = np.round(middle - reach).astype(int).tolist(), np.round(middle + reach).astype(int).tolist()
    cv2.line(kernel, start, end, 1.0, 1, cv2.LINE_AA)
    return cv2.filter2D(rgb, -1, kernel / kernel.sum()).astype(np.uint8, copy=False)


def _shrink(rgb: Pixels, rng: Generator) -> Pixels:
    """Fewer pixels than the picture has, as when a stream is scaled down and up again."""
    height, width = rgb.shape[:2]
    scale = rng.uniform(0.3, 0.9)
    size = max(round(width * scale), 8), max(round(height * scale), 8)
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    enlarge = int(rng.choice([cv2.INTER_LINEAR, cv2.INTER_CUBIC]))
    return cv2.resize(small, (width, height), interpolation=enlarge).astype(np.uint8, copy=False)


def _noise(rgb: Pixels, rng: Generator) -> Pixels:
    """Grain, finer or coarser, in brightness and a little in colour."""
    height, width = rgb.shape[:2]
    coarse = rng.uniform(1, 2.5) if rng.random() < 0.4 else 1.0
    shape = int(height / coarse) + 1, int(width / coarse) + 1
    sigma = rng.uniform(1, 12) if rng.random() < 0.7 else rng.uniform(8, 22)
    grey = rng.standard_normal(shape, np.float32)[..., None]
    grain = rng.standard_normal((*shape, 3), np.float32) * np.float32(rng.uniform(0.2, 0.9)) + grey
    full = cv2.resize(grain, (width, height), interpolation=cv2.INTER_LINEAR)
    return cv2.addWeighted(rgb, 1, full, sigma / 1.2, 0, dtype=cv2.CV_8U).astype(np.uint8, copy=False)


def _sharpen(rgb: Pixels, rng: Generator) -> Pixels:
    """With the bright and dark seams along edges that phones make."""
    soft = cv2.GaussianBlur(rgb, (0, 0), rng.uniform(0.8, 2.0))
    amount = rng.uniform(0.3, 1.8)
    return cv2.addWeighted(rgb, 1 + amount, soft, -amount, 0).astype(np.uint8, copy=False)


def _compress(rgb: Pixels, rng: Generator) -> Pixels:
    quality = int(rng.integers(30, 96))
    packed = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    decoded = cv2.imdecode(packed, cv2.IMREAD_COLOR)
    assert decoded is not None
    return np.ascontiguousarray(decoded[..., ::-1])


_FAULTS: tuple[tuple[float, Callable[[Pixels, Generator], Pixels]], ...] = (
    (0.3, _defocus),
    (0.2, _motion),
    (0.25, _shrink),
    (0.6, _noise),
    (0.3, _sharpen),
    (0.7, _compress),
)
