"""Photos with nails marked, from folders of `images/` and `masks/`, ready to be cut into training samples."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from media_worker.training.errors import CannotTrain
from media_worker.vision.arrays import Floats, Mask, Pixels

IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}

LONGEST_SIDE = 1280
"""Photos are kept at most this large, pixels."""

SPECK = 30
"""Components of fewer pixels are no nails."""

UNKNOWN = -1
"""Label of pixels that may or may not be nail: they teach nothing."""


@dataclass
class LabelledNail:
    """One nail of a photo."""

    number: int
    """Its label in `Photo.labels`, from 1."""
    centre: Floats
    """(2,) pixels: middle of its extents along and across."""
    along: Floats
    """(2,) pixels, cuticle → free edge, as long as the nail; of either sense where `directed` is False."""
    directed: bool


@dataclass
class Photo:
    name: str
    rgb: Pixels
    """uint8 (H, W, 3)."""
    labels: NDArray[np.int16]
    """(H, W): 0 elsewhere, k on nail k, UNKNOWN where nobody knows."""
    nails: list[LabelledNail] = field(default_factory=list)
    on_blue_cloth: bool = False
    """Its background is a plain blue cloth, to be replaced."""


def read_masked(folder: Path, *, skip: Collection[str] = ()) -> list[Photo]:
    """The photos of `folder`/images with their `folder`/masks of the same stem (above 127 is nail)."""
    photos = []
    for path in image_paths(folder / "images"):
        if path.stem in skip:
            continue
        rgb = read_rgb(path)
        photos.append(with_mask(path.stem, rgb, read_mask(folder, path.stem, rgb)))
    return photos


def read_mask(folder: Path, stem: str, rgb: Pixels) -> Mask:
    """bool (H, W) of the size of `rgb`, which may have been shrunk. Raises FileNotFoundError."""
    path = folder / "masks" / f"{stem}.png"
    mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if mask is None:
        raise FileNotFoundError(f"{path} is missing or no picture; each image needs its mask")
    sized: Mask = cv2.resize(mask, rgb.shape[1::-1], interpolation=cv2.INTER_AREA) > 127
    return sized


def with_mask(name: str, rgb: Pixels, mask: Mask) -> Photo:
    """Every 8-connected part of the mask is a nail, its direction unknown."""
    labels = np.zeros(mask.shape, np.int16)
    nails: list[LabelledNail] = []
    _, parts, statistics, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    for part in range(1, len(statistics)):
        if statistics[part, cv2.CC_STAT_AREA] >= SPECK:
            number = len(nails) + 1
            labels[parts == part] = number
            nails.append(measured(labels, number, None))
    return Photo(name, rgb, labels, nails)


def measured(labels: NDArray[np.int16], number: int, direction: Floats | None) -> LabelledNail:
    """Nail `number` of `labels`; without a `direction`, a (2,) unit vector, its longer principal axis is taken."""
    points = np.argwhere(labels == number)[:, ::-1] + 0.5
    if direction is None:
        _, _, axes = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
    along = axes[0] if direction is None else direction
    across = np.array([-along[1], along[0]])
    (low, high), (left, right) = ((p.min() - 0.5, p.max() + 0.5) for p in (points @ along, points @ across))
    length = max(high - low, 0.8 * (right - left))  # a nail cut short by the frame still has its width
    centre = along * (low + high) / 2 + across * (left + right) / 2
    return LabelledNail(number, centre, along * length, direction is not None)


def image_paths(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.iterdir()) if path.suffix.lower() in IMAGE_SUFFIXES)


def read_rgb(path: Path) -> Pixels:
    """uint8 (H, W, 3), its longer side at most LONGEST_SIDE. Raises CannotTrain."""
    return shrunk(read_full(path))


def read_full(path: Path) -> Pixels:
    """uint8 (H, W, 3), as large as it is. Raises CannotTrain."""
    bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if bgr is None:
        raise CannotTrain(f"{path} is no picture; repair it or take it away")
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)


def shrunk(rgb: Pixels) -> Pixels:
    """At most LONGEST_SIDE on its longer side."""
    scale = LONGEST_SIDE / max(rgb.shape[:2])
    if scale >= 1:
        return rgb
    return cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
