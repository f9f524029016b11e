from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from media_worker.drawn_hand import draw
from media_worker.training.labelling import (
    FalseProposal,
    confirmed,
    direct_by_landmarks,
    direct_by_opinion,
    direct_upwards,
    false_proposals,
    mark,
    read_boxed,
)
from media_worker.training.photos import UNKNOWN, Photo, with_mask
from media_worker.vision.arrays import Floats, Pixels
from media_worker.vision.finder import Guess
from media_worker.vision.nails import Nail
from media_worker.vision.still_hands import StillHandFinder
from tests.media_worker.training import drawn_photos
from tests.media_worker.training.drawn_photos import SCENE, TrueCrops, TrueMap, coloured, two_coloured


def photo_of(rgb: Pixels) -> Photo:
    return with_mask("two", rgb, coloured(rgb))


def square(left: float, top: float, side: float) -> Nail:
    outline = np.array([(0, 0), (side, 0), (side, side), (0, side)], np.float32) + np.array([left, top], np.float32)
    axis = np.array([(left + side / 2, top + side), (left + side / 2, top)], np.float32)
    return Nail(None, None, outline, axis, 0.9, 1.0)


def boxed(folder: Path, rgb: Pixels, *boxes: tuple[float, ...]) -> Path:
    (folder / "images").mkdir()
    (folder / "boxes").mkdir()
    drawn_photos.save(folder / "images" / "nails.png", rgb)
    lines = [" ".join(map(str, box)) for box in boxes]
    (folder / "boxes" / "nails.txt").write_text("\n".join(lines) + "\n\n")
    return folder


def degrees(along: Floats) -> float:
    """0 is up, 90 to the right."""
    return float(np.degrees(np.arctan2(along[0], -along[1])))


@pytest.mark.media
def test_landmarks_direct_the_nails_of_a_hand(hand_model: Path) -> None:
    drawing = draw(SCENE, 0)
    photo = with_mask("hand", drawing.rgb, drawing.mask() > 0)
    finder = StillHandFinder(hand_model)
    direct_by_landmarks(photo, finder)
    finder.close()
    for nail in photo.nails:
        true = min(drawing.nails, key=lambda each: np.hypot(*(each.axis.mean(axis=0) - nail.centre)))
        assert nail.directed
        turn = degrees(nail.along) - degrees(true.axis[1] - true.axis[0])
        assert abs((turn + 180) % 360 - 180) < 15, true.finger


def test_fingers_that_all_point_up() -> None:
    photo = photo_of(two_coloured((100, 100, 0), (200, 100, 0)))
    direct_upwards(photo)
    assert [nail.directed for nail in photo.nails] == [True, True]
    assert all(degrees(nail.along) == pytest.approx(0) for nail in photo.nails)


@pytest.mark.parametrize("turn", [0, 50, 160, -100])
def test_a_network_tells_directions_that_nobody_knew(turn: float) -> None:
    photo = photo_of(two_coloured((110, 120, turn)))
    assert not photo.nails[0].directed
    assert direct_by_opinion(photo, TrueCrops()) == 0
    assert photo.nails[0].directed
    assert abs((degrees(photo.nails[0].along) - turn + 180) % 360 - 180) < 6


def test_where_answers_disagree_the_direction_stays_unknown() -> None:
    """A nail of one colour: the network then says of every crop that it is as guessed, and it is asked all round."""
    rgb = two_coloured((110, 120, 0))
    rgb[coloured(rgb)] = drawn_photos.FREE_EDGE
    photo = photo_of(rgb)
    assert direct_by_opinion(photo, TrueCrops()) == 1
    assert not photo.nails[0].directed


def test_a_marked_nail_has_the_next_number() -> None:
    photo = Photo("marked", np.zeros((60, 90, 3), np.uint8), np.zeros((60, 90), np.int16))
    mark(photo, square(10, 20, 16), np.array([0.0, -1.0]))
    mark(photo, square(50, 20, 16), None)
    assert [nail.number for nail in photo.nails] == [1, 2]
    assert [nail.directed for nail in photo.nails] == [True, False]
    assert np.count_nonzero(photo.labels == 1) == pytest.approx(256, abs=34)
    assert photo.nails[0].centre == pytest.approx((18, 28), abs=0.6)
    assert (photo.labels[22:34, 52:64] == 2).all()


