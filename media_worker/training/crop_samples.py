"""Training samples for the crop network: upright crops of nails, and of places that are none."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from media_worker.training.backgrounds import replace_cloth
from media_worker.training.photos import UNKNOWN, LabelledNail, Photo
from media_worker.training.recolour import degrade, recolour_nails, relight, retone_skin
from media_worker.vision.arrays import Floats, Pixels
from media_worker.vision.crops import crop_matrix
from media_worker.vision.finder import Guess
from media_worker.vision.pyramids import Pyramid, warp_labels

LARGEST_NAIL = 150
"""Nails longer than this many pixels are shrunk to it once; crops show them smaller still."""

SURROUNDINGS = 3.2
"""Half the side of what is kept round a nail, in its lengths: corners of the loosest crop."""

NEGATIVE_SHARE = 0.3
"""Of samples that show no nail where one is expected."""


@dataclass(frozen=True)
class CropSample:
    rgb: Pixels
    """(S, S, 3)."""
    mask: NDArray[np.uint8]
    """(S, S): 255 on the expected nail."""
    known: NDArray[np.uint8]
    """(S, S): 255 where the mask can be trusted."""
    present: float
    along: Floats
    """(2,) unit vector in the crop; zeros where the direction is unknown."""


@dataclass
class Patch:
    """A nail and its surroundings, small enough to keep thousands."""

    rgb: Pixels
    labels: NDArray[np.int16]
    """As in Photo, with `number` the nail's own."""
    nail: LabelledNail
    on_blue_cloth: bool


def patches_of(photo: Photo) -> list[Patch]:
    """One for each nail."""
    return [_patch(photo, nail) for nail in photo.nails]


def _patch(photo: Photo, nail: LabelledNail) -> Patch:
    length = float(np.hypot(*nail.along))
    height, width = photo.labels.shape
    left, top = np.clip(np.floor(nail.centre - SURROUNDINGS * length), 0, None).astype(int)
    right, bottom = np.clip(np.ceil(nail.centre + SURROUNDINGS * length), 0, (width, height)).astype(int)
    rgb, labels = photo.rgb[top:bottom, left:right], photo.labels[top:bottom, left:right]
    scale = min(1.0, LARGEST_NAIL / length)
    if scale < 1:
        size = max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale))
        rgb = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
        labels = cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST).astype(np.int16, copy=False)
    moved = LabelledNail(nail.number, (nail.centre - (left, top)) * scale, nail.along * scale, nail.directed)
    return Patch(rgb.copy(), labels.copy(), moved, photo.on_blue_cloth)


def positive(patch: Patch, size: int, rng: Generator) -> CropSample:
    """The nail where a tracker, a map or a hand's landmarks would expect it: somewhat off in place, size and turn."""
    along = patch.nail.along if patch.nail.directed or rng.random() < 0.5 else -patch.nail.along
    angle = rng.normal(0, np.radians(14)) if rng.random() < 0.8 else rng.uniform(-np.pi, np.pi)
    length = float(np.hypot(*along))
    offset = np.clip(rng.normal(0, 0.13, 2), -0.33, 0.33) * length
    stretch = float(np.exp(np.clip(rng.normal(0, 0.2), -0.5, 0.5)))
    guess = Guess(patch.nail.centre + offset, _turned(along, angle) * stretch)
    matrix = _maybe_mirrored(crop_matrix(guess, size), size, rng)
    direction = matrix[:, :2] @ patch.nail.along if patch.nail.directed else np.zeros(2)
    direction = direction / max(float(np.hypot(*direction)), 1e-6)
    return _developed(patch, matrix, size, rng, along=direction)


def negative(patch: Patch, size: int, rng: Generator) -> CropSample | None:
    """A place beside the nail, without any nail in the middle; None where none was found by chance."""
    length = float(np.hypot(*patch.nail.along))
    for _ in range(6):
        away = _turned(patch.nail.along, rng.uniform(-np.pi, np.pi)) * rng.uniform(0.8, 2.4)
        centre = patch.nail.centre + away
        if not (0 <= centre[0] < patch.rgb.shape[1] and 0 <= centre[1] < patch.rgb.shape[0]):
            continue
        along = _turned(np.array([0.0, length]), rng.uniform(-np.pi, np.pi)) * np.exp(rng.normal(0, 0.35))
        matrix = _maybe_mirrored(crop_matrix(Guess(centre, along), size), size, rng)
        if not _middle(patch.labels != 0, matrix, size).any():
            return _developed(patch, matrix, size, rng, along=None)
    return None


def absent(rgb: Pixels, guess: Guess, size: int, rng: Generator) -> CropSample:
    """A place in a picture that is known to show no nail there."""
    length = max(guess.length, 2.0)
    jittered = Guess(
        guess.centre + rng.normal(0, 0.15, 2) * length,
        _turned(guess.along, rng.normal(0, 0.3)) * np.exp(rng.normal(0, 0.2)),
    )
    matrix = _maybe_mirrored(crop_matrix(jittered, size), size, rng)
    crop = degrade(relight(Pyramid(rgb).warp(matrix, size), rng), rng)
    empty = np.zeros((size, size), np.uint8)
    return CropSample(crop, empty, np.full_like(empty, 255), 0.0, np.zeros(2))


def _developed(patch: Patch, matrix: Floats, size: int, rng: Generator, *, along: Floats | None) -> CropSample:
    """The crop, its nails perhaps painted, its skin, light, background and camera perhaps others'.

    `along` is the nail's direction in the crop; None where the nail is not in it.
    """
    rgb = Pyramid(patch.rgb).warp(matrix, size, cv2.BORDER_REPLICATE)
    labels = warp_labels(patch.labels, matrix, size)
    nails = np.maximum(labels, 0)
    if patch.on_blue_cloth and rng.random() < 0.7:
        rgb = replace_cloth(rgb, rng)
    if rng.random() < 0.35:
        rgb = retone_skin(rgb, rng, nails)
    if rng.random() < 0.4:
        rgb = recolour_nails(rgb, nails, None, rng)
    rgb = degrade(relight(rgb, rng), rng)
    known = (labels != UNKNOWN).astype(np.uint8) * 255
    if along is None:
        return CropSample(rgb, np.zeros((size, size), np.uint8), known, 0.0, np.zeros(2))
    mine = (patch.labels == patch.nail.number).astype(np.uint8) * 255
    return CropSample(rgb, Pyramid(mine).warp(matrix, size, cv2.BORDER_CONSTANT), known, 1.0, along)


def _middle(nails: NDArray[np.bool_], matrix: Floats, size: int) -> NDArray[np.bool_]:
    quarter = size // 4
    warped = warp_labels(nails.astype(np.int16), matrix, size)
    middle: NDArray[np.bool_] = warped[quarter:-quarter, quarter:-quarter] > 0
    return middle


def _maybe_mirrored(matrix: Floats, size: int, rng: Generator) -> Floats:
    if rng.random() < 0.5:
        return matrix
    mirrored = matrix.copy()
    mirrored[0] = -mirrored[0]
    mirrored[0, 2] += size
    return mirrored


def _turned(vector: Floats, angle: float) -> Floats:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([cos * vector[0] - sin * vector[1], sin * vector[0] + cos * vector[1]])
