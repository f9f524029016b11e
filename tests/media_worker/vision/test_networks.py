from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from media_worker.drawn_hand import Scene, draw
from media_worker.vision.arrays import Pixels
from media_worker.vision.networks import BATCHES, MAP_STRIDE, UNIT_LENGTH, NailCrops, NailMap, in_batches
from protocol.errors import VisionFailed

PICTURE = draw(Scene(width=320, height=240), 0)


def a_crop(size: int, seed: int = 0) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (size, size, 3), np.uint8)


@pytest.mark.parametrize("kind", [NailMap, NailCrops])
def test_one_network_serves_all_streams(kind: type[NailMap] | type[NailCrops]) -> None:
    assert kind()._network is kind()._network


@pytest.mark.parametrize(("height", "width"), [(240, 320), (320, 240), (64, 64), (16, 48)])
def test_a_map_has_a_cell_for_four_by_four_pixels(height: int, width: int) -> None:
    output = NailMap()(PICTURE.rgb[:height, :width] if height <= 240 else PICTURE.rgb.transpose(1, 0, 2))
    cells = (height // MAP_STRIDE, width // MAP_STRIDE)
    assert output.heat.shape == output.mask.shape == output.log_length.shape == cells
    assert output.along.shape == (2, *cells)
    assert all(np.isfinite(part).all() for part in (output.heat, output.mask, output.along, output.log_length))


def test_a_map_is_hot_on_a_drawn_nail_in_its_direction_and_length() -> None:
    output = NailMap()(PICTURE.rgb)
    nail = PICTURE.nails[2]
    middle, along = nail.axis.mean(axis=0), nail.axis[1] - nail.axis[0]
    x, y = (middle / MAP_STRIDE).astype(int)
    around = output.heat[y - 1 : y + 2, x - 1 : x + 2]
    assert around.max() > np.quantile(output.heat, 0.99)
    direction = output.along[:, y, x] / np.hypot(*output.along[:, y, x])
    assert direction @ along / np.hypot(*along) > 0.9
    assert UNIT_LENGTH * np.exp(output.log_length[y, x]) == pytest.approx(np.hypot(*along), rel=0.3)


@pytest.mark.parametrize("size", [64, 96, 112])
def test_crops_have_a_mask_of_half_their_size_each(size: int) -> None:
    output = NailCrops()([a_crop(size, seed) for seed in range(3)])
    assert output.mask.shape == (3, size // 2, size // 2)
    assert output.presence.shape == (3,) and output.along.shape == (3, 2)


def test_a_crop_s_answer_does_not_depend_on_its_neighbours() -> None:
    crops = [a_crop(64, seed) for seed in range(3)]
    together, alone = NailCrops()(crops), NailCrops()(crops[1:2])
    assert np.allclose(together.mask[1], alone.mask[0], atol=1e-3)
    assert together.presence[1] == pytest.approx(alone.presence[0], abs=1e-3)


@pytest.mark.parametrize(
    ("count", "sizes"), [(1, [1]), (3, [2, 1]), (4, [2, 2]), (5, [5]), (9, [5, 2, 2]), (13, [5, 5, 2, 1])]
)
def test_few_numbers_of_crops_get_to_the_network_in_their_order(count: int, sizes: list[int]) -> None:
    batches = list(in_batches(np.arange(count, dtype=np.uint8)))
    assert [len(batch) for batch in batches] == sizes
    assert np.concatenate(batches).tolist() == list(range(count))
    assert set(sizes) <= set(BATCHES)


def test_crops_keep_their_order_over_several_batches() -> None:
    crops = [a_crop(64, seed) for seed in range(8)]
    together, alone = NailCrops()(crops), [NailCrops()([crop]) for crop in crops]
    assert together.mask.shape == (8, 32, 32)
    assert np.allclose(together.mask, [one.mask[0] for one in alone], atol=1e-3)
    assert np.allclose(together.along, [one.along[0] for one in alone], atol=1e-3)


def test_mirrored_pictures_given_as_views_are_read_as_they_look() -> None:
    crop = a_crop(64)
    view, copy = NailCrops()([crop[:, ::-1]]), NailCrops()([crop[:, ::-1].copy()])
    assert np.array_equal(view.mask, copy.mask)


def test_many_threads_get_what_one_gets() -> None:
    crops = [[a_crop(64, seed)] for seed in range(6)]
    alone = [NailCrops()(each).mask for each in crops]
    with ThreadPoolExecutor(3) as pool:
        together = [output.mask for output in pool.map(NailCrops(), crops)]
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


@pytest.mark.parametrize("shape", [(56, 64, 3), (64, 64, 4), (0, 64, 3)])
def test_what_a_network_cannot_take_is_a_failure_of_vision(shape: tuple[int, ...]) -> None:
    with pytest.raises(VisionFailed, match="the nail network takes"):
        NailMap()(np.zeros(shape, np.uint8))
    with pytest.raises(VisionFailed, match="the nail network takes"):
        NailCrops()([np.zeros(shape, np.uint8)])
