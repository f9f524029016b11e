from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from media_worker import memory
from media_worker.drawn_hand import Drawing, Scene, draw
from media_worker.vision.arrays import Floats, Mask, Pixels
from media_worker.vision.coverage import coverage
from media_worker.vision.finder import Guess, distinct, expected_nails, finger_pads
from media_worker.vision.metrics import iou
from media_worker.vision.nails import Nail
from media_worker.vision.networks import MapOutput
from media_worker.vision.pictures import RgbPicture
from media_worker.vision.still_finder import LARGEST_ENLARGEMENT, StillFinder
from protocol.designs import Finger
from tests.media_worker.training.drawn_photos import CUTICLE, FREE_EDGE, TrueCrops, TrueMap, coloured, two_coloured
from tests.media_worker.vision.hand_fakes import a_hand, moved

SIDE_BY_SIDE = ((60.0, 120.0, -10.0), (120.0, 90.0, 0.0), (180.0, 95.0, 5.0), (240.0, 130.0, 15.0))


def a_finder() -> StillFinder:
    """Of networks that know nails by their colour."""
    return StillFinder(TrueMap(), TrueCrops())


def painted(*guesses: Guess) -> Pixels:
    """A grey picture of 640 by 480 with a two-coloured nail at each guess."""
    rgb = np.full((480, 640, 3), 90, np.uint8)
    for guess in guesses:
        for sign, colour in ((1, FREE_EDGE), (-1, CUTICLE)):
            quarter, across = sign * guess.along / 2, 0.35 * guess.along[::-1] * (-1, 1)
            corners = [guess.centre - across, guess.centre + across, guess.centre + across + quarter]
            corners.append(guess.centre - across + quarter)
            cv2.fillConvexPoly(rgb, np.round(corners).astype(np.int32), colour)
    return rgb


def filled(nail: Nail, rgb: Pixels) -> Mask:
    return np.asarray(coverage(nail.outline, rgb.shape[1], rgb.shape[0]) > 0.5)


def true_masks(drawing: Drawing) -> dict[Finger, Mask]:
    height, width = drawing.rgb.shape[:2]
    return {nail.finger: np.asarray(coverage(nail.outline, width, height) > 0.5) for nail in drawing.nails}


def test_without_a_hand_nails_are_nameless_and_numbered_from_left_to_right() -> None:
    """Maps of several sizes propose each of them, and each is found once."""
    picture = two_coloured(*SIDE_BY_SIDE)
    nails = a_finder().find(RgbPicture(picture), [])
    assert len(nails) == 4
    assert all(nail.finger is None and nail.hand is None for nail in nails)
    by_number = sorted(nails, key=lambda nail: nail.number)
    assert [nail.number for nail in by_number] == [1, 2, 3, 4]
    for nail, (x, y, _) in zip(by_number, SIDE_BY_SIDE, strict=True):
        assert np.hypot(*(nail.outline.mean(axis=0) - (x, y))) < 2
    assert iou(np.logical_or.reduce([filled(nail, picture) for nail in nails]), coloured(picture)) > 0.88


def test_overlapping_outlines_become_one() -> None:
    """A long nail lies where the fingers of two hands expect one each, too far apart to be one guess."""
    nail = Guess(np.array([320.0, 240.0]), np.array([0.0, -70.0]))
    x, y = nail.centre - expected_nails(a_hand())[2].centre
    hands = [moved(a_hand(), by=(x, y + up)) for up in (-22, 22)]
    middles = [expected_nails(hand)[2] for hand in hands]
    assert len(distinct(middles)) == 2
    finder = StillFinder(lambda rgb: TrueMap()(np.zeros_like(rgb)), TrueCrops())  # whose map sees nothing
    picture = painted(nail)
    assert all(look is not None for look in finder.refine(RgbPicture(picture), middles))
    (found,) = finder.find(RgbPicture(picture), hands)
    assert np.hypot(*(found.axis[1] - found.axis[0])) > 62


def test_nails_bear_the_names_that_landmarks_expect_and_others_none() -> None:
    hand = a_hand()
    expected = expected_nails(hand)
    elsewhere = Guess(np.array([60.0, 60.0]), np.array([0.0, -30.0]))
    shown = [replace(guess, centre=guess.centre + 0.2 * guess.along) for guess in (expected[1], expected[3])]
    nails = a_finder().find(RgbPicture(painted(*shown, elsewhere)), [hand])
    assert sorted((str(nail.finger), str(nail.hand)) for nail in nails) == [
        ("None", "None"),
        ("index", "right"),
        ("ring", "right"),
    ]
    (nameless,) = (nail for nail in nails if nail.finger is None)
    assert nameless.number == 1
    assert np.hypot(*(nameless.outline.mean(axis=0) - elsewhere.centre)) < 2


