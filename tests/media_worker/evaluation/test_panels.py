from __future__ import annotations

import numpy as np
import pytest

from media_worker.drawn_hand import Scene, draw
from media_worker.evaluation.panels import View, confidence_colour, mask_outlines, view_of, with_outlines
from media_worker.vision.coverage import coverage


def test_a_masks_outline_covers_the_same_pixels() -> None:
    mask = draw(Scene(), 0).mask() > 0
    outlines = mask_outlines(mask)
    assert len(outlines) == 5
    covered = np.maximum.reduce([coverage(points, 640, 480) for points in outlines]) > 0.5
    assert np.count_nonzero(covered ^ mask) < 0.05 * np.count_nonzero(mask)


def test_a_view_holds_all_points_and_stays_in_the_picture() -> None:
    view = view_of([np.array([(300, 100), (340, 130)], np.float32)], 640, 480)
    assert 0 <= view.left < 300 and 340 < view.right <= 640
    assert 0 <= view.top < 100 and 130 < view.bottom <= 480
    assert view.right - view.left == pytest.approx(240, abs=2), "half of the shorter side round a small nail"
    assert view_of([], 640, 480) == View(0, 0, 640, 480)
    beyond = view_of([np.array([(630, -20), (700, 20)], np.float32)], 640, 480)
    assert beyond.right == 640 and beyond.top == 0
    assert beyond.of(np.zeros((480, 640, 3), np.uint8)).shape[:2][::-1] == beyond.size


def test_outlines_are_drawn_where_they_are() -> None:
    picture = np.full((100, 200, 3), 90, np.uint8)
    view = View(50, 20, 150, 70, longest=500)
    panel = with_outlines(view.of(picture), view, [np.array([(80, 30), (120, 30), (120, 60), (80, 60)], np.float32)])
    assert panel.shape == (250, 500, 3)
    assert panel[50, 250].min() > 240, "y 30 of the picture is row 50"
    assert (panel[125, 250] == 90).all(), "the inside is left as it is"


def test_colours_run_from_red_to_cyan() -> None:
    assert confidence_colour(0) == (255, 64, 56)
    assert confidence_colour(0.5) == (255, 196, 0)
    assert confidence_colour(1) == confidence_colour(1.5) == (40, 220, 255)
    assert confidence_colour(0.25) == (255, 130, 28)
