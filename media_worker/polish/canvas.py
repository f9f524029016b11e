"""The frame that is painted, seen through small patches: RGB of a photo, or the three planes of a stream's I420.

What is not painted keeps its exact bytes, and no more of a frame is converted than is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from media_worker.vision.arrays import Floats, Pixels
from media_worker.vision.pictures import BLACK, TO_RGB

OVERVIEW = 40
"""Pixels along the longer side of an overview; a few more where it does not divide evenly."""


@dataclass(frozen=True)
class Patch:
    """A rectangle of a frame, right and bottom exclusive. On planes all four are even, as 4:2:0 chroma needs."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def corner(self) -> Floats:
        """(2,) left and top."""
        return np.array([self.left, self.top], np.float32)

    @property
    def slices(self) -> tuple[slice, slice]:
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def slices_of(self, larger: Patch) -> tuple[slice, slice]:
        """Rows and columns of a larger patch that this one is."""
        top, left = self.top - larger.top, self.left - larger.left
        return slice(top, top + self.height), slice(left, left + self.width)

    @classmethod
    def around(cls, points: Floats, width: int, height: int, *, margin: int = 2, left: int = 0) -> Patch | None:
        """The rectangle round (N, 2) points, cut to the frame and to what lies right of column `left`.

        Its sides are even except where it ends at the border of a frame that is odd. None where hardly anything of it
        is in the frame.
        """
        x, y, across, down = cv2.boundingRect(points)  # of whole pixels
        x0, y0 = max(x - margin, left, 0) & ~1, max(y - margin, 0) & ~1
        x1, y1 = min((x + across + margin + 2) & ~1, width), min((y + down + margin + 2) & ~1, height)
        return cls(x0, y0, x1, y1) if x1 - x0 >= 4 and y1 - y0 >= 4 else None


class Canvas(Protocol):
    """A frame to paint on."""

    width: int
    height: int

    def read(self, patch: Patch) -> Pixels:
        """A copy, uint8 (h, w, 3) sRGB."""
        ...

    def write(self, patch: Patch, before: Pixels, after: Pixels) -> None:
        """`before` is what `read` gave; where `after` is equal to it, the frame stays as it is."""
        ...

    def sample(self, x: Floats, y: Floats) -> Pixels:
        """uint8 (h, w, 3) sRGB at points of the frame, float32 (h, w) each; beyond the border its last pixel."""
        ...

    def overview(self) -> Pixels:
        """uint8 (h, w, 3) sRGB: every k-th pixel of every k-th row, about OVERVIEW along the longer side."""
        ...


class RgbCanvas:
    """Paints into uint8 (H, W, 3), sRGB, in place."""

    def __init__(self, rgb: Pixels) -> None:
        self.height, self.width = rgb.shape[:2]
        self._rgb = rgb

    def read(self, patch: Patch) -> Pixels:
        return np.ascontiguousarray(self._rgb[patch.slices]).copy()

    def write(self, patch: Patch, before: Pixels, after: Pixels) -> None:
        self._rgb[patch.slices] = after

    def sample(self, x: Floats, y: Floats) -> Pixels:
        return _look_up(self._rgb, x, y)

    def overview(self) -> Pixels:
        step = max(max(self.width, self.height) // OVERVIEW, 1)
        return self._rgb[step // 2 :: step, step // 2 :: step]


class I420Canvas:
    """Paints into uint8 (H·3/2, W) in place: BT.601, limited range, as WebRTC codecs carry it (RFC 7742 §2)."""

    def __init__(self, i420: Pixels) -> None:
        rows, self.width = i420.shape
        self.height = rows * 2 // 3
        self._luma = i420[: self.height]
        self._chroma = i420[self.height :].reshape(2, self.height // 2, self.width // 2)

    def read(self, patch: Patch) -> Pixels:
        return cv2.cvtColor(self._cut(patch), cv2.COLOR_YUV2RGB_I420).astype(np.uint8, copy=False)

    def write(self, patch: Patch, before: Pixels, after: Pixels) -> None:
        """Only the difference that paint makes is added to the planes."""
        old, new = _to_i420(before), _to_i420(after)
        painted = cv2.subtract(cv2.add(self._cut(patch), cv2.subtract(new, old)), cv2.subtract(old, new))
        luma, chroma = self._parts(patch)
        luma[...], chroma[...] = painted[: patch.height], painted[patch.height :].reshape(chroma.shape)

    def sample(self, x: Floats, y: Floats) -> Pixels:
        u, v = x / 2, y / 2
        return _to_rgb([_look_up(self._luma, x, y), *(_look_up(plane, u, v) for plane in self._chroma)])

    def overview(self) -> Pixels:
        step = max(max(self.width, self.height) // OVERVIEW // 2, 1)
        small = [plane[step // 2 :: step, step // 2 :: step] for plane in (self._luma[::2, ::2], *self._chroma)]
        return _to_rgb([np.ascontiguousarray(plane) for plane in small])

    def _cut(self, patch: Patch) -> Pixels:
        """A copy of a patch, I420 itself."""
        luma, chroma = self._parts(patch)
        cut = np.empty((patch.height * 3 // 2, patch.width), np.uint8)
        cut[: patch.height], cut[patch.height :].reshape(chroma.shape)[...] = luma, chroma
        return cut

    def _parts(self, patch: Patch) -> tuple[Pixels, Pixels]:
        """Views of a patch: Y (h, w), and U and V (2, h/2, w/2)."""
        x, y = slice(patch.left // 2, patch.right // 2), slice(patch.top // 2, patch.bottom // 2)
        return self._luma[patch.slices], self._chroma[:, y, x]


def _to_i420(rgb: Pixels) -> Pixels:
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420).astype(np.uint8, copy=False)


_PLANES_TO_RGB = np.column_stack([TO_RGB, -TO_RGB @ BLACK])


def _to_rgb(planes: list[Pixels]) -> Pixels:
    """Y, U and V of one size."""
    return cv2.transform(cv2.merge(planes), _PLANES_TO_RGB).astype(np.uint8, copy=False)


def _look_up(plane: Pixels, x: Floats, y: Floats) -> Pixels:
    """Between pixels, whose middles lie at 0.5, 1.5, …"""
    half = np.float32(0.5)
    looked = cv2.remap(plane, x - half, y - half, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return looked.astype(np.uint8, copy=False)
