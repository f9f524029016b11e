"""PyTorch networks behind the interface of the shipped ones, so that training labels with the code that users run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from media_worker.training.networks import NailCropNetwork, NailMapNetwork
from media_worker.vision.arrays import Pixels
from media_worker.vision.networks import CropOutput, MapOutput


class TorchMap:
    def __init__(self, network: NailMapNetwork) -> None:
        self._network = network.eval()

    @torch.no_grad()
    def __call__(self, rgb: Pixels) -> MapOutput:
        heat, mask, along_x, along_y, log_length = self._network(_planes(rgb[None]))[0].numpy()
        return MapOutput(heat, mask, np.stack([along_x, along_y]), log_length)


class TorchCrops:
    def __init__(self, network: NailCropNetwork) -> None:
        self._network = network.eval()

    @torch.no_grad()
    def __call__(self, crops: Sequence[Pixels]) -> CropOutput:
        mask, whole = (output.numpy() for output in self._network(_planes(np.stack(crops))))
        return CropOutput(mask[:, 0], whole[:, 0], whole[:, 1:])


def _planes(pictures: Pixels) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float() / 255
