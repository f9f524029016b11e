from __future__ import annotations

import cv2
import numpy as np
import pytest

from media_worker.drawn_hand import SKIN_TONES
from media_worker.polish.looks import Look
from media_worker.polish.thumbnail import hand_picture, thumbnail
from protocol import designs
from protocol.designs import Finger, Length, Pattern, Shape


def test_it_shows_the_design() -> None:
    red, cobalt = (thumbnail(Look.of(designs.find(number))) for number in (1, 6))
    assert red.shape == (160, 160, 3) and red.dtype == np.uint8
    changed = np.abs(red.astype(int) - cobalt).max(axis=2) > 60
    assert 0.05 < changed.mean() < 0.3, "the nails, and they are large enough to see"
    assert np.abs(np.median(red[changed], axis=0) - (0xB3, 0, 0x1B)).max() < 30


def test_it_is_the_same_every_time_at_any_size() -> None:
    look = Look.of(designs.find(31))
    assert np.array_equal(thumbnail(look, 96), thumbnail(look, 96))
    assert thumbnail(look, 96).shape == (96, 96, 3)
    with pytest.raises(ValueError, match="at least 16 pixels"):
        thumbnail(look, 8)


def test_every_design_has_its_own() -> None:
    pictures = [thumbnail(Look.of(design), 48) for design in designs.catalogue().values()]
    assert len({picture.tobytes() for picture in pictures}) == len(pictures)


@pytest.mark.parametrize("length", list(Length))
def test_tips_of_every_length_stay_in_the_picture(length: Length) -> None:
    nude = designs.find(1).model_copy(update={"shape": Shape.STILETTO, "length": length})
    red, blue = (
        thumbnail(Look.of(nude.model_copy(update={"colours": (colour,)})), 96) for colour in ("#B3001B", "#1F3FBF")
    )
    painted = np.abs(red.astype(int) - blue).max(axis=2) > 60
    assert not painted[0].any() and not painted[:, 0].any() and not painted[:, -1].any()
    assert painted.mean() > 0.06


@pytest.mark.parametrize("skin", list(SKIN_TONES))
def test_a_hand_shows_all_five_nails(skin: str) -> None:
    red, cobalt = (hand_picture(Look.of(designs.find(number)), 320, skin) for number in (1, 6))
    assert red.shape == (288, 320, 3) and red.dtype == np.uint8
    nails = (np.abs(red.astype(int) - cobalt).max(axis=2) > 60).astype(np.uint8)
    boxes = cv2.connectedComponentsWithStats(nails)[2]
    large = [box for box in boxes[1:] if box[cv2.CC_STAT_AREA] > 200]
    assert len(large) == 5
    assert all(box[cv2.CC_STAT_WIDTH] > 20 for box in large)


def test_each_finger_of_the_hand_wears_its_own() -> None:
    hearts = designs.find(97)
    assert hearts.fingers[Finger.THUMB].pattern is Pattern.SOLID
    plain = hearts.model_copy(update={"fingers": {}})
    changed = (
        np.abs(hand_picture(Look.of(hearts), 320).astype(int) - hand_picture(Look.of(plain), 320)).max(axis=2) > 30
    )
    assert changed[:, :80].any() and changed[:, 250:].any(), "thumb and pinky"
    assert not changed[:, 110:230].any(), "index, middle and ring"


def test_the_same_hand_every_time() -> None:
    look = Look.of(designs.find(31))
    assert np.array_equal(hand_picture(look, 200), hand_picture(look, 200))


def test_hands_that_cannot_be_drawn() -> None:
    look = Look.of(designs.find(1))
    with pytest.raises(ValueError, match="at least 64 pixels"):
        hand_picture(look, 8)
    with pytest.raises(ValueError, match="light, medium, dark, not 'green'"):
        hand_picture(look, 320, "green")
