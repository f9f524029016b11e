from __future__ import annotations

import cv2
import numpy as np
import pytest

from media_worker.drawn_hand import Scene, draw
from media_worker.vision.arrays import Pixels
from media_worker.vision.crops import crop_matrix
from media_worker.vision.pictures import I420Picture, Picture, RgbPicture
from tests.media_worker.vision.test_crops import guess_at, mapped

HAND = draw(Scene(clutter=True), 0).rgb


def as_i420(rgb: Pixels) -> Pixels:
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420).astype(np.uint8, copy=False)


def both(rgb: Pixels) -> tuple[Picture, Picture]:
    """A frame as it comes in, and the same after OpenCV's conversion of the whole."""
    i420 = as_i420(rgb)
    return I420Picture(i420), RgbPicture(cv2.cvtColor(i420, cv2.COLOR_YUV2RGB_I420).astype(np.uint8, copy=False))


def apart(a: Pixels, b: Pixels) -> np.ndarray:
    assert a.shape == b.shape and a.dtype == b.dtype == np.uint8
    return np.asarray(np.abs(a.astype(int) - b.astype(int)))


def test_sizes_are_those_of_the_frame() -> None:
    for picture in both(np.zeros((48, 64, 3), np.uint8)):
        assert (picture.width, picture.height) == picture.size == (64, 48)
        assert picture.luma.shape == (48, 64)


@pytest.mark.parametrize("grey", [0, 60, 128, 255])
@pytest.mark.parametrize("colour", [(1, 1, 1), (1, 0.4, 0.2), (0.1, 0.5, 1)])
def test_colours_are_opencvs(grey: int, colour: tuple[float, float, float]) -> None:
    """Of a plain picture, so that nothing but the matrix matters."""
    i420, rgb = both(np.full((32, 32, 3), np.multiply(grey, colour), np.uint8))
    assert apart(i420.resized(32), rgb.resized(32)).max() <= 1
    assert apart(i420.resized(32), np.full((32, 32, 3), np.multiply(grey, colour), np.uint8)).max() <= 3


@pytest.mark.parametrize("length", [10, 29, 60, 150])
@pytest.mark.parametrize("turn", [0.0, 0.7, -2.5])
def test_parts_look_as_if_the_whole_had_been_converted(length: float, turn: float) -> None:
    i420, rgb = both(HAND)
    for x, y in ((320, 240), (250.3, 130.6), (5, 475)):  # the last one reaches beyond the frame
        matrix = crop_matrix(guess_at(x, y, length, turn), 64)
        difference = apart(i420.warp(matrix, 64), rgb.warp(matrix, 64))
        assert np.median(difference) <= 1 and difference.mean() < 2


@pytest.mark.parametrize("longest", [96, 320, 333, 640, 960])
def test_resized_pictures_do_too(longest: int) -> None:
    i420, rgb = both(HAND)
    assert max(i420.resized(longest).shape) == longest
    difference = apart(i420.resized(longest), rgb.resized(longest))
    assert np.median(difference) <= 1 and difference.mean() < 2


def test_colour_lies_where_light_does() -> None:
    """A chroma plane that is shifted by half of its pixels would put a nail's colour a pixel beside it."""
    rgb = np.full((240, 320, 3), 120, np.uint8)
    rgb[100:140, 150:190] = (220, 60, 60)  # its corners at even places, so that chroma pixels are pure
    matrix = crop_matrix(guess_at(170, 120, 40, 0.5), 96)
    crop = I420Picture(as_i420(rgb)).warp(matrix, 96).astype(float)
    red = crop[..., 0] - crop[..., 1]
    y, x = np.mgrid[:96, :96] + 0.5
    centroid = np.array([(red * x).sum(), (red * y).sum()]) / red.sum()
    assert np.allclose(centroid, mapped(matrix, np.array([[170.0, 120.0]]))[0], atol=0.2)


def test_small_never_enlarges() -> None:
    for picture in both(np.zeros((48, 64, 3), np.uint8)):
        assert picture.small(320).shape == (48, 64, 3)
        assert picture.small(32).shape == (24, 32, 3)


def test_light_is_a_view_of_the_frame_and_the_same_in_any_layout() -> None:
    """A stream that changes its layout is followed on."""
    i420 = as_i420(HAND)
    assert np.shares_memory(I420Picture(i420).luma, i420)
    assert apart(I420Picture(i420).luma, RgbPicture(HAND).luma).max() <= 1
