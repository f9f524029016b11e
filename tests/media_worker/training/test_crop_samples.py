from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from media_worker.training.crop_samples import CropSample, absent, negative, patches_of, positive
from media_worker.training.photos import UNKNOWN, Photo, measured
from media_worker.vision.crops import SPAN
from media_worker.vision.finder import Guess
from tests.media_worker.training.drawn_photos import arrow, pointing

SEEDS = range(40)


def shown(photo: Photo, size: int = 64) -> list[CropSample]:
    (patch,) = patches_of(photo)
    return [positive(patch, size, np.random.default_rng(seed)) for seed in SEEDS]


@pytest.mark.parametrize("size", [64, 96])
def test_the_nail_is_in_the_middle_at_about_the_usual_size(size: int) -> None:
    lengths = []
    for sample in shown(arrow(), size):
        assert sample.rgb.shape == (size, size, 3)
        assert sample.rgb.dtype == sample.mask.dtype == sample.known.dtype == np.uint8
        assert sample.present == 1
        y, x = np.nonzero(sample.mask > 127)
        # at most 0.33 lengths off either way, enlarged by at most e^0.5; an arrow's centroid is 1/6 off its middle
        furthest = (0.33 * np.sqrt(2) + 1 / 6) * np.exp(0.5) / SPAN * size
        assert np.hypot(x.mean() - size / 2, y.mean() - size / 2) < furthest + 1
        lengths.append(np.hypot(np.ptp(x), np.ptp(y)))
    assert np.median(lengths) == pytest.approx(size / SPAN, rel=0.2)


def test_the_direction_turns_and_flips_with_the_crop() -> None:
    samples = shown(arrow())
    for sample in samples:
        assert np.hypot(*sample.along) == pytest.approx(1)
        assert float(np.dot(sample.along, pointing(sample.mask))) > 0.98
    assert np.mean([sample.along[1] < -0.7 for sample in samples]) > 0.7  # mostly upright
    assert min(sample.along[1] for sample in samples) < -0.9 < 0.3 < max(sample.along[1] for sample in samples)


def test_half_of_the_crops_are_mirror_images() -> None:
    photo = arrow()
    photo.labels[140:152, 160:240] = UNKNOWN  # one side of the nail, so that left and right can be told apart
    photo.labels[132:140, 100:300] = UNKNOWN
    sides = []
    for sample in shown(photo):
        y, x = np.nonzero(sample.known == 0)
        away = np.array([x.mean(), y.mean()]) - np.argwhere(sample.mask > 127).mean(axis=0)[::-1]
        sides.append(float(sample.along[0] * away[1] - sample.along[1] * away[0]) > 0)
    assert 0.25 < np.mean(sides) < 0.75


def test_nails_of_unknown_direction_are_shown_either_way_up_and_teach_none() -> None:
    photo = arrow()
    photo.nails = [replace(photo.nails[0], directed=False)]
    samples = shown(photo)
    assert all(not sample.along.any() for sample in samples)
    assert 0.2 < np.mean([pointing(sample.mask)[1] < 0 for sample in samples]) < 0.8


def test_what_nobody_knows_is_not_known() -> None:
    photo = arrow()
    photo.labels[:, 250:] = UNKNOWN
    for sample in shown(photo):
        assert set(np.unique(sample.known)) <= {0, 255}
        assert (sample.known[sample.mask == 255] == 255).all()
    assert sum((sample.known == 0).any() for sample in shown(photo)) > len(SEEDS) / 2
    assert all((sample.known == 255).all() for sample in shown(arrow()))


def test_a_negative_shows_no_nail_in_its_middle() -> None:
    """All but a sliver of the nail is UNKNOWN, so that `known` shows where it came to lie."""
    photo = arrow()
    sliver = photo.labels.copy()
    sliver[:, 162:] = np.where(sliver[:, 162:] > 0, UNKNOWN, 0)
    (patch,) = patches_of(replace(photo, labels=sliver))
    found = [negative(patch, 64, np.random.default_rng(seed)) for seed in SEEDS]
    samples = [sample for sample in found if sample is not None]
    assert len(samples) > len(SEEDS) / 2
    for sample in samples:
        assert sample.present == 0
        assert not sample.mask.any()
        assert not sample.along.any()
        assert (sample.known[16:-16, 16:-16] == 255).all()
    assert any((sample.known == 0).any() for sample in samples)  # it lies in a corner here and there


def test_where_nails_are_everywhere_there_is_no_negative() -> None:
    labels = np.ones((200, 200), np.int16)
    photo = Photo("full", np.zeros((200, 200, 3), np.uint8), labels, [measured(labels, 1, np.array([0.0, -1.0]))])
    (patch,) = patches_of(photo)
    assert negative(patch, 64, np.random.default_rng(0)) is None


def test_absent_shows_the_place_and_teaches_that_it_is_none() -> None:
    rgb = np.zeros((200, 300, 3), np.uint8)
    cv2.circle(rgb, (220, 60), 14, (255, 255, 255), -1)
    guess = Guess(np.array([220.0, 60.0]), np.array([0.0, -30.0]))
    for seed in SEEDS:
        sample = absent(rgb, guess, 64, np.random.default_rng(seed))
        assert sample.present == 0
        assert not sample.mask.any()
        assert not sample.along.any()
        assert (sample.known == 255).all()
        middle, corners = sample.rgb[26:38, 26:38], sample.rgb[::63, ::63]
        assert float(middle.mean()) > float(corners.mean())


def test_the_same_generator_gives_the_same_sample() -> None:
    (patch,) = patches_of(arrow())
    first, again, other = (positive(patch, 64, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert np.array_equal(first.rgb, again.rgb)
    assert np.array_equal(first.mask, again.mask)
    assert not np.array_equal(first.rgb, other.rgb)


def test_large_nails_are_kept_small() -> None:
    labels = np.zeros((1200, 1200), np.int16)
    labels[300:900, 400:800] = 1
    photo = Photo("close", np.zeros((1200, 1200, 3), np.uint8), labels, [measured(labels, 1, np.array([0.0, -1.0]))])
    (patch,) = patches_of(photo)
    assert patch.nail.along == pytest.approx((0, -150))
    assert patch.labels.shape == (300, 300)
    assert patch.nail.centre == pytest.approx((150, 150))
