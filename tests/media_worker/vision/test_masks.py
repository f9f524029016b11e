from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_worker.vision.arrays import Floats
from media_worker.vision.coverage import coverage
from media_worker.vision.crops import crop_matrix
from media_worker.vision.finder import Guess
from media_worker.vision.masks import CALIBRATION, FINE, OUTLINE_POINTS, RAW, Calibration, CropMask, nail_of
from media_worker.vision.nails import Nail
from protocol.designs import Finger

CELLS = 32
"""A side of the crop network's mask."""

LENGTH = 64 / 2.2
"""Of a guess whose crop of 64 pixels has the frame's scale."""

UP = np.array([0.0, -1.0])
CENTRE = np.array([310.4, 207.7])
GUESS = Guess(CENTRE, LENGTH * UP, Finger.RING, "left")


def ellipse(centre: Floats, half_length: float, half_width: float, degrees: float, points: int = 720) -> Floats:
    """(points, 2): 0° stands upright, more is turned clockwise; the first point is the upper end."""
    angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
    along, across = direction(degrees), direction(degrees + 90)
    return np.asarray(
        centre + np.outer(np.cos(angle) * half_length, along) + np.outer(np.sin(angle) * half_width, across)
    )


def direction(degrees: float) -> Floats:
    return np.array([np.sin(np.radians(degrees)), -np.cos(np.radians(degrees))])


def seen(*outlines: Floats, guess: Guess = GUESS, presence: float = 6.0, degrees: float = 0.0) -> CropMask:
    """What a perfect crop network says of polygons in the frame."""
    matrix = crop_matrix(guess, CELLS)
    parts = [coverage(points @ matrix[:, :2].T + matrix[:, 2], CELLS, CELLS) for points in outlines]
    turned = matrix[:, :2] @ direction(degrees)
    return CropMask.of(8 * np.max(parts, axis=0) - 4, presence, turned / np.hypot(*turned))


def nail_in(mask: CropMask, guess: Guess = GUESS) -> Nail:
    nail = nail_of(guess, mask, RAW)
    assert nail is not None
    return nail


def distances(points: Floats, outline: Floats) -> Floats:
    """From each point to the outline."""
    return np.asarray(np.hypot(*(points[:, None] - outline[None]).transpose(2, 0, 1)).min(axis=1))


@pytest.mark.parametrize("turn_of_guess", [0.0, 35.0, -140.0])
@pytest.mark.parametrize(("degrees", "shift"), [(0.0, (0, 0)), (12.0, (2.0, -1.5)), (-25.0, (-3.0, 2.0))])
def test_an_ellipse_comes_back_to_half_a_pixel(
    turn_of_guess: float, degrees: float, shift: tuple[float, float]
) -> None:
    guess = Guess(CENTRE, LENGTH * direction(turn_of_guess), Finger.RING, "left")
    pointing = turn_of_guess + degrees
    truth = ellipse(CENTRE + shift, 13, 9, pointing)
    nail = nail_in(seen(truth, guess=guess, degrees=pointing), guess)
    assert distances(nail.outline, truth).max() < 0.5
    assert distances(truth, np.asarray(dense(nail.outline))).max() < 0.5
    off = (nail.axis - truth[[360, 0]]) @ np.stack([direction(pointing), direction(pointing + 90)], axis=1)
    assert np.abs(off[:, 0]).max() < 0.5, "cuticle, then free edge"
    assert np.abs(off[:, 1]).max() < 0.7


def dense(outline: Floats) -> Floats:
    """Points along a closed polygon's edges."""
    steps = np.linspace(0, 1, 20, endpoint=False)[:, None, None]
    return np.asarray((outline + steps * (np.roll(outline, -1, axis=0) - outline)).reshape(-1, 2))


def test_a_nail_bears_its_guess_s_name() -> None:
    nail = nail_in(seen(ellipse(CENTRE, 13, 9, 0)))
    assert (nail.finger, nail.hand, nail.visibility) == (Finger.RING, "left", 1.0)
    assert nail.outline.shape == (OUTLINE_POINTS, 2) and nail.outline.dtype == nail.axis.dtype == np.float32


