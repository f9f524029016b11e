"""Warping pictures without aliasing, and without losing half a pixel."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from media_worker.vision.arrays import Floats, Pixels

Labels = NDArray[np.int16]


class Pyramid:
    """A picture, uint8 (H, W) or (H, W, C), and its halves, made when they are first needed."""

    def __init__(self, picture: Pixels) -> None:
        self._levels = [picture]

    def level(self, index: int) -> Pixels:
        while len(self._levels) <= index:
            height, width = self._levels[-1].shape[:2]
            half = (max(width // 2, 1), max(height // 2, 1))
            smaller = cv2.resize(self._levels[-1], half, interpolation=cv2.INTER_AREA)
            self._levels.append(smaller.astype(np.uint8, copy=False))
        return self._levels[index]

    def warp(self, matrix: Floats, size: int, border: int = cv2.BORDER_REFLECT_101) -> Pixels:
        """A square of `size` pixels; `matrix`, (2, 3), maps pixels of the picture to pixels of the square."""
        scale = max(float(np.hypot(matrix[0, 0], matrix[1, 0])), 1e-6)
        index = max(0, int(np.floor(np.log2(1 / scale) + 0.25))) if scale < 1 else 0
        picture = self.level(index)
        if index:
            ratio = np.array(self._levels[0].shape[1::-1]) / picture.shape[1::-1]
            matrix = np.column_stack([matrix[:, :2] * ratio, matrix[:, 2]])
        whole = between_middles(matrix)
        warped = cv2.warpAffine(picture, whole, (size, size), flags=cv2.INTER_LINEAR, borderMode=border)
        return warped.astype(np.uint8, copy=False)


def upright(centre: Floats, up: Floats, side: float, size: int) -> Floats:
    """(2, 3): pixels of a picture → pixels of a square of `size` that shows `side` pixels round `centre`.

    `up`, (2,) of length 1, points up in it.
    """
    scale = size / side
    turn = np.array([[-up[1], up[0]], [-up[0], -up[1]]], np.float64) * scale
    shift = size / 2 - turn @ np.asarray(centre, np.float64)
    return np.column_stack([turn, shift])


def warp_labels(labels: Labels, matrix: Floats, size: int) -> Labels:
    """A square of `size` labels, each that of the nearest pixel; 0 outside. `matrix` as in `Pyramid.warp`."""
    whole = between_middles(matrix)
    warped = cv2.warpAffine(labels, whole, (size, size), flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT)
    return warped.astype(np.int16, copy=False)


def between_middles(matrix: Floats) -> Floats:
    """OpenCV counts from the middle of the first pixel, everything else here from its corner."""
    return np.column_stack([matrix[:, :2], matrix[:, 2] + matrix[:, :2] @ (0.5, 0.5) - 0.5])