def test_a_name_is_given_once_to_the_nearest() -> None:
    hand = a_hand()
    index = expected_nails(hand)[1]
    beside = replace(index, centre=index.centre + 0.9 * np.array([-index.along[1], index.along[0]]))
    nails = a_finder().find(RgbPicture(painted(index, beside)), [hand])
    assert sorted(str(nail.finger) for nail in nails) == ["None", "index"]
    (named,) = (nail for nail in nails if nail.finger is Finger.INDEX)
    assert np.hypot(*(named.outline.mean(axis=0) - index.centre)) < 3


def test_what_lies_on_a_finger_pad_is_no_nail() -> None:
    palm = a_hand(Scene(palm=True))
    (thumb,) = expected_nails(palm)
    picture = painted(thumb, *finger_pads(palm))
    assert [nail.finger for nail in a_finder().find(RgbPicture(picture), [palm])] == [Finger.THUMB]
    assert len(a_finder().find(RgbPicture(picture), [])) == 5, "without the hand, nothing says so"


def test_small_pictures_are_not_enlarged_without_end() -> None:
    sizes: list[int] = []

    class Sized(TrueMap):
        def __call__(self, rgb: Pixels) -> MapOutput:
            sizes.append(max(rgb.shape))
            return super().__call__(rgb)

    for size in ((64, 48), (400, 300), (1600, 1200)):
        sizes.clear()
        StillFinder(Sized(), TrueCrops()).propose(RgbPicture(two_coloured(size=size)))
        assert sizes and max(sizes) <= max(320, LARGEST_ENLARGEMENT * max(size) + 15)
    assert max(sizes) == 1152


@pytest.mark.skipif(memory.heap() is None, reason="the C library does not say what is in use")
def test_what_a_large_photo_takes_is_given_back() -> None:
    finder, picture = StillFinder(), RgbPicture(draw(Scene(width=1024, height=768), 0).rgb)
    found = finder.hints(picture, 1024)
    before = memory.heap()
    finder.close()
    after = memory.heap()
    assert before and after
    assert before.used - after.used > 50 << 20
    again = finder.hints(picture, 1024)
    assert [heat for heat, _ in again] == [heat for heat, _ in found] != []


def test_five_nails_of_a_drawn_hand_are_outlined_and_named() -> None:
    drawing = draw(Scene(), 0)
    nails = StillFinder().find(RgbPicture(drawing.rgb), [a_hand()])
    truth = true_masks(drawing)
    assert sorted(str(nail.finger) for nail in nails) == sorted(Finger)
    assert sorted(nail.number for nail in nails) == [1, 2, 3, 4, 5]
    for nail in nails:
        assert nail.hand == "right" and nail.visibility == 1
        assert iou(filled(nail, drawing.rgb), truth[nail.worn_as]) > 0.8, nail.finger


def test_a_close_up_without_a_hand_is_numbered_from_left_to_right() -> None:
    """Four finger tips fill the picture, and no wrist is in view."""
    close, tips = close_up()
    nails = sorted(StillFinder().find(RgbPicture(close), []), key=lambda nail: nail.number)
    assert [(nail.finger, nail.number) for nail in nails] == [(None, number) for number in range(1, 5)]
    for nail, middle in zip(nails, tips, strict=True):
        assert np.hypot(*(nail.outline.mean(axis=0) - middle)) < 12


def close_up(enlarged: int = 3) -> tuple[Pixels, list[Floats]]:
    """The four finger tips of a drawn hand, enlarged, and the middles of their nails from left to right."""
    drawing = draw(Scene(noise=0), 0)
    outlines = [nail.outline for nail in drawing.nails if nail.finger is not Finger.THUMB]
    points = np.concatenate(outlines)
    left, top = np.maximum(points.min(axis=0).astype(int) - 30, 0)
    right, bottom = points.max(axis=0).astype(int) + 30
    part = drawing.rgb[top:bottom, left:right]
    close = cv2.resize(part, None, fx=enlarged, fy=enlarged, interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    middles = [enlarged * (outline.mean(axis=0) - (left, top)) for outline in outlines]
    return close, sorted(middles, key=lambda middle: float(middle[0]))
