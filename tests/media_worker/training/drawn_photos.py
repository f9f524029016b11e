"""Photos to train on that nobody had to take, and networks that read the truth off them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from media_worker.drawn_hand import Drawing, Scene, draw
from media_worker.training.photos import Photo, measured
from media_worker.vision.arrays import Floats, Mask, Pixels
from media_worker.vision.networks import MAP_STRIDE, UNIT_LENGTH, CropOutput, MapOutput

SCENE = Scene(width=480, height=360, noise=1)

FREE_EDGE, CUTICLE = (255, 0, 0), (0, 255, 0)
"""Colours of a two-coloured nail's halves, so that its direction can be seen."""


def write(folder: Path, drawings: Sequence[Drawing]) -> Path:
    """`folder`/images and `folder`/masks."""
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for index, drawing in enumerate(drawings):
        save(folder / "images" / f"hand_{index}.png", drawing.rgb)
        cv2.imwrite(str(folder / "masks" / f"hand_{index}.png"), drawing.mask())
    return folder


def hands(count: int) -> list[Drawing]:
    return [draw(SCENE, index * 0.7) for index in range(count)]


def save(path: Path, rgb: Pixels) -> None:
    cv2.imwrite(str(path), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))


def arrow() -> Photo:
    """One nail, a triangle of 80 by 36 pixels: thick at the cuticle, pointed at the free edge, which lies to the right.

    Where it points can be told from its pixels alone.
    """
    labels = np.zeros((300, 400), np.int16)
    cv2.fillPoly(labels, [np.array([(160, 132), (160, 168), (240, 150)], np.int32)], 1)
    rgb = np.full((300, 400, 3), (205, 152, 124), np.uint8)
    rgb[labels > 0] = (230, 190, 180)
    return Photo("arrow", rgb, labels, [measured(labels, 1, np.array([1.0, 0.0]))])


def pointing(mask: Floats | Pixels) -> Floats:
    """(2,) unit vector from an arrow's thick end to its point, from its mask (H, W) alone."""
    y, x = np.nonzero(mask > mask.max() / 2)
    points = np.stack([x, y], axis=1) - (x.mean(), y.mean())
    axis = np.linalg.svd(points, full_matrices=False)[2][0]
    return np.asarray(axis * np.sign(((points @ axis) ** 3).sum()))


def two_coloured(*nails: tuple[float, float, float], size: tuple[int, int] = (320, 240)) -> Pixels:
    """A grey picture of `size` (width, height) with nails of 40 by 28 pixels at (x, y, degrees); 0° points up."""
    rgb = np.full((size[1], size[0], 3), 90, np.uint8)
    for x, y, degrees in nails:
        for colour, start in ((CUTICLE, 0), (FREE_EDGE, 180)):
            cv2.ellipse(rgb, (int(x), int(y)), (14, 20), degrees, start, start + 180, colour, -1)
    return rgb


def coloured(rgb: Pixels) -> Mask:
    """bool (H, W): what is nail, in pictures without other colours as strong."""
    return np.asarray(np.ptp(rgb.astype(int), axis=2) > 100)


def along_of(rgb: Pixels, nail: Mask) -> Floats:
    """(2,) unit vector from the cuticle's colour to the free edge's; upwards where a nail has one colour."""
    red, green = (nail & (rgb[..., k] > 150) for k in (0, 1))
    if not (red & ~green).any() or not (green & ~red).any():
        return np.array([0.0, -1.0])
    away = np.argwhere(red).mean(axis=0)[::-1] - np.argwhere(green).mean(axis=0)[::-1]
    return np.asarray(away / np.hypot(*away))


class TrueCrops:
    """A crop network that knows nails by their colour."""

    def __call__(self, crops: Sequence[Pixels]) -> CropOutput:
        masks = [_middle_part(coloured(crop)) for crop in crops]
        logits = [cv2.resize(12 * mask.astype(np.float32) - 6, None, fx=0.5, fy=0.5) for mask in masks]
        presence = np.array([8.0 if mask.any() else -8.0 for mask in masks])
        along = [along_of(crop, mask) for crop, mask in zip(crops, masks, strict=True)]
        return CropOutput(np.stack(logits), presence, np.stack(along))


class TrueMap:
    """A map network that knows nails by their colour."""

    def __call__(self, rgb: Pixels) -> MapOutput:
        cells = rgb.shape[0] // MAP_STRIDE, rgb.shape[1] // MAP_STRIDE
        output = MapOutput(np.full(cells, -9.0), np.full(cells, -9.0), np.zeros((2, *cells)), np.zeros(cells))
        count, parts = cv2.connectedComponents(coloured(rgb).astype(np.uint8))
        for part in range(1, count):
            inside = parts == part
            if np.count_nonzero(inside) < 20:
                continue
            nail = measured(inside.astype(np.int16), 1, along_of(rgb, inside))
            x, y = (nail.centre / MAP_STRIDE).astype(int)
            output.heat[y, x] = 4.0
            output.along[:, y, x] = nail.along
            output.log_length[y, x] = np.log(np.hypot(*nail.along) / UNIT_LENGTH)
        return output


def _middle_part(mask: Mask) -> Mask:
    """The part of a crop's mask that reaches nearest to its middle, if it does so at all."""
    size = len(mask)
    _, parts = cv2.connectedComponents(mask.astype(np.uint8))
    middle = parts[size // 3 : -size // 3, size // 3 : -size // 3]
    inside = middle[middle > 0]
    return np.asarray(parts == np.bincount(inside).argmax()) if inside.size else np.zeros_like(mask)
