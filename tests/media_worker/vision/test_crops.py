from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_worker.vision.arrays import Floats, Pixels
from media_worker.vision.coverage import coverage
from media_worker.vision.crops import SPAN, Pyramid, crop_matrix
from media_worker.vision.finder import Guess

ANGLES = st.floats(-np.pi, np.pi)


def guess_at(x: float, y: float, length: float, turn: float = 0.0) -> Guess:
    """`turn` in radians, clockwise, from pointing up."""
    return Guess(np.array([x, y]), length * np.array([np.sin(turn), -np.cos(turn)]))


def mapped(matrix: Floats, points: Floats) -> Floats:
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2])


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


@given(turn=ANGLES, length=st.floats(2, 400), size=st.sampled_from([64, 96, 128]))
def test_the_guess_stands_upright_in_the_middle_of_its_crop(turn: float, length: float, size: int) -> None:
    guess = guess_at(210, 130, length, turn)
    matrix = crop_matrix(guess, size)
    ends = mapped(matrix, np.stack([guess.centre - guess.along / 2, guess.centre, guess.centre + guess.along / 2]))
    half = size / SPAN / 2
    assert np.allclose(
        ends, [(size / 2, size / 2 + half), (size / 2, size / 2), (size / 2, size / 2 - half)], atol=1e-6
    )


def test_crops_are_turned_and_never_mirrored() -> None:
    right_of_it = np.array([[110.0, 100.0]])
    assert mapped(crop_matrix(guess_at(100, 100, 20), 64), right_of_it)[0, 0] > 32
    assert mapped(crop_matrix(guess_at(100, 100, 20, np.pi), 64), right_of_it)[0, 0] < 32
    assert np.linalg.det(crop_matrix(guess_at(100, 100, 20, 1.0), 64)[:, :2]) > 0


@given(turn=ANGLES, length=st.floats(5, 400))
def test_there_and_back_is_the_same_place(turn: float, length: float) -> None:
    matrix = crop_matrix(guess_at(700, 400, length, turn), 64)
    points = np.array([[690.0, 395.0], [705.0, 420.0], [700.0, 400.0]])
    back = cv2.invertAffineTransform(matrix)
    assert np.allclose(mapped(np.asarray(back), mapped(matrix, points)), points, atol=0.1)


def test_a_guess_without_length_has_a_crop() -> None:
    matrix = crop_matrix(Guess(np.array([50.0, 50.0]), np.zeros(2)), 64)
    assert np.isfinite(matrix).all()
    assert Pyramid(disc(50, 50, 10, (100, 100))).warp(matrix, 64).shape == (64, 64, 3)


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
