# ruff: noqa: E402  # PyTorch is an extra
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.random import Generator

from tests.media_worker.training import extra

torch = extra.torch()

from media_worker.training import learning
from media_worker.training.crop_samples import CropSample, absent, patches_of, positive
from media_worker.training.map_samples import window
from media_worker.training.networks import NailCropNetwork, NailMapNetwork
from media_worker.vision.finder import Guess
from tests.media_worker.training.drawn_photos import arrow


def crop_batch() -> list[CropSample]:
    (patch,) = patches_of(arrow())
    shown = [positive(patch, 64, np.random.default_rng(seed)) for seed in range(5)]
    away = Guess(np.array([60.0, 60.0]), np.array([0.0, -60.0]))
    return [*shown, absent(arrow().rgb, away, 64, np.random.default_rng(9))]


def fitted(steps: int, seed: int = 4) -> tuple[Any, list[float]]:
    """A crop network, and its losses on the one batch that it is shown again and again."""
    torch.manual_seed(0)
    batch, losses = crop_batch(), list[float]()

    def loss(network: NailCropNetwork, rng: Generator) -> Any:
        chosen = [batch[index] for index in rng.permutation(len(batch))]
        value = learning.crop_loss(network, chosen)
        losses.append(float(value.detach()))
        return value

    network = NailCropNetwork()
    return learning.fit(network, loss, steps=steps, seed=seed, progress=lambda *_: None), losses


def test_crops_are_learned() -> None:
    _, losses = fitted(40)
    assert np.mean(losses[-3:]) < 0.6 * np.mean(losses[:3])


def test_maps_are_learned() -> None:
    torch.manual_seed(0)
    samples = [window(arrow(), 96, np.random.default_rng(seed)) for seed in range(4)]
    losses: list[float] = []

    def loss(network: NailMapNetwork, rng: Generator) -> Any:
        value = learning.map_loss(network, samples)
        losses.append(float(value.detach()))
        return value

    learning.fit(NailMapNetwork(), loss, steps=40, seed=0, progress=lambda *_: None)
    assert np.mean(losses[-3:]) < 0.7 * np.mean(losses[:3])


def test_the_same_seed_gives_the_same_weights() -> None:
    first, again, other = (fitted(4, seed)[0].state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_progress_is_told_and_the_network_is_ready_for_use() -> None:
    told: list[tuple[int, int]] = []
    network = learning.fit(
        NailCropNetwork(),
        lambda network, rng: learning.crop_loss(network, crop_batch()),
        steps=2,
        seed=0,
        progress=lambda *each: told.append(each),
    )
    assert told == [(1, 2), (2, 2)]
    assert not network.training


def answers(*outputs: Any) -> Any:
    """A network that says what it is told to, whatever it sees."""
    return lambda pictures: outputs


def test_a_right_answer_costs_less_than_a_wrong_one() -> None:
    batch = crop_batch()
    masks = torch.tensor(np.stack([sample.mask for sample in batch]))[:, None, ::2, ::2] / 255.0
    whole = torch.tensor(np.stack([[8 * sample.present - 4, *sample.along] for sample in batch]), dtype=torch.float32)
    right = learning.crop_loss(answers(12 * masks - 6, whole), batch)
    absent_ones = learning.crop_loss(answers(12 * masks - 6, whole * torch.tensor([-1, 1, 1])), batch)
    backwards = learning.crop_loss(answers(12 * masks - 6, whole * torch.tensor([1, -1, -1])), batch)
    inside_out = learning.crop_loss(answers(6 - 12 * masks, whole), batch)
    assert float(right) < 0.25
    assert float(absent_ones) > float(right) + 1
    assert float(backwards) == pytest.approx(float(right) + 0.6, abs=0.02)
    assert float(inside_out) > float(right) + 5


def test_what_is_unknown_costs_nothing() -> None:
    batch = crop_batch()
    blind = [CropSample(s.rgb, s.mask, np.zeros_like(s.known), s.present, np.zeros(2)) for s in batch]
    whole = torch.zeros(len(batch), 3)
    losses = [
        float(learning.crop_loss(answers(torch.full((len(batch), 1, 32, 32), logit), whole), blind))
        for logit in (-9.0, 9.0)
    ]
    assert losses[0] == pytest.approx(losses[1])
