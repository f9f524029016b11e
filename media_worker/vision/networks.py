"""The two nail networks, as arrays in and arrays out. What their numbers mean is in `training/README.md`.

`NailMap` looks at a whole picture and says where nails may be; `NailCrops` looks at upright crops of one expected nail
each and says which pixels are that nail. Weights are ONNX files that keep numbers as bytes or float16; they compute in
float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import onnxruntime

from media_worker.vision.arrays import Floats, Pixels
from protocol.errors import VisionFailed

MAP_STRIDE = 4
"""Pixels of the input for one cell of the map, both ways."""

UNIT_LENGTH = 20
"""Pixels of the input: the nail length whose logarithm is 0 in a map."""

MULTIPLE = 16
"""Sides of a network's input are multiples of this: the encoder halves four times."""


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
    """Finds where nails may be. Thread-safe. The first one of a process takes 30 ms to load."""

    def __init__(self) -> None:
        self._session = _session("nail_map")

    def __call__(self, rgb: Pixels) -> MapOutput:
        """`rgb`: uint8 (H, W, 3), sides multiples of 16; finds nails of 9 to 55 pixels. Raises VisionFailed."""
        (output,) = _run(self._session, rgb[None])
        heat, mask, along_x, along_y, log_length = output[0]
        return MapOutput(heat, mask, np.stack([along_x, along_y]), log_length)


class NailCrops:
    """Outlines expected nails. Thread-safe. The first one of a process takes 20 ms to load."""

    def __init__(self) -> None:
        self._session = _session("nail_crops")

    def __call__(self, crops: Sequence[Pixels]) -> CropOutput:
        """`crops`: uint8 (S, S, 3) each, all of one size, a multiple of 16 from 64 to 112. Raises VisionFailed."""
        mask, whole = _run(self._session, np.stack(crops))
        return CropOutput(mask[:, 0], whole[:, 0], whole[:, 1:])


def _run(session: Any, pictures: Pixels) -> list[Floats]:
    planes = np.ascontiguousarray(pictures.transpose(0, 3, 1, 2), np.float32) / 255
    try:
        outputs: list[Floats] = session.run(None, {"rgb": planes})
    except Exception as error:  # onnxruntime's own errors share no base class but this one
        raise VisionFailed(f"the nail network failed: {error}") from error
    return outputs


@cache
def _session(name: str) -> Any:
    """One session a process serves all streams: it may be run from many threads, and its weights are read once."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    weights = files("media_worker.vision").joinpath("weights", f"{name}.onnx").read_bytes()
    return onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
