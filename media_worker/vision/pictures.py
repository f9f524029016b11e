"""What vision sees: one frame, in the layout that it came in. Only the parts that are looked at become RGB."""

from __future__ import annotations

from abc import ABC, abstractmethod

import cv2
import numpy as np

from media_worker.vision.arrays import Floats, Pixels
from media_worker.vision.pyramids import Pyramid

TO_RGB = np.array([[1.164383, 0, 1.596027], [1.164383, -0.391762, -0.812968], [1.164383, 2.017232, 0]])
"""Y′CbCr of limited range → R′G′B′, both 0–255 (ITU-R BT.601): what browsers send, and what OpenCV takes I420 for."""

BLACK = (16, 128, 128)
"""Y, U and V of black."""


class Picture(ABC):
    """One frame. Whoever keeps an array of it copies it: the frame may be painted later."""

    width: int
    height: int

    @property
    @abstractmethod
    def luma(self) -> Pixels:
        """uint8 (H, W): Y′ of BT.601, 16 for black and 235 for white."""

    @abstractmethod
    def resized(self, longest: int) -> Pixels:
        """The whole as RGB, uint8 (h, w, 3), its longer side `longest` pixels."""

    @abstractmethod
    def warp(self, matrix: Floats, size: int, border: int = cv2.BORDER_REFLECT_101) -> Pixels:
        """A part as RGB, uint8 (size, size, 3); `matrix`, (2, 3), maps pixels of the frame to pixels of the part.

        `border`: how the frame goes on beyond its edge, by default mirrored.
        """

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.width, self.height

    def small(self, longest: int) -> Pixels:
        """As `resized`, but never larger than the frame."""
        return self.resized(min(longest, max(self.size)))

    def _resized_size(self, longest: int) -> tuple[int, int]:
        scale = longest / max(self.size)
        return max(round(self.width * scale), 1), max(round(self.height * scale), 1)


class RgbPicture(Picture):
    """uint8 (H, W, 3), sRGB."""

    def __init__(self, rgb: Pixels) -> None:
        self.height, self.width = rgb.shape[:2]
        self._rgb = rgb
        self._pyramid = Pyramid(rgb)

    @property
    def luma(self) -> Pixels:
        grey = cv2.cvtColor(self._rgb, cv2.COLOR_RGB2GRAY)
        return cv2.convertScaleAbs(grey, alpha=219 / 255, beta=16).astype(np.uint8, copy=False)

    def resized(self, longest: int) -> Pixels:
        return _resize(self._rgb, self._resized_size(longest))

    def warp(self, matrix: Floats, size: int, border: int = cv2.BORDER_REFLECT_101) -> Pixels:
        return self._pyramid.warp(matrix, size, border)


class I420Picture(Picture):
    """uint8 (H·3/2, W) with even H and W, as `VideoFrame.to_ndarray()` gives for yuv420p; BT.601, limited range.

    A chroma pixel lies in the middle of its four luma pixels, where WebRTC's libyuv and OpenCV put it.
    """

    def __init__(self, i420: Pixels) -> None:
        self.height, self.width = i420.shape[0] * 2 // 3, i420.shape[1]
        chroma = i420[self.height :].reshape(2, self.height // 2, self.width // 2)
        self._planes = i420[: self.height], chroma[0], chroma[1]
        self._pyramids = [Pyramid(plane) for plane in self._planes]

    @property
    def luma(self) -> Pixels:
        return self._planes[0]

    def resized(self, longest: int) -> Pixels:
        size = self._resized_size(longest)
        return _to_rgb([_resize(plane, size) for plane in self._planes])

    def warp(self, matrix: Floats, size: int, border: int = cv2.BORDER_REFLECT_101) -> Pixels:
        of_chroma = np.column_stack([2 * matrix[:, :2], matrix[:, 2]])
        matrices = matrix, of_chroma, of_chroma
        parts = zip(self._pyramids, matrices, strict=True)
        return _to_rgb([pyramid.warp(each, size, border) for pyramid, each in parts])


def _resize(picture: Pixels, size: tuple[int, int]) -> Pixels:
    if picture.shape[1::-1] == size:
        return picture
    shrinks = size[0] < picture.shape[1]
    resized = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return resized.astype(np.uint8, copy=False)


def _to_rgb(planes: list[Pixels]) -> Pixels:
    """Y, U and V of one size."""
    matrix = np.column_stack([TO_RGB, -TO_RGB @ BLACK])
    return cv2.transform(cv2.merge(planes), matrix).astype(np.uint8, copy=False)
