"""Runs networks with OpenVINO on the processor: pictures in as bytes, numbers out.

Where the processor can, OpenVINO computes in bfloat16, twice as fast as in float32. With one stream of one thread a
network works in the thread that asks it, and all streams of video share its memory: who asks a busy one waits a
millisecond or two.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cache, wraps
from pathlib import Path
from threading import Lock
from typing import ParamSpec, TypeVar

import numpy as np
import openvino
from openvino.preprocess import PrePostProcessor

from media_worker.vision.arrays import Floats, Pixels
from protocol.errors import VisionFailed

P = ParamSpec("P")
T = TypeVar("T")

ONE_THREAD = {"NUM_STREAMS": "1", "INFERENCE_NUM_THREADS": "1"}

FEW_SHAPES = {"CPU_RUNTIME_CACHE_CAPACITY": "500"}
"""Of the code that OpenVINO makes for each layer and size of picture, it keeps what was used last, by default for 5,000
layers: 60 photos of all shapes took a process from 310 to 774 MB. These are enough for what cameras of nine shapes ask
of a stream's networks, which then take no longer, and the same photos end at 442 MB. It is OpenVINO's own property,
which its documentation does not name; one that it does not know would be refused (2026.4)."""


class Network:
    """A network that takes pictures and gives arrays. Thread-safe."""

    def __init__(self, path: Path, layout: str, *, exact: bool = False) -> None:
        """Loads ONNX or TensorFlow Lite; `layout` is that of the network's own input, "NCHW" or "NHWC", whose numbers
        go from 0 to 1; `exact` asks for float32. The file is not needed afterwards. Raises VisionFailed."""
        settings = ONE_THREAD | FEW_SHAPES | ({"INFERENCE_PRECISION_HINT": "f32"} if exact else {})
        try:
            self._compiled = _core().compile_model(_taking_bytes(_core().read_model(path), layout), "CPU", settings)
        except RuntimeError as error:
            raise VisionFailed(f"the network {path.name} cannot be loaded: {_last_line(error)}") from error

    def __call__(self, pictures: Pixels) -> list[Floats]:
        """The outputs for uint8 (N, H, W, 3), RGB, in the network's order. Raises VisionFailed."""
        try:
            results = self._compiled.create_infer_request().infer([np.ascontiguousarray(pictures)])
        except RuntimeError as error:
            raise VisionFailed(f"a network failed: {_last_line(error)}") from error
        return [results[output] for output in self._compiled.outputs]

    def rest(self) -> None:
        """Gives back what it works in, and takes it again for who asks next. Does nothing while somebody asks."""
        with suppress(RuntimeError):  # busy
            self._compiled.release_memory()


def once(load: Callable[P, T]) -> Callable[P, T]:
    """Keeps what `load` gives; who asks meanwhile waits for it, where `functools.cache` would load it twice."""
    lock, kept = Lock(), cache(load)

    @wraps(load)
    def loaded(*args: P.args, **kwargs: P.kwargs) -> T:
        with lock:
            return kept(*args, **kwargs)  # type: ignore[arg-type]  # all of ours are hashable

    return loaded


@cache
def _core() -> openvino.Core:
    core = openvino.Core()
    core.set_property({"ENABLE_MMAP": False})  # else a file that is gone, or replaced, would still be read
    return core


def _taking_bytes(model: openvino.Model, layout: str) -> openvino.Model:
    """The conversion becomes a part of the network."""
    steps = PrePostProcessor(model)
    steps.input().tensor().set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC"))
    steps.input().model().set_layout(openvino.Layout(layout))
    steps.input().preprocess().convert_element_type(openvino.Type.f32).scale(255.0)
    return steps.build()


def _last_line(error: RuntimeError) -> str:
    """OpenVINO's messages begin with where in its sources they come from."""
    return (str(error).strip().splitlines() or ["no reason given"])[-1]
