from __future__ import annotations

import numpy as np

from media_worker.polish.extraction.fingers import Assignment, assign
from media_worker.vision.arrays import Pixels
from media_worker.vision.nails import FINGERS, Nail, numbered
from protocol.designs import Finger
from tests.media_worker.polish.extraction.flat_nails import nail

RED, BLUE = np.full((128, 128, 3), (200, 0, 30), np.uint8), np.full((128, 128, 3), (20, 40, 160), np.uint8)


def assigned(
    nails: list[Nail], pictures: list[Pixels] | None = None, sureness: list[float] | None = None
) -> Assignment:
    return assign(nails, pictures or [RED] * len(nails), sureness or [0.9] * len(nails))


def hand(*, mirrored: bool = False) -> list[Nail]:
    """Nameless nails of a hand that points upwards, from left to right; its thumb leans out."""
    across = [100, 180, 250, 320, 380]
    turns, widths = [-45, -8, 0, 6, 14], [46, 40, 42, 40, 32]
    nails = [nail(x, 200, degrees=d, width=w) for x, d, w in zip(across, turns, widths, strict=True)]
    if mirrored:
        nails = [nail(480 - x, 200, degrees=-d, width=w) for x, d, w in zip(across, turns, widths, strict=True)]
    return numbered(nails)


def test_names_decide() -> None:
    nails = [nail(100 * k, 50, finger=finger) for k, finger in enumerate(reversed(FINGERS))]
    found = assigned(nails)
    assert [found.worn[finger] for finger in FINGERS] == [4, 3, 2, 1, 0]
    assert not found.filled and found.certainty == 1


def test_of_two_hands_the_surer_nail_counts() -> None:
    nails = [nail(100 * k, 50, finger=Finger.RING) for k in range(3)]
    assert assigned(nails, sureness=[0.5, 0.9, 0.7]).worn[Finger.RING] == 1


def test_nameless_nails_of_a_hand_are_told_by_the_thumb() -> None:
    assert [assigned(hand()).worn[finger] for finger in FINGERS] == [0, 1, 2, 3, 4]
    assert [assigned(hand(mirrored=True)).worn[finger] for finger in FINGERS] == [0, 1, 2, 3, 4]
    assert assigned(hand()).certainty < 1


def test_without_a_thumb_the_smallest_is_the_pinky() -> None:
    four = hand()[1:]
    found = assigned(four)
    assert [found.worn[finger] for finger in FINGERS[1:]] == [0, 1, 2, 3]
    assert found.filled == [Finger.THUMB]
    assert [assigned(hand(mirrored=True)[1:]).worn[finger] for finger in FINGERS[1:]] == [0, 1, 2, 3]


def test_missing_fingers_wear_no_accent() -> None:
    fingers = [Finger.INDEX, Finger.MIDDLE, Finger.RING]
    nails = [nail(100 * k, 50, finger=finger) for k, finger in enumerate(fingers)]
    found = assigned(nails, [RED, RED, BLUE])
    assert found.worn[Finger.PINKY] == 1, "the ring finger is the accent, though nearest"
    assert found.worn[Finger.THUMB] == 0
    assert set(found.filled) == {Finger.THUMB, Finger.PINKY}


def test_two_hands_in_two_rows_give_one_set() -> None:
    below = [nail(x, 600, degrees=180 + d) for x, d in zip((100, 180, 250, 320), (-8, 0, 6, 14), strict=True)]
    found = assigned(numbered([*hand(), *below]))
    assert sorted(found.worn.values()) == [0, 1, 2, 3, 4]


def test_a_single_nail_is_worn_by_all() -> None:
    found = assigned([nail(50, 50)])
    assert set(found.worn.values()) == {0} and len(found.filled) == 4
