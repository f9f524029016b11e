from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media_worker.drawn_hand import Scene
from media_worker.vision.nails import PROPORTIONS, numbered, outline_nails
from protocol.messages import Finger
from tests.media_worker.vision.hand_fakes import a_hand, moved

PICTURE = np.zeros((480, 640, 3), np.uint8)
LARGE = np.zeros((2000, 2000, 3), np.uint8)


def test_five_nails_with_the_measured_proportions() -> None:
    hand = a_hand()
    nails = outline_nails(PICTURE, [hand])
    assert [nail.finger for nail in nails] == list(Finger)
    for index, nail in enumerate(nails):
        joint, tip = hand.landmarks[4 * index + 3], hand.landmarks[4 * index + 4]
        length = np.hypot(*(tip - joint))
        shape = PROPORTIONS[nail.worn_as]
        assert np.hypot(*(nail.axis[0] - joint)) / length == pytest.approx(shape.cuticle, abs=1e-3)
        assert np.hypot(*(nail.axis[1] - joint)) / length == pytest.approx(shape.free_edge, abs=1e-3)
        assert nail.width / length == pytest.approx(shape.width, rel=0.02)
        assert nail.outline.shape[1] == 2 and nail.outline.dtype == np.float32
        assert nail.hand == "right" and nail.confidence == pytest.approx(0.95)


def test_a_palm_shows_no_nails() -> None:
    assert outline_nails(PICTURE, [a_hand(Scene(palm=True))]) == []


@settings(deadline=None)
@given(turn=st.floats(-np.pi, np.pi), mirror=st.booleans(), seconds=st.floats(0, 8))
def test_backs_show_all_nails_and_palms_none_however_the_hand_is_turned(
    turn: float, mirror: bool, seconds: float
) -> None:
    back = moved(a_hand(Scene(width=64, height=64), seconds=seconds), (900, 900), turn, mirror)
    palm = moved(a_hand(Scene(width=64, height=64, palm=True), seconds=seconds), (900, 900), turn, mirror)
    assert sum(nail.visibility for nail in outline_nails(LARGE, [back])) > 4.5
    assert outline_nails(LARGE, [palm]) == []


def test_a_curled_finger_shows_its_nail_in_a_palm_and_hides_it_in_a_back() -> None:
    for palm, expected in ((True, [Finger.RING]), (False, [f for f in Finger if f is not Finger.RING])):
        hand = a_hand(Scene(palm=palm))
        points = hand.landmarks
        knuckle, joint = points[13].copy(), points[14].copy()
        points[15], points[16] = 0.6 * joint + 0.4 * knuckle, 0.3 * joint + 0.7 * knuckle  # folded back on itself
        assert [nail.finger for nail in outline_nails(PICTURE, [hand])] == expected


def test_a_thumb_under_the_hand_is_hidden() -> None:
    hand = a_hand()
    points = hand.landmarks
    points[3] = 0.6 * points[5] + 0.4 * points[9] + (0, 40)
    points[4] = points[3] + (14, -20)
    assert [nail.finger for nail in outline_nails(PICTURE, [hand])] == [f for f in Finger if f is not Finger.THUMB]


def test_a_hand_seen_edge_on_shows_none() -> None:
    hand = a_hand()
    wrist = hand.landmarks[0].copy()
    hand.landmarks[:] = wrist + (hand.landmarks - wrist) * (0.02, 1)
    knuckles = hand.landmarks[[5, 9, 13, 17]]
    knuckles[:, 1] = knuckles[:, 1].mean() + np.array([-30, -10, 10, 30])  # the row of knuckles points at us
    hand.landmarks[[5, 9, 13, 17]] = knuckles
    assert all(nail.visibility < 0.5 for nail in outline_nails(PICTURE, [hand]))


def test_nails_outside_the_picture_do_not_show() -> None:
    hand = moved(a_hand(), by=(0, -120))
    fingers = [nail.finger for nail in outline_nails(PICTURE, [hand])]
    assert Finger.MIDDLE not in fingers
    assert Finger.THUMB in fingers


def test_nails_count_from_left_to_right_with_or_without_a_finger() -> None:
    nails = outline_nails(PICTURE, [a_hand()])
    nameless = numbered(replace(nail, finger=None, hand=None) for nail in reversed(nails))
    for found in (nails, nameless):
        assert sorted(nail.number for nail in found) == [1, 2, 3, 4, 5]
        assert sorted(found, key=lambda nail: nail.number) == sorted(found, key=lambda nail: nail.outline[:, 0].mean())


def test_a_nameless_nail_wears_the_coats_in_turn() -> None:
    (nail, *_) = outline_nails(PICTURE, [a_hand()])
    assert replace(nail, finger=Finger.RING, number=1).worn_as is Finger.RING
    turns = [replace(nail, finger=None, number=number).worn_as for number in range(1, 8)]
    assert turns == [*Finger, Finger.THUMB, Finger.INDEX]
