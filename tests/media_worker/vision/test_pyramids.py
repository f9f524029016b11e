from __future__ import annotations

import numpy as np
import pytest

from media_worker.vision.arrays import Floats, Pixels
from media_worker.vision.coverage import coverage
from media_worker.vision.crops import crop_matrix
from media_worker.vision.pyramids import Pyramid, warp_labels
from tests.media_worker.vision.test_crops import guess_at, mapped


def disc(x: float, y: float, radius: float, size: tuple[int, int]) -> Pixels:
    """A white disc on black, exact to a fraction of a pixel; `size` is width and height."""
    angle = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    outline = np.stack([x + radius * np.cos(angle), y + radius * np.sin(angle)], axis=1)
    return np.repeat((255 * coverage(outline, *size)).astype(np.uint8)[..., None], 3, axis=2)


def centroid(picture: Pixels) -> Floats:
    """(2,) x and y of the light, counted from the corner of the first pixel."""
    light = picture[..., 0].astype(np.float64)
    y, x = np.mgrid[: light.shape[0], : light.shape[1]] + 0.5
    return np.array([(light * x).sum() / light.sum(), (light * y).sum() / light.sum()])


@pytest.mark.parametrize("length", [12, 29, 40, 70, 150, 300])
@pytest.mark.parametrize("turn", [0.0, 0.7, -2.5])
def test_pixels_land_where_the_matrix_says_at_every_level(length: float, turn: float) -> None:
    """A shrunken picture that is shifted by half a pixel would shift the nails of large photos by several."""
    guess = guess_at(503.3, 402.6, length, turn)
    spot = guess.centre + 0.6 * length * np.array([np.cos(turn + 1), np.sin(turn + 1)])
    pyramid = Pyramid(disc(spot[0], spot[1], max(0.12 * length, 3), (1001, 803)))
    matrix = crop_matrix(guess, 64)
    crop = pyramid.warp(matrix, 64)
    assert np.allclose(centroid(crop), mapped(matrix, spot[None])[0], atol=0.1)


def test_levels_are_halves_and_keep_the_picture_as_it_came() -> None:
    picture = disc(20, 20, 8, (101, 60))
    pyramid = Pyramid(picture)
    assert pyramid.level(0) is picture
    assert [pyramid.level(k).shape for k in (1, 2, 7)] == [(30, 50, 3), (15, 25, 3), (1, 1, 3)]


def test_fine_patterns_become_grey_instead_of_coarse() -> None:
    board = (np.indices((512, 512)).sum(axis=0) % 2 * 255).astype(np.uint8)
    crop = Pyramid(np.repeat(board[..., None], 3, axis=2)).warp(crop_matrix(guess_at(256, 256, 120, 0.3), 64), 64)
    assert np.abs(crop.astype(int) - 127).max() < 12


def test_beyond_the_edge_the_picture_is_mirrored() -> None:
    white = np.full((100, 100, 3), 255, np.uint8)
    assert Pyramid(white).warp(crop_matrix(guess_at(0, 0, 40), 64), 64).min() == 255


@pytest.mark.parametrize("turn", [0.0, 0.7, -2.5])
def test_labels_land_where_the_picture_does(turn: float) -> None:
    spot = disc(60.3, 40.7, 9, (120, 90))
    matrix = crop_matrix(guess_at(55, 45, 28, turn), 64)
    labels = warp_labels((spot[..., 0] > 127).astype(np.int16) * 300, matrix, 64)
    assert labels.dtype == np.int16 and set(np.unique(labels)) == {0, 300}
    y, x = np.nonzero(labels)
    assert np.allclose((x.mean() + 0.5, y.mean() + 0.5), centroid(Pyramid(spot).warp(matrix, 64)), atol=0.2)


def test_there_are_no_labels_beyond_the_edge() -> None:
    labels = warp_labels(np.ones((100, 100), np.int16), crop_matrix(guess_at(0, 50, 40), 64), 64)
    assert not labels[:, :31].any() and labels[:, 33:].all()
