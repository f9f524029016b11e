"""The two nail networks, as arrays in and arrays out. What their numbers mean is in `training/README.md`.

`NailMap` looks at a whole picture and says where nails may be; `NailCrops` looks at upright crops of one expected nail
each and says which pixels are that nail. Weights are ONNX files that keep numbers as bytes or float16.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files

import numpy as np

from media_worker.vision.arrays import Floats, Pixels
from media_worker.vision.inference import Network, once
from protocol.errors import VisionFailed

MAP_STRIDE = 4
"""Pixels of the input for one cell of the map, both ways."""

UNIT_LENGTH = 20
"""Pixels of the input: the nail length whose logarithm is 0 in a map."""

MULTIPLE = 16
"""Sides of a network's input are multiples of this: the encoder halves four times."""

BATCHES = (5, 2, 1)
"""Crops that are looked at together: a hand's, and those that are left. For each number of crops OpenVINO makes code of
its own, which takes 10 to 30 ms once and 3 MB from then on; with any number of crops, streams came upon new ones for
many minutes. So split, five take 1.6 ms as ever, three 1.2 instead of 1.0, ten 3.2 instead of 3.5."""


@dataclass(frozen=True)
class MapOutput:
    """A map of (H/4, W/4) cells over an input of (H, W) pixels."""

    heat: Floats
    """Logits: a nail's middle is here."""
    mask: Floats
    """Logits: this is nail."""
    along: Floats
    """(2, H/4, W/4): direction cuticle → free edge, x right and y down, of any length."""
    log_length: Floats
    """Natural logarithm of the nail's length, in UNIT_LENGTH."""


@dataclass(frozen=True)
class CropOutput:
    """N crops of one size."""

    mask: Floats
    """(N, size/2, size/2) logits: this is the expected nail."""
    presence: Floats
    """(N,) logits: there is a nail in the middle."""
    along: Floats
    """(N, 2): direction cuticle → free edge in the crop, of any length; (0, −1) is up."""


class NailMap:
    """Finds where nails may be. Thread-safe. The first one of a process takes 0.2 s to load."""

    def __init__(self, *, exact: bool = False) -> None:
        """`exact`: in float32, at twice the time."""
        self._network = _network("nail_map", exact)

    def __call__(self, rgb: Pixels) -> MapOutput:
        """`rgb`: uint8 (H, W, 3), sides multiples of 16; finds nails of 9 to 55 pixels. Raises VisionFailed."""
        _check(rgb[None])
        (output,) = self._network(rgb[None])
        heat, mask, along_x, along_y, log_length = output[0]
        return MapOutput(heat, mask, np.stack([along_x, along_y]), log_length)

    def rest(self) -> None:
        self._network.rest()


class NailCrops:
    """Outlines expected nails. Thread-safe. The first one of a process takes 0.2 s to load."""

    def __init__(self, *, exact: bool = False) -> None:
        """`exact`: in float32, at twice the time."""
        self._network = _network("nail_crops", exact)

    def __call__(self, crops: Sequence[Pixels]) -> CropOutput:
        """`crops`: uint8 (S, S, 3) each, all of one size, a multiple of 16 from 64 to 112. Raises VisionFailed."""
        pictures = np.stack(crops)
        _check(pictures)
        answers = [self._network(batch) for batch in in_batches(pictures)]
        mask, whole = (np.concatenate(each) for each in zip(*answers, strict=True))
        return CropOutput(mask[:, 0], whole[:, 0], whole[:, 1:])

    def rest(self) -> None:
        self._network.rest()


def in_batches(pictures: Pixels) -> Iterator[Pixels]:
    """(N, …) in parts of BATCHES, in order, as few as can be."""
    for size in BATCHES:
        while len(pictures) >= size:
            yield pictures[:size]
            pictures = pictures[size:]


@once
def _network(name: str, exact: bool) -> Network:
    """One a process: its weights are read once."""
    with as_file(files("media_worker.vision").joinpath("weights", f"{name}.onnx")) as path:
        return Network(path, "NCHW", exact=exact)


def _check(pictures: Pixels) -> None:
    fits = pictures.ndim == 4 and pictures.shape[3] == 3 and pictures.dtype == np.uint8
    if not fits or any(side % MULTIPLE or not side for side in pictures.shape[1:3]):
        expected = f"uint8 (N, H, W, 3) with sides that are multiples of {MULTIPLE}"
        raise VisionFailed(f"the nail network takes {expected}, not {pictures.dtype} {pictures.shape}")
