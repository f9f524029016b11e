from __future__ import annotations

from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest

from media_worker.drawn_hand import Scene, draw
from media_worker.vision import still_hands
from media_worker.vision.models import ModelUnavailable
from media_worker.vision.still_hands import StillHandFinder
from protocol.errors import VisionFailed


@pytest.mark.media
def test_closing_twice_is_fine_and_then_it_is_over(hand_model: Path) -> None:
    finder = StillHandFinder(hand_model)
    finder.close()
    finder.close()
    with pytest.raises(VisionFailed, match="closed"):
        finder.find(np.zeros((48, 64, 3), np.uint8))


def test_a_model_that_is_none_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"nothing\.task cannot be read"):
        StillHandFinder(tmp_path / "nothing.task")


@pytest.mark.media
@pytest.mark.parametrize("turn", [0, 90, 180, -90])
def test_photos_are_turned_until_a_hand_is_found(hand_model: Path, turn: int) -> None:
    drawing = draw(Scene(width=480, height=480), 0)
    turned = np.rot90(drawing.rgb, turn // 90)
    x, y = drawing.joints[0].T
    joints = np.stack({0: (x, y), 90: (y, 480 - x), 180: (480 - x, 480 - y), -90: (480 - y, x)}[turn], axis=1)
    finder = StillHandFinder(hand_model)
    try:
        (hand,) = finder.find(turned)
    finally:
        finder.close()
    assert np.hypot(*(hand.landmarks - joints).T).mean() < 0.1 * hand.size


@pytest.mark.media
def test_a_hand_that_fills_the_photo_is_found_by_padding(hand_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = draw(Scene(width=1200, height=1200), 0)
    low, high = whole.joints[0].min(axis=0).astype(int) - 45, whole.joints[0].max(axis=0).astype(int) + 25
    photo = np.ascontiguousarray(whole.rgb[low[1] : high[1], low[0] : high[0]])
    finder = StillHandFinder(hand_model)
    try:
        (hand,) = finder.find(photo)
    finally:
        finder.close()
    assert np.hypot(*(hand.landmarks - (whole.joints[0] - low)).T).mean() < 0.1 * hand.size


@pytest.mark.media
def test_landmarks_do_not_shift_with_the_size_of_what_mediapipe_sees(hand_model: Path) -> None:
    """Half a pixel lost in two fifths of a picture is 0.75 of its pixels. What blur moves turns with the hand."""
    shifts = []
    with closing(StillHandFinder(hand_model)) as finder:
        for turns in range(4):
            rgb = np.ascontiguousarray(np.rot90(draw(Scene(width=640, height=640, scale=0.6), 0).rgb, turns))
            small = cv2.resize(rgb, (256, 256), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
            (large_hand,), (small_hand,) = finder.find(rgb), finder.find(small)
            shifts.append((2.5 * small_hand.landmarks - large_hand.landmarks).mean(axis=0))
    assert np.abs(np.median(shifts, axis=0)).max() < 0.4


def test_landmarks_come_back_through_padding_and_turning() -> None:
    picture = np.zeros((60, 80, 3), np.uint8)
    cv2.circle(picture, (20, 15), 2, (255, 255, 255), -1)
    for padding, turn in still_hands.STILL_ATTEMPTS:
        turned, back = still_hands._pad_and_turn(picture, padding, turn)
        y, x = np.unravel_index(turned.sum(axis=2, dtype=int).argmax(), turned.shape[:2])
        assert np.hypot(*(back @ (x, y, 1) - (20, 15))) < 4, (padding, turn)
