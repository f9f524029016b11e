"""From a trained PyTorch network to the ONNX file that ships: batch norms folded in, large weights kept as bytes.

They are widened to float32 when the file is loaded, so that a quarter of the size costs no time, and hardly accuracy:
the figures in README.md are those of the shipped files.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

OPSET = 17

SMALL = 64
"""Arrays of fewer numbers stay float32: they weigh nothing."""

LARGE = 4096
"""Convolutions of so many weights are kept as bytes, smaller ones as float16."""

Array = np.ndarray


def export(network: nn.Module, path: Path, *, outputs: list[str]) -> None:
    """Writes `network`, which takes pictures (N, 3, H, W) of any size divisible by 16, to `path`."""
    network.eval()
    example = torch.zeros(2, 3, 64, 96)
    free = {0: "n", 2: "h", 3: "w"}
    axes = {"rgb": free} | {name: {0: "n"} if name == "whole" else free for name in outputs}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter announces its successor
        torch.onnx.export(
            network, (example,), str(path), dynamo=False, opset_version=OPSET,
            input_names=["rgb"], output_names=outputs, dynamic_axes=axes,
        )  # fmt: skip
    model = onnx.load(str(path))
    _shrink(model)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def _shrink(model: onnx.ModelProto) -> None:
    """Stores weights small, with the nodes behind them that widen them again; the runtime folds those when it loads."""
    widening = []
    for weight in model.graph.initializer:
        if weight.data_type != TensorProto.FLOAT or np.prod(weight.dims) < SMALL:
            continue
        values = numpy_helper.to_array(weight)
        store = _as_bytes if values.size >= LARGE and values.ndim == 4 else _as_halves
        widening.append((weight, *store(values, weight.name)))
    for weight, stored, nodes in widening:
        model.graph.initializer.remove(weight)
        model.graph.initializer.extend(stored)
        for node in reversed(nodes):
            model.graph.node.insert(0, node)


def _as_halves(values: Array, name: str) -> tuple[list[onnx.TensorProto], list[onnx.NodeProto]]:
    half = numpy_helper.from_array(values.astype(np.float16), name + "_half")
    return [half], [helper.make_node("Cast", [half.name], [name], to=TensorProto.FLOAT)]


def _as_bytes(values: Array, name: str) -> tuple[list[onnx.TensorProto], list[onnx.NodeProto]]:
    """-127 to 127 times a scale for each output channel: rounds to 1/254 of a channel's largest weight."""
    scale = np.maximum(np.abs(values).max(axis=(1, 2, 3), keepdims=True), 1e-12) / 127
    whole = numpy_helper.from_array(np.round(values / scale).astype(np.int8), name + "_int8")
    scales = numpy_helper.from_array(scale.astype(np.float32), name + "_scale")
    cast = helper.make_node("Cast", [whole.name], [name + "_cast"], to=TensorProto.FLOAT)
    return [whole, scales], [cast, helper.make_node("Mul", [name + "_cast", scales.name], [name])]
