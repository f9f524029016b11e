"""Pictures for a report: a part of a photo, enlarged, with outlines on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from media_worker import images
from media_worker.vision.arrays import Floats, Mask, Pixels
from media_worker.vision.nails import Nail
from protocol.messages import ImageFormat

Colour = tuple[int, int, int]
"""sRGB bytes."""

TRUE: Colour = (255, 255, 255)

SCALE: tuple[Colour, ...] = ((255, 64, 56), (255, 196, 0), (40, 220, 255))
"""Confidence 0, 0.5 and 1: red, amber, cyan stay apart for people who do not tell red from green."""

PANEL, FRAME = 560, 960
"""Longer side in pixels of a panel and of a whole frame: more than a page shows, for fine screens and to open alone."""

MARGIN = 0.35
"""Room round the nails, as a share of the longer side of their box."""

CONTEXT = 0.5
"""A view shows at least this share of the picture's shorter side: a nail alone could be anything."""

_FIXED_POINT = 16


@dataclass(frozen=True)
class View:
    """A rectangle of a picture, right and bottom exclusive, to be shown `longest` pixels long."""

    left: int
    top: int
    right: int
    bottom: int
    longest: int = PANEL

    @property
    def scale(self) -> float:
        return self.longest / max(self.right - self.left, self.bottom - self.top)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the panel."""
        width, height = self.right - self.left, self.bottom - self.top
        return max(round(width * self.scale), 1), max(round(height * self.scale), 1)

    def of(self, picture: Pixels) -> Pixels:
        """The panel, uint8 (h, w, 3)."""
        part = picture[self.top : self.bottom, self.left : self.right]
        interpolation = cv2.INTER_AREA if self.scale < 1 else cv2.INTER_CUBIC
        return cv2.resize(part, self.size, interpolation=interpolation).astype(np.uint8, copy=False)

    def points(self, outline: Floats) -> Floats:
        """Points of the picture in pixels of the panel."""
        return (outline - (self.left, self.top)) * self.scale


def view_of(points: Sequence[Floats], width: int, height: int) -> View:
    """The part of a picture round some (N, 2) points, 4:3 where there is room; all of it without any points."""
    if not points:
        return View(0, 0, width, height)
    stacked = np.clip(np.vstack(points), 0, (width, height))
    low, high = stacked.min(axis=0), stacked.max(axis=0)
    middle = (low + high) / 2
    half = np.maximum((high - low) / 2 + MARGIN * (high - low).max(), CONTEXT / 2 * min(width, height))
    half = np.maximum(half, (half[1], 0.75 * half[0]))
    left, top = np.clip(np.floor(middle - half), 0, (width - 1, height - 1)).astype(int)
    right, bottom = np.clip(np.ceil(middle + half), (left + 1, top + 1), (width, height)).astype(int)
    return View(int(left), int(top), int(right), int(bottom))


def with_nails(panel: Pixels, view: View, nails: Iterable[Nail]) -> Pixels:
    """The panel with outlines coloured by confidence."""
    return _outlined(panel, [(view.points(nail.outline), confidence_colour(nail.confidence)) for nail in nails])


def with_outlines(panel: Pixels, view: View, outlines: Iterable[Floats]) -> Pixels:
    """The panel with true outlines."""
    return _outlined(panel, [(view.points(points), TRUE) for points in outlines])


def mask_outlines(mask: Mask) -> list[Floats]:
    """Outlines of a mask's parts, float32 (N, 2) in pixels, between the pixels inside and those outside."""
    # enlarged, for findContours walks along the middles of the outermost pixels, half a pixel inside
    fine = cv2.resize(mask.astype(np.uint8), None, fx=4, fy=4, interpolation=cv2.INTER_NEAREST)
    contours, _ = cv2.findContours(fine, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return [(contour[:, 0].astype(np.float32) + 0.5) / 4 for contour in contours]


def confidence_colour(confidence: float) -> Colour:
    place = float(np.clip(confidence, 0, 1)) * (len(SCALE) - 1)
    index = min(int(place), len(SCALE) - 2)
    low, high = np.array(SCALE[index]), np.array(SCALE[index + 1])
    red, green, blue = (round(float(channel)) for channel in low + (high - low) * (place - index))
    return red, green, blue


def save(panel: Pixels, folder: Path, name: str) -> str:
    """Writes a JPEG and returns its name."""
    (folder / name).write_bytes(images.encode(panel, ImageFormat.JPEG, quality=88))
    return name


def _outlined(panel: Pixels, outlines: Iterable[tuple[Floats, Colour]]) -> Pixels:
    """Each line has a dark one under it, so that it shows on any skin."""
    drawn = panel.copy()
    for outline, colour in outlines:
        points = np.round((outline - 0.5) * _FIXED_POINT).astype(np.int32).reshape(-1, 1, 2)
        for thickness, ink in ((5, (20, 12, 14)), (3, colour)):
            cv2.polylines(drawn, [points], True, ink, thickness, cv2.LINE_AA, shift=4)
    return drawn
