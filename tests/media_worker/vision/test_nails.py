from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media_worker.drawn_hand import Scene, draw
from media_worker.vision.nails import Nail, facing, numbered
from protocol.designs import Finger
from tests.media_worker.vision.hand_fakes import a_hand, moved


def drawn_nails() -> list[Nail]:
    return numbered(Nail(n.finger, n.hand, n.outline, n.axis, 0.9, 1.0) for n in draw(Scene(), 0).nails)


@settings(deadline=None)
@given(turn=st.floats(-np.pi, np.pi), mirror=st.booleans(), seconds=st.floats(0, 8))
def test_fingers_face_the_camera_in_backs_and_not_in_palms_however_the_hand_is_turned(
    turn: float, mirror: bool, seconds: float
) -> None:
    back = moved(a_hand(Scene(width=64, height=64), seconds=seconds), (900, 900), turn, mirror)
    palm = moved(a_hand(Scene(width=64, height=64, palm=True), seconds=seconds), (900, 900), turn, mirror)
    assert all(facing(back, index) > 0.65 for index in range(1, 5))
    assert all(facing(palm, index) < -0.65 for index in range(1, 5))


def test_a_finger_folded_back_on_itself_turns_its_other_side() -> None:
    for palm, sign in ((True, 1), (False, -1)):
        hand = a_hand(Scene(palm=palm))
        points = hand.landmarks
        knuckle, joint = points[13].copy(), points[14].copy()
        points[15], points[16] = 0.6 * joint + 0.4 * knuckle, 0.3 * joint + 0.7 * knuckle
        assert sign * facing(hand, 3) > 0.65
        assert sign * facing(hand, 2) < -0.65, "its neighbour stays"


def test_a_hand_seen_edge_on_faces_neither_way() -> None:
    hand = a_hand()
    wrist = hand.landmarks[0].copy()
    hand.landmarks[:] = wrist + (hand.landmarks - wrist) * (0.02, 1)
    knuckles = hand.landmarks[[5, 9, 13, 17]]
    knuckles[:, 1] = knuckles[:, 1].mean() + np.array([-30, -10, 10, 30])  # the row of knuckles points at us
    hand.landmarks[[5, 9, 13, 17]] = knuckles
    assert all(abs(facing(hand, index)) < 0.35 for index in range(1, 5))


def test_a_nail_is_as_wide_as_its_outline_across_its_axis() -> None:
    outline = np.array([[0, 0], [30, 30], [20, 40], [-10, 10]], np.float32)  # 30·√2 long, 10·√2 wide, on a slant
    axis = np.array([[-5, 5], [25, 35]], np.float32)
    assert Nail(None, None, outline, axis, 1.0, 1.0).width == pytest.approx(10 * np.sqrt(2))


def test_nails_count_from_left_to_right_with_or_without_a_finger() -> None:
    nails = drawn_nails()
    nameless = numbered(replace(nail, finger=None, hand=None) for nail in reversed(nails))
    for found in (nails, nameless):
        assert sorted(nail.number for nail in found) == [1, 2, 3, 4, 5]
        assert sorted(found, key=lambda nail: nail.number) == sorted(found, key=lambda nail: nail.outline[:, 0].mean())


def test_a_nameless_nail_wears_the_coats_in_turn() -> None:
    (nail, *_) = drawn_nails()
    assert replace(nail, finger=Finger.RING, number=1).worn_as is Finger.RING
    turns = [replace(nail, finger=None, number=number).worn_as for number in range(1, 8)]
    assert turns == [*Finger, Finger.THUMB, Finger.INDEX]
