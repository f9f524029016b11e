from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from media_worker.drawn_hand import Scene, draw
from media_worker.vision.finder import Guess, LandmarkFinder, distinct, gap
from protocol.messages import Finger
from tests.media_worker.vision.hand_fakes import a_hand, moved
from tests.media_worker.vision.nail_fakes import TrueNails

PICTURE = np.zeros((480, 640, 3), np.uint8)


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
    assert finder.expect(PICTURE, [a_hand(Scene(palm=True))]) == []


def test_a_picture_on_its_own_has_every_nail_once() -> None:
    """Landmarks and the look at the whole picture both guess them; the named guess comes first."""
    finder = TrueNails()
    finder.drawing = draw(Scene(), 0)
    nails = finder.find(PICTURE, [a_hand()])
    assert sorted(str(nail.finger) for nail in nails) == sorted(Finger)
    assert sorted(nail.number for nail in nails) == [1, 2, 3, 4, 5]
    nameless = finder.find(PICTURE, [])
    assert [nail.finger for nail in nameless] == [None] * 5


def test_the_stopgap_repeats_its_landmarks() -> None:
    finder, hand = LandmarkFinder(), a_hand()
    guesses = finder.expect(PICTURE, [hand])
    nails = finder.refine(PICTURE, guesses)
    assert [nail and nail.finger for nail in nails] == list(Finger)
    elsewhere = replace(guesses[0], centre=guesses[0].centre + 300)
    assert finder.refine(PICTURE, [elsewhere]) == [None]
    finder.expect(PICTURE, [moved(hand, by=(300, 0))])
    assert finder.refine(PICTURE, guesses) == [None] * 5, "only the newest count"
