from __future__ import annotations

import numpy as np
import pytest

from media_worker.polish.extraction.rectify import flatten
from media_worker.polish.nail_space import NailSpace
from media_worker.vision.arrays import Pixels
from media_worker.vision.nails import Nail
from protocol.nail_sets import NAIL_SIZE
from tests.media_worker.polish.extraction.flat_nails import nail


def painted(width: int, height: int, each: Nail) -> Pixels:
    """u as red and v as green over the whole picture."""
    u, v = NailSpace.of(each.outline, each.axis).coordinates(0, 0, width, height)
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[..., 0], rgb[..., 1] = np.clip(127 + 100 * u, 0, 255), np.clip(27 + 200 * v, 0, 255)
    return rgb


@pytest.mark.parametrize("degrees", [0, 37, 120, -90])
@pytest.mark.parametrize("size", [0.6, 1, 6])
def test_a_nail_lies_flat_whatever_its_direction_and_size(degrees: float, size: float) -> None:
    each = nail(200 * size, 200 * size, degrees=degrees, width=40 * size, length=56 * size)
    flat = flatten(painted(round(400 * size), round(400 * size), each), each)
    assert flat is not None
    centres = (np.arange(NAIL_SIZE) + 0.5) / NAIL_SIZE
    u, v = 127 + 100 * (2 * centres - 1), 27 + 200 * centres
    assert np.abs(flat.rgb[64, :, 0] - u)[8:-8].max() < 4
    assert np.abs(flat.rgb[:, 64, 1] - v)[8:-8].max() < 4
    assert flat.scale == pytest.approx(48 * size / NAIL_SIZE, rel=0.05)


def test_inside_keeps_clear_of_the_outline() -> None:
    each = nail(100, 100)
    flat = flatten(np.zeros((200, 200, 3), np.uint8), each)
    assert flat is not None
    assert flat.inside[64, 64] and not flat.inside[64, :5].any() and not flat.inside[64, -5:].any()
    assert 0.5 < flat.inside.mean() < 0.8


def test_what_the_frame_cuts_off_is_not_inside() -> None:
    flat = flatten(np.zeros((200, 100, 3), np.uint8), nail(100, 100))
    assert flat is not None
    assert not flat.inside[:, NAIL_SIZE // 2 + 2 :].any()


def test_nothing_comes_of_a_nail_outside_of_the_picture() -> None:
    assert flatten(np.zeros((50, 50, 3), np.uint8), nail(300, 300)) is None
