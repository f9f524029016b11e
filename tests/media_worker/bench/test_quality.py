from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from media_worker.bench import quality
from media_worker.drawn_hand import Scene, draw
from media_worker.vision.nails import Nail


def test_nails_their_rim_and_the_number_are_left_out() -> None:
    outline = np.array([(290, 190), (310, 190), (310, 215), (290, 215)], np.float32)
    nail = Nail(None, None, outline, np.array([(300, 215), (300, 190)], np.float32), 1.0, 1.0)
    inside = quality.compared([nail], 480, 640)
    assert not inside[200, 300]
    assert not inside[: 480 // 16].any()
    assert not inside[200, 316]
    assert inside[200, 322]


@pytest.mark.media
def test_paint_does_not_count_and_blur_does(hand_model: Path) -> None:
    scene = Scene(still=True)
    sent = draw(scene, 0)
    painted = sent.rgb.copy()
    painted[sent.mask() > 0] = (179, 0, 27)
    assert quality.outside_nails([(sent.rgb, painted)], hand_model) == pytest.approx(1, abs=1e-6)
    blurred = cv2.GaussianBlur(sent.rgb, (0, 0), 5).astype(np.uint8)
    smaller = cv2.resize(sent.rgb, (160, 120), interpolation=cv2.INTER_AREA).astype(np.uint8)
    for worse in (blurred, smaller):
        found = quality.outside_nails([(sent.rgb, worse)], hand_model)
        assert found is not None
        assert found < 0.98, "little, as walls are smooth"


def test_no_pictures_no_figure(hand_model: Path) -> None:
    assert quality.outside_nails([], hand_model) is None
