from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from media_worker.drawn_hand import Scene, draw
from media_worker.vision.hand_networks import PALM_SIZE, LandmarkNetwork, PalmNetwork
from media_worker.vision.hands import HandFinder
from media_worker.vision.pictures import RgbPicture
from media_worker.vision.still_hands import StillHandFinder

SQUARE = Scene(width=640, height=640, scale=0.6)

pytestmark = pytest.mark.media


@pytest.mark.parametrize("quarters", range(4))
def test_palms_are_where_they_are_drawn(hand_model: Path, quarters: int) -> None:
    drawing = draw(SQUARE, 0)
    rgb = np.rot90(drawing.rgb, quarters)
    small = cv2.resize(np.ascontiguousarray(rgb), (PALM_SIZE, PALM_SIZE), interpolation=cv2.INTER_AREA)
    (palm,) = PalmNetwork(hand_model)(small.astype(np.uint8))
    turn = np.linalg.matrix_power(np.array([[0, 1], [-1, 0]]), quarters)  # np.rot90 turns to the left
    wrist, knuckle = ((turn @ (drawing.joints[0][k] - 320) + 320) * PALM_SIZE / 640 for k in (0, 9))
    assert np.hypot(*(palm.wrist - wrist)) < 12
    assert np.hypot(*(palm.knuckle - knuckle)) < 12
    assert palm.score > 0.5
    assert np.hypot(*(palm.box[:2] - (wrist + knuckle) / 2)) < 12


def test_an_empty_picture_shows_neither_palm_nor_hand(hand_model: Path) -> None:
    grey = np.full((224, 224, 3), 128, np.uint8)
    assert PalmNetwork(hand_model)(grey[:PALM_SIZE, :PALM_SIZE]) == []
    assert LandmarkNetwork(hand_model)(grey).presence < 0.5


def test_hands_are_those_of_mediapipe(hand_model: Path) -> None:
    """Its own graph over the same two networks; what differs is how it cuts and scales, and bfloat16."""
    rgb = draw(Scene(hands=2), 0.4).rgb
    ours, still = HandFinder(hand_model).find(RgbPicture(rgb), 0), StillHandFinder(hand_model)
    theirs = still.find(rgb)
    still.close()
    assert sorted(hand.side for hand in ours) == sorted(hand.side for hand in theirs) == ["left", "right"]
    for hand in theirs:
        mine = next(each for each in ours if each.side == hand.side)
        assert np.hypot(*(mine.landmarks - hand.landmarks).T).mean() < 0.03 * hand.size
        assert mine.score == pytest.approx(hand.score, abs=0.05)
        assert np.corrcoef(mine.depth, hand.depth)[0, 1] > 0.9
        assert np.abs(mine.depth).mean() == pytest.approx(np.abs(hand.depth).mean(), rel=0.4)
