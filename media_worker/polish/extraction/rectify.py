"""A nail of a picture laid out flat: the inverse of `nail_space`, so that what is worn lies where it was seen."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from media_worker.polish.nail_space import NailSpace
from media_worker.vision.arrays import Floats, Mask, Pixels
from media_worker.vision.nails import Nail
from protocol.nail_sets import NAIL_SIZE

INSET = 0.06
"""Share of a nail's width that is left out along its outline: skin shines through, and outlines are a bit off."""

EVENED = 0.6
"""Share of their difference that is taken from the curves of the two ends."""

APART = 0.15
"""Share of a nail's width from what is inside to what is beside it for certain."""

SMALLEST_SHARE = 0.1
"""Of the flat nail that has to be seen; from less nobody could tell what it wears."""


@dataclass(frozen=True)
class FlatNail:
    """One nail in nail coordinates: u −1 to 1 from left to right, v from the cuticle at the top to the free edge."""

    rgb: Pixels
    """(NAIL_SIZE, NAIL_SIZE, 3) sRGB as photographed; what lies beyond the nail is meaningless."""
    inside: Mask
    """(NAIL_SIZE, NAIL_SIZE): well inside of the nail and of the picture."""
    beside: Pixels
    """(NAIL_SIZE, 2, 3) sRGB of what lies to the left and to the right of each row: skin, or background."""
    scale: float
    """Pixels of the photo per pixel of `rgb`; below 1 it was enlarged."""


def flatten(rgb: Pixels, nail: Nail) -> FlatNail | None:
    """Cuts a nail out of a picture, uint8 (H, W, 3). None where hardly anything of it is in the picture."""
    space = _evened(NailSpace.of(nail.outline, nail.axis))
    points = _points(space)
    inside = _inside(points, nail, rgb.shape[1], rgb.shape[0])
    if np.count_nonzero(inside) < SMALLEST_SHARE * inside.size:
        return None
    length = float(np.hypot(*(nail.axis[1] - nail.axis[0])))
    scale = (length + nail.width) / 2 / NAIL_SIZE
    return FlatNail(_resampled(rgb, points, scale), inside, _beside(rgb, space, inside, scale), scale)


def _evened(space: NailSpace) -> NailSpace:
    """With the curves of both ends nearer to each other, as they are on most nails: an outline tells them badly."""
    middle = (space.cuticle_curve + space.edge_curve) / 2
    cuticle, edge = (curve + EVENED * (middle - curve) for curve in (space.cuticle_curve, space.edge_curve))
    return replace(space, cuticle_curve=cuticle, edge_curve=edge)


def _points(space: NailSpace) -> Floats:
    """(NAIL_SIZE, NAIL_SIZE, 2) points of the picture under the middles of the flat nail's pixels."""
    centres = (np.arange(NAIL_SIZE, dtype=np.float32) + 0.5) / NAIL_SIZE
    v, u = np.meshgrid(centres, 2 * centres - 1, indexing="ij")
    return np.stack(space.pixels(u, v), axis=2).astype(np.float32)


def _inside(points: Floats, nail: Nail, width: int, height: int) -> Mask:
    """What lies in the outline, INSET away from it, and in the picture."""
    low = points.min(axis=(0, 1)) - 2
    zoom = 2 * NAIL_SIZE / max(float((points.max(axis=(0, 1)) + 2 - low).max()), 1e-6)
    corners = np.round((nail.outline - low) * zoom * 16).astype(np.int32)
    filled = np.zeros((2 * NAIL_SIZE + 2, 2 * NAIL_SIZE + 2), np.uint8)
    cv2.fillPoly(filled, [corners], 1, shift=4)
    depth = cv2.distanceTransform(filled, cv2.DIST_L2, 3)
    x, y = cv2.split(((points - low) * zoom).astype(np.float32))
    core = cv2.remap(depth, x, y, cv2.INTER_LINEAR) > INSET * nail.width * zoom
    seen = (points >= 0).all(axis=2) & (points <= (width, height)).all(axis=2)
    return core & seen


def _beside(rgb: Pixels, space: NailSpace, inside: Mask, scale: float) -> Pixels:
    """What lies APART from both ends of each row; of rows that are not inside at all, beyond the widest."""
    rows = inside.any(axis=1)
    left = np.where(rows, inside.argmax(axis=1), 0)
    right = np.where(rows, NAIL_SIZE - 1 - inside[:, ::-1].argmax(axis=1), NAIL_SIZE - 1)
    ends = np.stack([left - APART * NAIL_SIZE, right + APART * NAIL_SIZE], axis=1)
    v = np.repeat(((np.arange(NAIL_SIZE) + 0.5) / NAIL_SIZE)[:, None], 2, axis=1)
    points = np.stack(space.pixels(2 * (ends + 0.5) / NAIL_SIZE - 1, v), axis=2).astype(np.float32)
    return cv2.blur(_resampled(rgb, points, scale), (1, 9)).astype(np.uint8, copy=False)


def _resampled(rgb: Pixels, points: Floats, scale: float) -> Pixels:
    """The picture under the points; where it is finer than they are, averaged down first, or they would pick noise."""
    whole, low = window(rgb, points)
    part = whole
    if scale > 1:
        width, height = (max(round(side / scale), 1) for side in whole.shape[1::-1])
        part = cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    place = (points - low) * (np.array(part.shape[1::-1]) / whole.shape[1::-1]) - 0.5
    x, y = cv2.split(place.astype(np.float32))
    return cv2.remap(part, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.uint8, copy=False)


def window(rgb: Pixels, points: Floats) -> tuple[Pixels, Floats]:
    """The part of a picture that holds (…, 2) points, and its corner (2,); never empty."""
    size = np.array(rgb.shape[1::-1])
    flat = points.reshape(-1, 2)
    low = np.clip(np.floor(flat.min(axis=0)) - 2, 0, size - 1).astype(int)
    high = np.clip(np.ceil(flat.max(axis=0)) + 2, low + 1, size).astype(int)
    return rgb[low[1] : high[1], low[0] : high[0]], low
