# ruff: noqa: E402  # PyTorch is an extra
from __future__ import annotations

import pytest

from tests.media_worker.training import extra

torch = extra.torch()

from media_worker.training.networks import Encoder, NailCropNetwork, NailMapNetwork


@pytest.mark.parametrize("size", [64, 96])
def test_crops_give_a_mask_of_half_the_size_and_three_numbers(size: int) -> None:
    network = NailCropNetwork().eval()
    with torch.no_grad():
        mask, whole = network(torch.rand(2, 3, size, size))
    assert mask.shape == (2, 1, size // 2, size // 2)
    assert whole.shape == (2, 3)


def test_pictures_give_a_map_of_a_quarter_of_the_size() -> None:
    network = NailMapNetwork().eval()
    with torch.no_grad():
        output = network(torch.rand(1, 3, 96, 160))
    assert output.shape == (1, 5, 24, 40)
    assert torch.sigmoid(output[:, 0]).mean() < 0.1  # a map that learned nothing is quiet


def test_features_have_the_strides_that_the_decoder_joins() -> None:
    with torch.no_grad():
        features = Encoder().eval()(torch.rand(1, 3, 64, 96))
    assert [tuple(each.shape[1:]) for each in features] == [(16, 32, 48), (24, 16, 24), (40, 8, 12), (112, 4, 6)]


def test_the_encoder_takes_over_imagenet() -> None:
    path = extra.imagenet()
    saved = torch.load(path, map_location="cpu", weights_only=True)
    encoder = Encoder()
    encoder.load_imagenet(path)
    assert torch.equal(encoder.stem.conv.weight, saved["_conv_stem.weight"])
    assert torch.equal(encoder.stem.norm.running_mean, saved["_bn0.running_mean"])
    last = len(encoder.blocks) - 1
    assert torch.equal(encoder.blocks[last].project.conv.weight, saved[f"_blocks.{last}._project_conv.weight"])
    assert torch.equal(encoder.blocks[last].project.norm.bias, saved[f"_blocks.{last}._bn2.bias"])
    taken = sum(weight.numel() for weight in encoder.parameters())
    blocks = [
        name for name in saved if name.startswith(("_conv_stem", "_bn0", *(f"_blocks.{k}." for k in range(last + 1))))
    ]
    weights = [name for name in blocks if "running" not in name and "num_batches" not in name]
    assert taken == sum(saved[name].numel() for name in weights)  # none is left as it was drawn
