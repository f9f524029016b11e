"""Square pictures of one expected nail each, upright: what the nail network sees, in training as in use."""

from __future__ import annotations

import cv2
import numpy as np

from media_worker.vision.arrays import Floats, Pixels
from media_worker.vision.finder import Guess

SPAN = 2.2
"""Side of a crop in lengths of the expected nail: room for a nail twice as long, and for the finger around it."""


class Pyramid:
    """A picture, uint8 (H, W, 3), and its halves, made when they are first needed: shrinking must not alias."""

    def __init__(self, rgb: Pixels) -> None:
        self._levels = [rgb]

    def level(self, index: int) -> Pixels:
        while len(self._levels) <= index:
            height, width = self._levels[-1].shape[:2]
            half = (max(width // 2, 1), max(height // 2, 1))
            smaller = cv2.resize(self._levels[-1], half, interpolation=cv2.INTER_AREA)
            self._levels.append(smaller.astype(np.uint8, copy=False))
        return self._levels[index]

    def warp(self, matrix: Floats, size: int, border: int = cv2.BORDER_REFLECT_101) -> Pixels:
        """A (size, size, 3) picture; `matrix`, (2, 3), maps pixels of the frame to pixels of the crop."""
        scale = max(float(np.hypot(matrix[0, 0], matrix[1, 0])), 1e-6)
        index = max(0, int(np.floor(np.log2(1 / scale) + 0.25))) if scale < 1 else 0
        picture = self.level(index)
        ratio = np.array(self._levels[0].shape[1::-1]) / picture.shape[1::-1]
        turn = matrix[:, :2] * ratio
        # OpenCV counts from the middle of the first pixel, everything else here from its corner
        shift = matrix[:, 2] + turn @ (0.5, 0.5) - 0.5
        whole = np.column_stack([turn, shift])
        crop = cv2.warpAffine(picture, whole, (size, size), flags=cv2.INTER_LINEAR, borderMode=border)
        return crop.astype(np.uint8, copy=False)


def crop_matrix(guess: Guess, size: int, span: float = SPAN) -> Floats:
    """(2, 3): pixels of the frame → pixels of a crop of `size`, the guess in its middle, free edge up."""
    length = max(guess.length, 1.0)
    ux, uy = guess.along / length
    scale = size / (span * length)
    turn = np.array([[-uy, ux], [-ux, -uy]], np.float64) * scale
    shift = size / 2 - turn @ np.asarray(guess.centre, np.float64)
    return np.column_stack([turn, shift])
