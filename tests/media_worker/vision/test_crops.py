from __future__ import annotations

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from media_worker.vision.arrays import Floats
from media_worker.vision.crops import SPAN, crop_matrix
from media_worker.vision.finder import Guess
from media_worker.vision.pyramids import Pyramid

ANGLES = st.floats(-np.pi, np.pi)


def guess_at(x: float, y: float, length: float, turn: float = 0.0) -> Guess:
    """`turn` in radians, clockwise, from pointing up."""
    return Guess(np.array([x, y]), length * np.array([np.sin(turn), -np.cos(turn)]))


def mapped(matrix: Floats, points: Floats) -> Floats:
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2])


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
    assert Pyramid(np.zeros((100, 100, 3), np.uint8)).warp(matrix, 64).shape == (64, 64, 3)