def test_what_is_hardly_a_nail_is_not_marked() -> None:
    photo = Photo("marked", np.zeros((60, 90, 3), np.uint8), np.zeros((60, 90), np.int16))
    mark(photo, square(30, 20, 2), None)
    assert photo.nails == []
    assert not photo.labels.any()


def test_a_box_whose_nail_the_network_finds_becomes_that_nail(tmp_path: Path) -> None:
    rgb = two_coloured((110, 120, 0))
    (photo,) = read_boxed(boxed(tmp_path, rgb, (96, 100, 125, 141)), TrueCrops(), lambda *_: None)
    (nail,) = photo.nails
    assert degrees(nail.along) == pytest.approx(0, abs=5)
    both, either = (photo.labels == 1) & coloured(rgb), (photo.labels == 1) | coloured(rgb)
    assert both.sum() / either.sum() > 0.85


@pytest.mark.parametrize("box", [(96, 100, 160, 141), (80, 60, 125, 141)], ids=["too wide", "too tall"])
def test_a_box_that_fits_no_nail_teaches_nothing(box: tuple[float, ...], tmp_path: Path) -> None:
    (photo,) = read_boxed(boxed(tmp_path, two_coloured((110, 120, 0)), box), TrueCrops(), lambda *_: None)
    assert photo.nails == []
    left, top, right, bottom = (int(each) for each in box)
    assert (photo.labels[top:bottom, left:right] == UNKNOWN).all()
    assert np.count_nonzero(photo.labels) == (right - left) * (bottom - top)


def test_boxes_shrink_with_their_photo(tmp_path: Path) -> None:
    large = cv2.resize(two_coloured((110, 120, 0)), (2560, 1920), interpolation=cv2.INTER_NEAREST).astype(np.uint8)
    (photo,) = read_boxed(boxed(tmp_path, large, (768, 800, 1000, 1128)), TrueCrops(), lambda *_: None)
    assert photo.rgb.shape == (960, 1280, 3)
    assert photo.nails[0].centre == pytest.approx((442, 482), abs=4)


def test_false_proposals_are_those_without_a_nail() -> None:
    """The network takes both for nails; people marked only the left one."""
    rgb = two_coloured((90, 120, 0), (230, 120, 0))
    photo = photo_of(rgb)
    photo.labels[photo.labels == 2] = 0
    found = false_proposals(photo, TrueMap())
    assert len(found) >= 1
    for proposal in found:
        assert np.hypot(*(proposal.guess.centre - (230.5, 120.5))) < 10, "a cell of the coarsest map is 13 wide"
        assert proposal.guess.length == pytest.approx(41, rel=0.15)
        assert proposal.heat == pytest.approx(1 / (1 + np.exp(-4)))
        assert proposal.rgb is photo.rgb


def test_where_a_nail_is_thinkable_no_proposal_is_false() -> None:
    photo = photo_of(two_coloured((90, 120, 0), (230, 120, 0)))
    assert false_proposals(photo, TrueMap()) == []
    photo.labels[photo.labels == 2] = UNKNOWN
    assert false_proposals(photo, TrueMap()) == []


def test_a_mistake_is_a_false_proposal_that_the_crop_network_believes() -> None:
    """It takes the left, coloured place for a nail, and sees nothing at the right one."""
    rgb = two_coloured((90, 120, 0))
    up = np.array([0.0, -40.0])
    proposals = [FalseProposal(rgb, Guess(np.array([x, 120.0]), up), 0.1) for x in (94.0, 230.0)]
    (mistake,) = confirmed(proposals, TrueCrops())
    assert np.hypot(*(mistake.guess.centre - (90.5, 120.5))) < 1.5, "where it was seen, not where it was proposed"
    assert mistake.heat > 0.5 and mistake.rgb is rgb
    assert confirmed([], TrueCrops()) == []
