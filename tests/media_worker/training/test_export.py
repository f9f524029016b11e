# ruff: noqa: E402  # PyTorch and ONNX are extras
from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.media_worker.training import extra

torch = extra.torch()
extra.onnx()

from media_worker.training.export import export
from media_worker.training.networks import NailCropNetwork, NailMapNetwork
from media_worker.vision.inference import Network


def lively(network: Any) -> Any:
    """Random weights and norms, as training leaves them, over the ImageNet encoder."""
    torch.manual_seed(0)
    network.encoder.load_imagenet(extra.imagenet())
    for name, module in network.named_modules():
        if isinstance(module, torch.nn.BatchNorm2d) and not name.startswith("encoder."):
            torch.nn.init.uniform_(module.running_mean, -0.2, 0.2)
            torch.nn.init.uniform_(module.running_var, 0.5, 2)
            torch.nn.init.uniform_(module.weight, 0.7, 1.3)
            torch.nn.init.uniform_(module.bias, -0.3, 0.3)
    return network.eval()


def both(network: Any, path: Path, outputs: list[str], shape: tuple[int, ...]) -> list[tuple[Any, Any]]:
    """Each output by the file and by PyTorch, on random pictures."""
    export(network, path, outputs=outputs)
    pictures = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    planes = torch.from_numpy(pictures.transpose(0, 3, 1, 2) / np.float32(255))
    with torch.no_grad():
        expected = network(planes)
    expected = expected if isinstance(expected, tuple) else (expected,)
    return [(a, b.numpy()) for a, b in zip(Network(path, "NCHW", exact=True)(pictures), expected, strict=True)]


@pytest.mark.parametrize(("count", "size"), [(5, 64), (1, 96)])
def test_the_crop_file_says_what_the_network_says(count: int, size: int, tmp_path: Path) -> None:
    path = tmp_path / "crops.onnx"
    for found, expected in both(lively(NailCropNetwork()), path, ["mask", "whole"], (count, size, size, 3)):
        assert found.shape == expected.shape
        assert float(np.sqrt(((found - expected) ** 2).mean())) < 0.05
        assert float(expected.std()) > 0.05  # else any answer would do
    assert path.stat().st_size < 1_200_000


def test_the_map_file_takes_pictures_of_any_shape(tmp_path: Path) -> None:
    path = tmp_path / "map.onnx"
    ((found, expected),) = both(lively(NailMapNetwork()), path, ["map"], (1, 80, 144, 3))
    assert found.shape == expected.shape == (1, 5, 20, 36)
    assert float(np.sqrt(((found - expected) ** 2).mean())) < 0.05
    assert path.stat().st_size < 1_200_000
