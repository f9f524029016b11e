from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from media_worker.drawn_hand import Scene, draw
from media_worker.vision.hands import Hand, HandFinder, Region, distance, without_doubles
from media_worker.vision.models import ModelUnavailable
from media_worker.vision.pictures import I420Picture, RgbPicture
from tests.media_worker.vision.hand_fakes import SeenHands, a_hand, moved

FRAME_MS = 33


@pytest.fixture
def seen() -> SeenHands:
    return SeenHands()


@pytest.fixture
def finder(seen: SeenHands) -> HandFinder:
    return HandFinder(Path("unused"), palm_network=seen.palms, landmark_network=seen.landmarks)


def run(finder: HandFinder, seen: SeenHands, frames: range, visible: list[Hand]) -> list[int]:
    seen.hands = visible
    return [len(finder.find(seen, frame * FRAME_MS)) for frame in frames]


RIGHT = moved(a_hand(), by=(-170, 0))
LEFT = moved(a_hand(), mirror=True, by=(170, 0))


def test_one_hand_hardly_ever_pays_for_two(finder: HandFinder, seen: SeenHands) -> None:
    assert run(finder, seen, range(300), [RIGHT]) == [1] * 300
    assert seen.looks == 300
    assert seen.searches / 300 < 0.09


def test_two_hands_cost_no_search(finder: HandFinder, seen: SeenHands) -> None:
    assert run(finder, seen, range(60), [RIGHT, LEFT]) == [2] * 60
    assert (seen.searches, seen.looks) == (1, 120)


def test_landmarks_and_sides_are_those_of_the_frame(finder: HandFinder, seen: SeenHands) -> None:
    seen.hands = [RIGHT, LEFT]
    for now in (0, FRAME_MS):
        found = sorted(finder.find(seen, now), key=lambda hand: hand.side, reverse=True)
        for hand, truth in zip(found, seen.hands, strict=True):
            assert np.abs(hand.landmarks - truth.landmarks).max() < 0.01
            assert hand.side == truth.side
            assert hand.score == pytest.approx(0.95)


def test_a_second_hand_appears_within_half_a_second(finder: HandFinder, seen: SeenHands) -> None:
    run(finder, seen, range(100), [RIGHT])
    counts = run(finder, seen, range(100, 116), [RIGHT, LEFT])
    assert 2 in counts[: 500 // FRAME_MS]
    assert counts[counts.index(2) :] == [2] * len(counts[counts.index(2) :]), "and stays"


def test_two_hands_at_once_are_seen_at_once(finder: HandFinder, seen: SeenHands) -> None:
    run(finder, seen, range(50), [])
    assert run(finder, seen, range(50, 60), [RIGHT, LEFT]) == [2] * 10


def test_a_hand_that_moves_is_followed_without_a_search(finder: HandFinder, seen: SeenHands) -> None:
    run(finder, seen, range(1), [RIGHT])
    for frame in range(1, 10):
        seen.hands = [moved(RIGHT, by=(20 * frame, 0), turn=0.1 * frame)]
        (hand,) = finder.find(seen, frame * FRAME_MS)
        assert np.abs(hand.landmarks - seen.hands[0].landmarks).max() < 0.01
    assert seen.searches == 1


def test_a_hand_that_jumps_is_found_in_the_same_frame(finder: HandFinder, seen: SeenHands) -> None:
    run(finder, seen, range(5), [RIGHT])
    assert run(finder, seen, range(5, 8), [LEFT]) == [1] * 3
    assert run(finder, seen, range(8, 10), []) == [0, 0]


def test_when_one_of_two_leaves_the_cheap_way_returns(finder: HandFinder, seen: SeenHands) -> None:
    run(finder, seen, range(30), [RIGHT, LEFT])
    run(finder, seen, range(30, 45), [RIGHT])
    before = seen.searches
    run(finder, seen, range(45, 90), [RIGHT])
    assert seen.searches - before < 5


def test_a_hand_that_blinks_out_is_back_at_once(finder: HandFinder, seen: SeenHands) -> None:
    run(finder, seen, range(30), [RIGHT, LEFT])
    run(finder, seen, range(30, 32), [RIGHT])
    assert run(finder, seen, range(32, 40), [RIGHT, LEFT]) == [2] * 8


def test_at_most_one_hand_when_asked(seen: SeenHands) -> None:
    finder = HandFinder(Path("unused"), max_hands=1, palm_network=seen.palms, landmark_network=seen.landmarks)
    assert set(run(finder, seen, range(60), [RIGHT, LEFT])) == {1}
    assert seen.searches == 1
    with pytest.raises(ValueError, match="max_hands is 1 or 2, not 3"):
        HandFinder(Path("unused"), max_hands=3)


def test_a_region_turns_and_grows_with_its_hand() -> None:
    upright = Region.round_hand(RIGHT.landmarks)
    turned = Region.round_hand(2 * moved(RIGHT, turn=np.pi / 2).landmarks)
    assert turned.side == pytest.approx(2 * upright.side, rel=1e-3)
    assert turned.up == pytest.approx([-upright.up[1], upright.up[0]], abs=1e-3)
    inside = (RIGHT.landmarks - upright.centre) / upright.side
    assert np.abs(inside).max() < 0.5, "the whole hand"


def test_distance_is_a_share_of_the_hands_size() -> None:
    assert distance(RIGHT, RIGHT) == 0
    assert distance(RIGHT, moved(RIGHT, by=(RIGHT.size, 0))) == pytest.approx(1, rel=1e-4)


def test_one_hand_found_twice_counts_once() -> None:
    twin = moved(RIGHT, by=(0.1 * RIGHT.size, 0))
    assert without_doubles([RIGHT, twin]) == [RIGHT]
    assert len(without_doubles([RIGHT, LEFT])) == 2


def test_a_model_that_is_none_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"nothing\.task cannot be read"):
        HandFinder(tmp_path / "nothing.task")


@pytest.mark.media
def test_a_second_hand_comes_into_the_real_stream(hand_model: Path) -> None:
    finder, scene = HandFinder(hand_model), Scene(hands=2)
    for frame in range(20):
        picture = draw(scene, frame / 30).rgb
        picture[:, 320:] = picture[:, :1]  # only the right hand, in the picture's left half
        assert len(finder.find(RgbPicture(picture), frame * FRAME_MS)) == 1
    counts = [len(finder.find(RgbPicture(draw(scene, f / 30).rgb), f * FRAME_MS)) for f in range(20, 36)]
    assert 2 in counts


@pytest.mark.media
@pytest.mark.parametrize(("width", "height"), [(640, 480), (1280, 960), (360, 640)])
def test_landmarks_are_in_pixels_of_the_frame(hand_model: Path, width: int, height: int) -> None:
    drawing = draw(Scene(width=width, height=height), 0)
    i420 = cv2.cvtColor(drawing.rgb, cv2.COLOR_RGB2YUV_I420).astype(np.uint8)
    for picture in (RgbPicture(drawing.rgb), I420Picture(i420)):
        finder = HandFinder(hand_model)
        for now in (0, FRAME_MS):
            (hand,) = finder.find(picture, now)
            assert np.hypot(*(hand.landmarks - drawing.joints[0]).T).mean() < 0.05 * hand.size
            assert hand.side == "right"
