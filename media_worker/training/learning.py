"""The training loop and the two losses."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.random import Generator
from torch import Tensor, nn

from media_worker.training.crop_samples import CropSample
from media_worker.training.map_samples import MapSample
from media_worker.training.networks import NailCropNetwork, NailMapNetwork

ENCODER_RATE, DECODER_RATE = 5e-4, 2e-3
"""Learning rates at their highest: the encoder is pretrained and only adapts."""

WARM_UP = 60
"""Steps over which the rates rise from zero, before they fall as a cosine."""

AVERAGE = 0.998
"""What is kept is a running mean of the weights: each step moves it by 0.2 %."""

Progress = Callable[[int, int], None]

N = TypeVar("N", bound=nn.Module)


def fit(
    network: N,
    loss_of: Callable[[N, Generator], Tensor],
    *,
    steps: int,
    seed: int,
    progress: Progress,
    rate: float = 1.0,
) -> N:
    """Trains in place and returns the averaged network, ready for use. `loss_of` draws a batch and judges it.

    The same seed gives the same network on one machine with one thread; a GPU is used when there is one. `rate` scales
    the learning rates.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network.to(device(), memory_format=torch.channels_last)
    averaged = copy.deepcopy(network)
    optimiser, rates = _optimiser(network)
    for step in range(steps):
        share = rate * min(1.0, step / WARM_UP) * (0.5 + 0.5 * np.cos(np.pi * step / steps))
        for group, highest in zip(optimiser.param_groups, rates, strict=True):
            group["lr"] = highest * share + 1e-6
        network.train()
        loss = loss_of(network, rng)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 2.0)
        optimiser.step()
        _average(averaged, network, min(AVERAGE, 1 - 1 / (step + 1)))
        progress(step + 1, steps)
    return averaged.cpu().eval()


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _optimiser(network: nn.Module) -> tuple[torch.optim.Optimizer, list[float]]:
    named = list(network.named_parameters())
    encoder = [parameter for name, parameter in named if name.startswith("encoder.")]
    decoder = [parameter for name, parameter in named if not name.startswith("encoder.")]
    optimiser = torch.optim.AdamW([{"params": encoder}, {"params": decoder}], weight_decay=1e-3)
    return optimiser, [ENCODER_RATE, DECODER_RATE]


@torch.no_grad()
def _average(averaged: nn.Module, network: nn.Module, keep: float) -> None:
    for mean, new in zip(averaged.state_dict().values(), network.state_dict().values(), strict=True):
        if mean.is_floating_point():
            mean.mul_(keep).add_(new, alpha=1 - keep)
        else:
            mean.copy_(new)


def crop_loss(network: NailCropNetwork, samples: list[CropSample]) -> Tensor:
    """Cross-entropy and Dice of the mask, cross-entropy of presence, cosine distance of direction."""
    mask = _tensor([sample.mask for sample in samples])[:, None] / 255
    known = _tensor([sample.known for sample in samples])[:, None] / 255
    present = _tensor([sample.present for sample in samples])
    along = _tensor([sample.along for sample in samples])
    with _half_precision():
        logits, whole = network(_pictures([sample.rgb for sample in samples]))
    logits = F.interpolate(logits.float(), scale_factor=2.0, mode="bilinear", align_corners=False)
    whole = whole.float()
    pixels = F.binary_cross_entropy_with_logits(logits, mask, weight=known)
    dice = _mean(_dice(logits, mask, known), present)
    presence = F.binary_cross_entropy_with_logits(whole[:, 0], present)
    cosine = (F.normalize(whole[:, 1:], dim=1) * along).sum(1)
    return 2 * pixels + dice + 0.3 * presence + 0.3 * _mean(1 - cosine, along.norm(dim=1))


def _dice(logits: Tensor, mask: Tensor, known: Tensor) -> Tensor:
    probability, mask = torch.sigmoid(logits) * known, mask * known
    both, either = (probability * mask).sum((1, 2, 3)), (probability + mask).sum((1, 2, 3))
    return 1 - (2 * both + 1) / (either + 1)


def map_loss(network: NailMapNetwork, samples: list[MapSample]) -> Tensor:
    """Penalty-reduced focal loss of heat (CornerNet, Law and Deng, ECCV 2018), cross-entropy and Dice of the mask,
    cosine distance of direction, absolute error of log length."""
    heat = _tensor([sample.heat for sample in samples])
    mask = _tensor([sample.mask for sample in samples])
    known = _tensor([sample.known for sample in samples])
    along = _tensor([sample.along for sample in samples])
    directed = _tensor([sample.directed for sample in samples])
    log_length = _tensor([sample.log_length for sample in samples])
    near = _tensor([sample.near for sample in samples])
    with _half_precision():
        output = network(_pictures([sample.rgb for sample in samples]))
    output = output.float()
    pixels = F.binary_cross_entropy_with_logits(output[:, 1], mask, weight=known)
    probability = torch.sigmoid(output[:, 1]) * known
    overlap = (2 * (probability * mask * known).sum() + 20) / ((probability + mask * known).sum() + 20)
    cosine = (F.normalize(output[:, 2:4], dim=1, eps=1e-3) * along).sum(1)
    return (
        _focal(output[:, 0], heat, known)
        + 4 * pixels
        + (1 - overlap)
        + _mean(1 - cosine, directed)
        + _mean((output[:, 4] - log_length).abs(), near)
    )


def _focal(logits: Tensor, heat: Tensor, known: Tensor) -> Tensor:
    probability = torch.sigmoid(logits).clamp(1e-4, 1 - 1e-4)
    middle = (heat > 0.97).float()
    found = middle * (1 - probability) ** 2 * probability.log()
    quiet = (1 - middle) * (1 - heat) ** 4 * probability**2 * (1 - probability).log()
    return -((found + quiet) * known).sum() / middle.sum().clamp(min=8)


def _mean(values: Tensor, weights: Tensor) -> Tensor:
    return (values * weights).sum() / weights.sum().clamp(min=1)


def _pictures(rgb: list[np.ndarray]) -> Tensor:
    planes = torch.from_numpy(np.stack(rgb)).to(device()).permute(0, 3, 1, 2).float() / 255
    return planes.contiguous(memory_format=torch.channels_last)


def _tensor(arrays: list[np.ndarray] | list[float]) -> Tensor:
    return torch.from_numpy(np.stack(arrays).astype(np.float32)).to(device())


def _half_precision() -> torch.autocast:
    gpu = device().type == "cuda"  # on CPUs it was 10 % slower than float32
    return torch.autocast(device().type, torch.bfloat16, enabled=gpu)
