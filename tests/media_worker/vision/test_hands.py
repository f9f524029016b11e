from __future__ import annotations

from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest

from media_worker.drawn_hand import Scene, draw
from media_worker.vision import hands as hands_module
from media_worker.vision.hands import Hand, HandFinder, StillHandFinder, distance
from media_worker.vision.models import ModelUnavailable
from media_worker.vision.pictures import RgbPicture
from protocol.errors import VisionFailed
from tests.media_worker.vision.hand_fakes import FakeLandmarker, a_hand, moved

EMPTY = RgbPicture(np.zeros((48, 64, 3), np.uint8))
FRAME_MS = 33


@pytest.fixture
def finder(monkeypatch: pytest.MonkeyPatch) -> HandFinder:
    monkeypatch.setattr(hands_module, "_Landmarker", FakeLandmarker)
    monkeypatch.setattr(FakeLandmarker, "visible", [])
    return HandFinder(Path("unused"))


def run(finder: HandFinder, frames: range, visible: list[Hand]) -> list[int]:
    FakeLandmarker.visible = visible
    return [len(finder.find(EMPTY, frame * FRAME_MS)) for frame in frames]


def calls(finder: HandFinder) -> tuple[int, int]:
    """How often the landmarkers with one slot and with two worked."""
    return len(finder._solo.timestamps), len(finder._pair.timestamps)  # type: ignore[attr-defined]


LEFT, RIGHT = moved(a_hand(), mirror=True, by=(200, 0)), a_hand()


def test_one_hand_hardly_ever_pays_for_two(finder: HandFinder) -> None:
    assert run(finder, range(300), [RIGHT]) == [1] * 300
    solo, pair = calls(finder)
    assert solo + pair == 300, "never both on one frame"
    assert pair / 300 < 0.09


def test_a_second_hand_appears_within_half_a_second(finder: HandFinder) -> None:
    run(finder, range(100), [RIGHT])
    seen = run(finder, range(100, 116), [RIGHT, LEFT])
    assert 2 in seen[: 500 // FRAME_MS]
    assert seen[seen.index(2) :] == [2] * len(seen[seen.index(2) :]), "and stays"


def test_two_hands_at_once_are_seen_at_once(finder: HandFinder) -> None:
    run(finder, range(50), [])
    assert run(finder, range(50, 60), [RIGHT, LEFT]) == [2] * 10


def test_when_one_of_two_leaves_the_cheap_way_returns(finder: HandFinder) -> None:
    run(finder, range(30), [RIGHT, LEFT])
    before = calls(finder)
    run(finder, range(30, 90), [RIGHT])
    solo, _ = calls(finder)
    assert solo - before[0] > 45


def test_a_hand_that_blinks_out_does_not_end_the_search_for_two(finder: HandFinder) -> None:
    run(finder, range(30), [RIGHT, LEFT])
    run(finder, range(30, 32), [RIGHT])
    assert run(finder, range(32, 40), [RIGHT, LEFT]) == [2] * 8


def test_mediapipe_sees_only_growing_timestamps(finder: HandFinder) -> None:
    FakeLandmarker.visible = [RIGHT]
    for timestamp in (5, 5, 3, 1000, 20, 21):
        finder.find(EMPTY, timestamp)
    shown = sorted(finder._solo.timestamps + finder._pair.timestamps)  # type: ignore[attr-defined]
    assert shown == [5, 6, 7, 1000, 1001, 1002]


def test_at_most_one_hand_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hands_module, "_Landmarker", FakeLandmarker)
    finder = HandFinder(Path("unused"), max_hands=1)
    assert set(run(finder, range(60), [RIGHT, LEFT])) == {1}
    with pytest.raises(ValueError, match="max_hands is 1 or 2, not 3"):
        HandFinder(Path("unused"), max_hands=3)


def test_distance_is_a_share_of_the_hands_size() -> None:
    assert distance(RIGHT, RIGHT) == 0
    assert distance(RIGHT, moved(RIGHT, by=(RIGHT.size, 0))) == pytest.approx(1, rel=1e-4)


def test_one_hand_found_twice_counts_once() -> None:
    twin = moved(RIGHT, by=(0.1 * RIGHT.size, 0))
    assert hands_module._without_doubles([RIGHT, twin]) == [RIGHT]
    assert len(hands_module._without_doubles([RIGHT, LEFT])) == 2


def test_a_model_that_is_none_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"nothing\.task cannot be read"):
        HandFinder(tmp_path / "nothing.task")


@pytest.mark.media
def test_a_second_hand_comes_into_the_real_stream(hand_model: Path) -> None:
    finder = HandFinder(hand_model)
    try:
        one, two = Scene(hands=2), Scene(hands=2)
        for frame in range(20):
            picture = draw(one, frame / 30).rgb
            picture[:, 320:] = picture[:, :1]  # only the right hand, in the picture's left half
            assert len(finder.find(RgbPicture(picture), frame * FRAME_MS)) == 1
        counts = [len(finder.find(RgbPicture(draw(two, f / 30).rgb), f * FRAME_MS)) for f in range(20, 36)]
    finally:
        finder.close()
    assert 2 in counts


@pytest.mark.media
def test_closing_twice_is_fine_and_then_it_is_over(hand_model: Path) -> None:
    finder = HandFinder(hand_model)
    finder.close()
    finder.close()
    with pytest.raises(VisionFailed, match="closed"):
        finder.find(EMPTY, 0)


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


@pytest.mark.media
def test_a_stream_of_large_frames_has_landmarks_in_their_pixels(hand_model: Path) -> None:
    drawing = draw(Scene(width=1280, height=960), 0)
    with closing(HandFinder(hand_model)) as finder:
        (hand,) = finder.find(RgbPicture(drawing.rgb), 0)
    assert np.hypot(*(hand.landmarks - drawing.joints[0]).T).mean() < 0.05 * hand.size


def test_landmarks_come_back_through_padding_and_turning() -> None:
    picture = np.zeros((60, 80, 3), np.uint8)
    cv2.circle(picture, (20, 15), 2, (255, 255, 255), -1)
    for padding, turn in hands_module.STILL_ATTEMPTS:
        turned, back = hands_module._pad_and_turn(picture, padding, turn)
        y, x = np.unravel_index(turned.sum(axis=2, dtype=int).argmax(), turned.shape[:2])
        assert np.hypot(*(back @ (x, y, 1) - (20, 15))) < 4, (padding, turn)