def test_points_of_the_outline_are_evenly_spaced() -> None:
    outline = nail_in(seen(ellipse(CENTRE, 16, 6, 0))).outline
    steps = np.hypot(*np.diff(outline, axis=0, append=outline[:1]).T)
    assert steps.max() / steps.min() < 1.4


def test_only_the_largest_part_is_the_nail() -> None:
    nail, speck = ellipse(CENTRE, 13, 9, 0), ellipse(CENTRE + np.array([20, 18]), 5, 4, 0)
    assert distances(nail_in(seen(nail, speck)).outline, nail).max() < 0.5


def test_a_speck_is_no_nail() -> None:
    assert nail_of(GUESS, seen(ellipse(CENTRE, 1.2, 1.2, 0)), RAW, least=0) is None
    nothing = CropMask(np.full((FINE, FINE), -8.0, np.float32), 8.0, UP)
    assert nail_of(GUESS, nothing, RAW, least=0) is None


def test_confidence_is_presence() -> None:
    outline = ellipse(CENTRE, 13, 9, 0)
    sure = nail_in(seen(outline))
    doubtful = nail_in(seen(outline, presence=1.0))
    assert sure.confidence > 0.9 > doubtful.confidence > 0.6
    assert nail_of(GUESS, seen(outline, presence=-1.0), RAW) is None
    assert nail_of(GUESS, seen(outline, presence=1.0), RAW, least=0.9) is None


def test_several_looks_are_averaged() -> None:
    wide, narrow = seen(ellipse(CENTRE, 13, 10, 0), presence=2), seen(ellipse(CENTRE, 13, 8, 0), presence=4)
    both = CropMask.mean([wide, narrow])
    assert both.presence == 3
    assert nail_in(narrow).width < nail_in(both).width < nail_in(wide).width


def test_a_mask_keeps_its_place_whatever_its_size() -> None:
    blob: Floats = np.full((24, 24), -6.0)
    blob[9:15, 6:12] = 6  # the middle third in height
    masks = [cv2.resize(blob, (size, size), interpolation=cv2.INTER_LINEAR) for size in (24, 32, 48)]
    for mask in masks:
        y, x = np.nonzero(CropMask.of(np.asarray(mask, np.float32), 0, UP).logits > 0)
        assert (x.mean() + 0.5) / FINE == pytest.approx(9 / 24, abs=0.01)
        assert (y.mean() + 0.5) / FINE == pytest.approx(12 / 24, abs=0.01)


@given(a=st.floats(-20, 20), b=st.floats(-20, 20))
def test_calibration_keeps_the_order(a: float, b: float) -> None:
    low, high = sorted([a, b])
    for calibration in (RAW, CALIBRATION, Calibration(-1.5, 0.7, 2.0)):
        assert 0 <= calibration(low, expected=False) <= calibration(high, expected=False) <= 1


@given(presence=st.floats(-8, 8))
def test_what_landmarks_expect_is_likelier_a_nail(presence: float) -> None:
    assert RAW(presence, expected=False) == pytest.approx(1 / (1 + np.exp(-presence)))
    assert CALIBRATION(presence, expected=True) > CALIBRATION(presence, expected=False)
    named = nail_in(seen(ellipse(CENTRE, 13, 9, 0), presence=3.0))
    nameless = nail_in(seen(ellipse(CENTRE, 13, 9, 0), presence=3.0), replace(GUESS, finger=None))
    assert named.confidence == nameless.confidence, "the raw score does not know names"


@pytest.mark.parametrize("bite", [0.0, 0.8])
def test_nails_have_no_bites(bite: float) -> None:
    """A mask that fills too little of its convex hull is a hole between fingers, or a fold of paper."""
    outline = ellipse(CENTRE, 13, 9, 0)
    inward = outline[:, 0] > CENTRE[0] + 2
    outline[inward, 0] -= 2 * bite * (outline[inward, 0] - CENTRE[0] - 2)
    assert (nail_of(GUESS, seen(outline), RAW, least=0) is None) == (bite > 0)
