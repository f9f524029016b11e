"""What lies behind hands: textures made on the spot, and photos freed of their laboratory cloth."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator

from media_worker.vision.arrays import Floats, Pixels

CLOTH_HUES = (98, 135)
"""OpenCV's hues (half degrees) of the blue cloth under the fingers of `nails/lab_*`."""

CLOTH_SATURATION = 70


def texture(height: int, width: int, rng: Generator) -> Pixels:
    """uint8 (H, W, 3): a colour, a few octaves of noise, and often some plain shapes."""
    canvas = np.zeros((height, width, 3), np.float32) + rng.uniform(0, 255, 3).astype(np.float32)
    for _ in range(rng.integers(1, 5)):
        cells = int(2 ** rng.uniform(1, 6.5))
        noise = rng.normal(0, 1, (cells, cells, 3 if rng.random() < 0.4 else 1)).astype(np.float32)
        smoothness = int(rng.choice([cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_CUBIC]))
        canvas += cv2.resize(noise, (width, height), interpolation=smoothness).reshape(height, width, -1) * rng.uniform(
            5, 50
        )
    if rng.random() < 0.5:
        _draw_shapes(canvas, rng)
    return np.clip(canvas, 0, 255).astype(np.uint8)


def _draw_shapes(canvas: Floats, rng: Generator) -> None:
    height, width = canvas.shape[:2]
    for _ in range(rng.integers(1, 12)):
        colour = tuple(float(value) for value in rng.uniform(0, 255, 3))
        (x, y), (u, v) = rng.integers((-20, -20), (width + 20, height + 20), (2, 2)).tolist()
        kind = rng.random()
        if kind < 0.4:
            cv2.rectangle(canvas, (x, y), (u, v), colour, -1)
        elif kind < 0.8:
            axes = rng.integers(3, max(min(height, width) // 3, 4), 2).tolist()
            cv2.ellipse(canvas, (x, y), axes, float(rng.uniform(0, 180)), 0, 360, colour, -1)
        else:
            cv2.line(canvas, (x, y), (u, v), colour, int(rng.integers(1, 8)))


def replace_cloth(rgb: Pixels, rng: Generator) -> Pixels:
    """The picture with another background where the blue cloth was."""
    hue, saturation, _ = cv2.split(cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV))
    cloth = (hue > CLOTH_HUES[0]) & (hue < CLOTH_HUES[1]) & (saturation > CLOTH_SATURATION)
    closed = cv2.morphologyEx(cloth.astype(np.float32), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    share = cv2.GaussianBlur(closed, (0, 0), 0.8)[..., None]
    height, width = rgb.shape[:2]
    return (rgb * (1 - share) + texture(height, width, rng) * share).astype(np.uint8)
