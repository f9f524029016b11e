from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from media_worker.polish.canvas import Patch
from media_worker.polish.overlaps import finger, uncovered
from media_worker.polish.silhouettes import Silhouette, silhouette
from media_worker.vision.arrays import Floats
from media_worker.vision.coverage import coverage
from media_worker.vision.nails import Nail
from protocol.designs import Finger, Length, Shape


def nail(x: float = 200.0, y: float = 200.0) -> Nail:
    """Upright, 30x38 px, its tip at the top."""
    angles = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    outline = np.stack([x + 15 * np.cos(angles), y + 19 * np.sin(angles)], axis=1)
    axis = np.array([[x, y + 19], [x, y - 19]])
    return Nail(Finger.INDEX, "right", outline.astype(np.float32), axis.astype(np.float32), 1.0, 1.0)


LOWER, UPPER = nail(), nail(204, 140)
"""A long tip of the lower one reaches the upper one."""


def long(of: Nail) -> tuple[Silhouette, Patch]:
    made = silhouette(of, Shape.SQUARE, Length.LONG)
    patch = Patch.around(made.outline, 400, 400)
    assert patch is not None
    return made, patch


def inside(outline: Floats, patch: Patch) -> Floats:
    return coverage(outline - (patch.left, patch.top), patch.width, patch.height)


def test_a_tip_stays_behind_a_finger_whose_nail_it_would_cover() -> None:
    made, patch = long(LOWER)
    left = uncovered(made, patch, [LOWER, UPPER])
    assert left is not None
    assert left.shape == (patch.height, patch.width)
    assert left[inside(UPPER.outline, patch) > 0.99].max() == 0
    assert left[inside(finger(UPPER), patch) > 0.99][:5].max() < 0.01, "nor is its skin painted"


def test_the_nail_itself_is_never_hidden() -> None:
    made, patch = long(LOWER)
    left = uncovered(made, patch, [UPPER])
    assert left is not None
    assert left[inside(LOWER.outline, patch) > 0].min() == 1


@pytest.mark.parametrize("other", [nail(240, 190), nail(204, 80), nail(200, 270), replace(UPPER, visibility=0.0)])
def test_neighbours_that_no_tip_reaches_hide_nothing(other: Nail) -> None:
    """Beside, above, below, and one that has faded."""
    made, patch = long(LOWER)
    assert uncovered(made, patch, [LOWER, other]) is None


def test_own_nails_are_not_cut() -> None:
    made = silhouette(LOWER, Shape.NATURAL, Length.NATURAL)
    patch = Patch.around(made.outline, 400, 400)
    assert patch is not None
    assert uncovered(made, patch, [LOWER, nail(205, 195)]) is None


def test_a_finger_is_wider_than_its_nail_and_goes_on_behind_it() -> None:
    polygon = finger(nail())
    for point, within in [((200, 178), True), ((200, 174), False), ((219, 200), True), ((222, 200), False)]:
        assert (cv2.pointPolygonTest(polygon, point, False) > 0) is within, point
    assert cv2.pointPolygonTest(polygon, (200.0, 260.0), False) > 0, "behind the cuticle"
