"""Training samples for the map network: windows of whole pictures, at scales at which nails are 9 to 55 pixels long."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from media_worker.training.backgrounds import replace_cloth, texture
from media_worker.training.photos import UNKNOWN, Photo
from media_worker.training.recolour import degrade, recolour_nails, relight, retone_skin
from media_worker.vision.arrays import Floats, Pixels
from media_worker.vision.networks import MAP_STRIDE, UNIT_LENGTH
from media_worker.vision.pyramids import Pyramid, warp_labels

SHORTEST, LONGEST = 9, 55
"""Nail lengths in a window, pixels."""


@dataclass(frozen=True)
class MapSample:
    """A window of S x S pixels; maps of (S/4, S/4) cells."""

    rgb: Pixels
    heat: Floats
    """1 at nails' middles, falling off as Gaussians."""
    mask: Floats
    """Share of each cell that is nail."""
    known: Floats
    """1 where heat and mask can be trusted, else 0."""
    along: Floats
    """(2, S/4, S/4) unit vectors near nails' middles, where `directed`."""
    directed: Floats
    log_length: Floats
    near: Floats
    """1 near nails' middles, where `log_length` holds."""


def window(photo: Photo, size: int, rng: Generator) -> MapSample:
    """A random window, turned and scaled, its skin, polish, light, background and camera perhaps others'."""
    matrix, scale = _view(photo, size, rng)
    outside = rng.random() < 0.6 or photo.on_blue_cloth
    source = replace_cloth(photo.rgb, rng) if photo.on_blue_cloth and rng.random() < 0.7 else photo.rgb
    rgb = Pyramid(source).warp(matrix, size, cv2.BORDER_CONSTANT if outside else cv2.BORDER_REPLICATE)
    if outside:
        inside = Pyramid(np.full(photo.labels.shape, 255, np.uint8)).warp(matrix, size, cv2.BORDER_CONSTANT)
        share = cv2.GaussianBlur(inside, (0, 0), 0.7)[..., None] / 255.0
        rgb = (rgb * share + texture(size, size, rng) * (1 - share)).astype(np.uint8)
    labels = warp_labels(photo.labels, matrix, size)
    if rng.random() < 0.35:
        rgb = retone_skin(rgb, rng, np.maximum(labels, 0))
    if rng.random() < 0.4:
        rgb = recolour_nails(rgb, np.maximum(labels, 0), None, rng)
    rgb = degrade(relight(rgb, rng), rng)
    return _with_targets(photo, rgb, labels, matrix, scale)


def _view(photo: Photo, size: int, rng: Generator) -> tuple[Floats, float]:
    """(2, 3) photo → window, and its scale."""
    height, width = photo.labels.shape
    if photo.nails:
        nail = photo.nails[rng.integers(len(photo.nails))]
        scale = float(np.exp(rng.uniform(np.log(SHORTEST), np.log(LONGEST))) / np.hypot(*nail.along))
        near = nail.centre + rng.uniform(-0.45, 0.45, 2) * size / scale
        centre = near if rng.random() < 0.85 else rng.uniform(0, 1, 2) * (width, height)
    else:
        scale = float(np.exp(rng.uniform(np.log(0.5), np.log(2.5))) * size / max(height, width))
        centre = rng.uniform(0, 1, 2) * (width, height)
    angle = rng.uniform(-np.pi, np.pi) if rng.random() < 0.5 else rng.normal(0, 0.3)
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[cos, -sin], [sin, cos]]) * scale
    if rng.random() < 0.5:
        turn[0] = -turn[0]
    return np.column_stack([turn, size / 2 - turn @ centre]), scale


def _with_targets(photo: Photo, rgb: Pixels, labels: NDArray[np.int16], matrix: Floats, scale: float) -> MapSample:
    cells = rgb.shape[0] // MAP_STRIDE
    y, x = np.mgrid[0:cells, 0:cells] + 0.5
    heat, log_length, near, directed = (np.zeros((cells, cells), np.float32) for _ in range(4))
    along = np.zeros((2, cells, cells), np.float32)
    closest = np.full((cells, cells), np.inf)
    for nail in photo.nails:
        centre = (matrix[:, :2] @ nail.centre + matrix[:, 2]) / MAP_STRIDE
        if not (-3 < centre[0] < cells + 3 and -3 < centre[1] < cells + 3):
            continue
        pixels = float(np.hypot(*nail.along)) * scale
        length = pixels / MAP_STRIDE
        distance = np.hypot(x - centre[0], y - centre[1])
        blob = np.exp(-0.5 * (distance / max(0.75, 0.16 * length)) ** 2)
        if blob.max() > 0.2:  # its middle is in the window, and its nearest cell is the one to find
            blob /= blob.max()
        heat = np.maximum(heat, blob).astype(np.float32)
        here = (distance < max(1.2, 0.3 * length)) & (distance < closest)
        closest[here], near[here], directed[here] = distance[here], 1, float(nail.directed)
        log_length[here] = np.log(pixels / UNIT_LENGTH)
        direction = matrix[:, :2] @ nail.along / pixels
        along[:, here] = direction[:, None] if nail.directed else 0
    mask = _per_cell((labels > 0).astype(np.float32), cells)
    known = (_per_cell((labels == UNKNOWN).astype(np.float32), cells) < 0.1).astype(np.float32)
    return MapSample(rgb, heat, mask, known, along, directed, log_length, near)


def _per_cell(pixels: Floats, cells: int) -> Floats:
    return cv2.resize(pixels, (cells, cells), interpolation=cv2.INTER_AREA).astype(np.float32, copy=False)
