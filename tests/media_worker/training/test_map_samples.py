from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from media_worker.training.map_samples import LONGEST, SHORTEST, MapSample, window
from media_worker.training.photos import UNKNOWN, Photo
from media_worker.vision.networks import MAP_STRIDE, UNIT_LENGTH
from tests.media_worker.training.drawn_photos import arrow, pointing

SIZE = 128
CELLS = SIZE // MAP_STRIDE


def whole(photo: Photo, count: int = 60) -> Iterator[tuple[MapSample, int, int]]:
    """Windows in which the nail lies in full, with the cell of most heat (row, column)."""
    for seed in range(count):
        sample = window(photo, SIZE, np.random.default_rng(seed))
        border = [sample.mask[0], sample.mask[-1], sample.mask[:, 0], sample.mask[:, -1]]
        if sample.mask.any() and not np.any(border):
            y, x = np.unravel_index(int(sample.heat.argmax()), sample.heat.shape)
            yield sample, int(y), int(x)


def test_all_maps_have_a_cell_for_four_pixels() -> None:
    sample = window(arrow(), SIZE, np.random.default_rng(0))
    assert sample.rgb.shape == (SIZE, SIZE, 3)
    assert sample.rgb.dtype == np.uint8
    maps = (sample.heat, sample.mask, sample.known, sample.directed, sample.log_length, sample.near)
    assert {each.shape for each in maps} == {(CELLS, CELLS)}
    assert sample.along.shape == (2, CELLS, CELLS)


def test_heat_is_highest_at_the_middle_of_the_nail() -> None:
    seen = 0
    for sample, y, x in whole(arrow()):
        rows, columns = np.nonzero(sample.mask > 0)
        length = UNIT_LENGTH * float(np.exp(sample.log_length[y, x])) / MAP_STRIDE
        # an arrow's centroid is a sixth of its length behind its middle
        weight = sample.mask[rows, columns]
        centroid = np.array([(columns * weight).sum(), (rows * weight).sum()]) / weight.sum()
        middle = centroid + sample.along[:, y, x] * length / 6
        assert np.hypot(*(middle - (x, y))) < 1
        assert 0.5 < sample.heat.max() <= 1
        seen += 1
    assert seen > 20


def test_lengths_are_those_of_the_scaled_nail() -> None:
    photo = arrow()
    area, length = float((photo.labels == 1).sum()), float(np.hypot(*photo.nails[0].along))
    lengths = []
    for sample, y, x in whole(photo):
        here = UNIT_LENGTH * float(np.exp(sample.log_length[y, x]))
        by_area = length * np.sqrt(float(sample.mask.sum()) * MAP_STRIDE**2 / area)
        assert here == pytest.approx(by_area, rel=0.08, abs=0.5)
        assert sample.near[y, x] == 1
        lengths.append(here)
    assert SHORTEST <= min(lengths) < 14
    assert 35 < max(lengths) <= LONGEST


def test_the_direction_turns_with_the_window() -> None:
    turns = []
    for sample, y, x in whole(arrow()):
        if sample.log_length[y, x] < np.log(28 / UNIT_LENGTH):
            continue  # too few cells to tell where it points
        assert sample.directed[y, x] == 1
        assert np.hypot(*sample.along[:, y, x]) == pytest.approx(1, abs=1e-5)
        assert float(sample.along[:, y, x] @ pointing(sample.mask)) > 0.95
        turns.append(sample.along[0, y, x])
    assert min(turns) < -0.5 < 0.5 < max(turns)


def test_an_unknown_direction_teaches_none_but_its_length_does() -> None:
    photo = arrow()
    photo.nails[0].directed = False
    for sample, y, x in whole(photo):
        assert not sample.directed.any()
        assert not sample.along.any()
        assert sample.near[y, x] == 1


def test_the_mask_is_the_share_of_each_cell() -> None:
    masks = [sample.mask for sample, _, _ in whole(arrow())]
    assert all(mask.min() >= 0 and mask.max() <= 1 for mask in masks)
    assert all(((mask > 0.1) & (mask < 0.9)).any() for mask in masks)
    assert any((mask == 1).any() for mask in masks)


def test_what_nobody_knows_is_not_known() -> None:
    photo = arrow()
    assert all((sample.known == 1).all() for sample, _, _ in whole(photo, 10))
    photo.labels[photo.labels == 0] = UNKNOWN
    for sample, _, _ in whole(photo, 10):
        assert (sample.known[sample.mask == 1] == 1).all()
        assert (sample.known == 0).any()


def test_a_photo_without_nails_is_all_quiet() -> None:
    photo = arrow()
    photo.nails.clear()
    photo.labels[:] = 0
    for seed in range(10):
        sample = window(photo, SIZE, np.random.default_rng(seed))
        assert not any(each.any() for each in (sample.heat, sample.mask, sample.near, sample.directed))
        assert (sample.known == 1).all()
