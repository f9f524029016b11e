from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from media_worker.drawn_hand import Scene, draw
from media_worker.vision.finder import SURE_SIDE, Guess, distinct, expected_nails, finger_pads, gap, on_pad
from media_worker.vision.hands import Hand
from media_worker.vision.pictures import RgbPicture
from protocol.designs import Finger
from tests.media_worker.vision.hand_fakes import a_hand, moved
from tests.media_worker.vision.nail_fakes import TrueNails

PICTURE = RgbPicture(np.zeros((480, 640, 3), np.uint8))


def curled_ring(hand: Hand) -> Hand:
    """The hand with its ring finger folded back on itself."""
    points = hand.landmarks.copy()
    knuckle, joint = points[13], points[14]
    points[15], points[16] = 0.6 * joint + 0.4 * knuckle, 0.3 * joint + 0.7 * knuckle
    return replace(hand, landmarks=points)


def a_guess(x: float = 100, y: float = 100, length: float = 20) -> Guess:
    return Guess(np.array([x, y], np.float32), np.array([0, -length], np.float32))


def test_distances_count_in_lengths_of_the_longer_nail() -> None:
    assert gap(a_guess(y=100), a_guess(y=130)) == pytest.approx(1.5)
    assert gap(a_guess(y=100), a_guess(y=130, length=60)) == pytest.approx(0.5)
    assert gap(a_guess(x=100), a_guess(x=130)) == pytest.approx(1.5 / 0.6), "across, they weigh more"


def test_long_nails_side_by_side_are_two() -> None:
    assert len(distinct([a_guess(x=100, length=50), a_guess(x=118, length=50)])) == 2


def test_of_guesses_at_one_place_the_first_stays() -> None:
    near, far = a_guess(105), a_guess(130)
    first = a_guess()
    kept = distinct([first, near, far])
    assert kept[0] is first and kept[1] is far and len(kept) == 2
    (left,) = distinct([near, far], known=[first])
    assert left is far


def test_landmarks_tell_where_nails_are_and_how_they_are_called() -> None:
    finder = TrueNails(sigma=0)
    guesses = finder.expect(PICTURE, [a_hand()])
    assert [guess.finger for guess in guesses] == list(Finger)
    assert all(guess.hand == "right" and guess.length > 15 for guess in guesses)
    both = [a_hand(Scene(hands=2), index) for index in (0, 1)]
    assert [guess.hand for guess in finder.expect(PICTURE, both)] == ["right"] * 5 + ["left"] * 5


def test_expected_places_are_where_the_nails_are() -> None:
    drawn = {nail.finger: nail for nail in draw(Scene(), 0).nails}
    for guess in expected_nails(a_hand()):
        nail = drawn[guess.finger or Finger.THUMB]
        along = nail.axis[1] - nail.axis[0]
        truth = Guess(nail.outline.mean(axis=0), along, nail.finger)
        assert gap(guess, truth) < 0.35, guess.finger
        assert guess.along @ along / (guess.length * np.hypot(*along)) > 0.9, guess.finger


def test_only_places_in_the_picture_are_expected() -> None:
    fingers = [guess.finger for guess in TrueNails().expect(PICTURE, [moved(a_hand(), by=(0, -120))])]
    assert Finger.MIDDLE not in fingers
    assert Finger.THUMB in fingers


def test_a_palm_shows_pads_and_perhaps_a_thumbs_nail() -> None:
    """A thumb turns against the other fingers, so landmarks do not tell which of its sides is seen."""
    palm = a_hand(Scene(palm=True))
    assert [guess.finger for guess in expected_nails(palm)] == [Finger.THUMB]
    pads = finger_pads(palm)
    assert [guess.finger for guess in pads] == list(Finger)[1:]
    for guess, tip in zip(pads, palm.landmarks[[8, 12, 16, 20]], strict=True):
        assert np.hypot(*(guess.centre - tip)) < guess.length / 2
    assert finger_pads(a_hand()) == []


def test_what_lies_on_a_pad_is_that_pad_and_its_neighbour_is_not() -> None:
    pads = finger_pads(a_hand(Scene(palm=True)))
    for pad in pads:
        others = [other for other in pads if other is not pad]
        assert on_pad(replace(pad, centre=pad.centre + 0.4 * pad.along), pads)
        assert not on_pad(replace(pad, centre=pad.centre + 0.8 * pad.along), pads)
        assert not on_pad(pad, others)


def test_a_hand_of_unsure_side_has_no_pads() -> None:
    unsure = replace(a_hand(Scene(palm=True)), score=SURE_SIDE - 0.01)
    assert finger_pads(unsure) == []
    assert len(expected_nails(unsure)) == 5


def test_a_finger_curled_towards_the_camera_shows_its_nail_in_a_palm_and_its_pad_in_a_back() -> None:
    palm, back = curled_ring(a_hand(Scene(palm=True))), curled_ring(a_hand())
    assert [guess.finger for guess in expected_nails(palm)] == [Finger.THUMB, Finger.RING]
    assert [guess.finger for guess in finger_pads(back)] == [Finger.RING]


def test_a_picture_on_its_own_has_every_nail_once() -> None:
    """Landmarks and the look at the whole picture both guess them; the named guess comes first."""
    finder = TrueNails()
    finder.drawing = draw(Scene(), 0)
    nails = finder.find(PICTURE, [a_hand()])
    assert sorted(str(nail.finger) for nail in nails) == sorted(Finger)
    assert sorted(nail.number for nail in nails) == [1, 2, 3, 4, 5]
    nameless = finder.find(PICTURE, [])
    assert [nail.finger for nail in nameless] == [None] * 5
