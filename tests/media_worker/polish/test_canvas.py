from __future__ import annotations

import cv2
import numpy as np
import pytest

from media_worker.drawn_hand import Scene, draw
from media_worker.polish.canvas import OVERVIEW, Canvas, I420Canvas, Patch, RgbCanvas

RGB = draw(Scene(noise=0), 0.4).rgb
I420 = cv2.cvtColor(RGB, cv2.COLOR_RGB2YUV_I420).astype(np.uint8)
BOTH: list[Canvas] = [RgbCanvas(RGB), I420Canvas(I420)]


def corners(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


def test_patches_are_even_but_reach_the_border_of_an_odd_frame() -> None:
    patch = Patch.around(corners(11, 13, 30, 41), 100, 100)
    assert patch is not None
    assert all(side % 2 == 0 for side in (patch.left, patch.top, patch.right, patch.bottom))
    assert patch.left <= 9 and patch.right >= 32 and patch.top <= 11 and patch.bottom >= 43
    border = Patch.around(corners(80, 80, 120, 120), 101, 99)
    assert border is not None
    assert (border.right, border.bottom) == (101, 99)


def test_a_patch_in_a_larger_one() -> None:
    larger, patch = Patch(10, 20, 60, 80), Patch(12, 30, 40, 50)
    pixels = np.arange(100 * 100).reshape(100, 100)
    assert np.array_equal(pixels[larger.slices][patch.slices_of(larger)], pixels[patch.slices])
    assert patch.corner.tolist() == [12, 30]


def test_nothing_of_a_patch_beyond_the_frame_or_left_of_the_split() -> None:
    assert Patch.around(corners(-40, 5, -10, 30), 100, 100) is None
    assert Patch.around(corners(10, 5, 40, 30), 100, 100, left=60) is None


@pytest.mark.parametrize("canvas", BOTH)
def test_samples_lie_between_pixel_middles(canvas: Canvas) -> None:
    x = np.array([[100.5, 320.5, 500.0]], np.float32)
    y = np.array([[50.5, 240.5, 100.0]], np.float32)
    expected = [RGB[50, 100], RGB[240, 320], RGB[99:101, 499:501].mean(axis=(0, 1))]
    assert np.abs(canvas.sample(x, y)[0].astype(float) - expected).max() < 12, "chroma has half the pixels"


@pytest.mark.parametrize("canvas", BOTH)
def test_beyond_the_border_lies_its_last_pixel(canvas: Canvas) -> None:
    outside = canvas.sample(np.array([[-9.0]], np.float32), np.array([[200.0]], np.float32))
    assert np.abs(outside[0, 0].astype(int) - RGB[200, 0]).max() < 6


@pytest.mark.parametrize("canvas", BOTH)
def test_an_overview_is_small_and_has_the_frame_s_colours(canvas: Canvas) -> None:
    overview = canvas.overview()
    assert OVERVIEW <= max(overview.shape[:2]) <= 2 * OVERVIEW
    assert np.abs(overview.mean(axis=(0, 1)) - RGB.mean(axis=(0, 1))).max() < 4


def test_tiny_frames_have_an_overview_too() -> None:
    assert RgbCanvas(RGB[:5, :7]).overview().shape == (5, 7, 3)
    assert I420Canvas(np.full((6, 4), 128, np.uint8)).overview().size > 0


def test_what_does_not_change_keeps_its_bytes() -> None:
    planes = I420.copy()
    canvas = I420Canvas(planes)
    patch = Patch(100, 100, 140, 160)
    before = canvas.read(patch)
    canvas.write(patch, before, before.copy())
    assert np.array_equal(planes, I420)
    canvas.write(patch, before, np.where(np.arange(40)[None, :, None] < 20, before, 255).astype(np.uint8))
    assert np.array_equal(planes[100:160, :120], I420[100:160, :120])
    assert planes[100:160, 122:138].min() > 225
