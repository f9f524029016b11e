from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_worker.polish.colour import to_linear, to_srgb
from media_worker.polish.looks import Coat, Look
from media_worker.vision.arrays import Floats
from protocol import designs
from protocol.designs import Finger, Finish, Length, Shape, Style
from protocol.messages import Wish
from tests.nail_sets import nail_set


def test_every_byte_survives_linear_light() -> None:
    everything = np.arange(256, dtype=np.uint8)
    assert np.array_equal(to_srgb(to_linear(everything)), everything)


def test_linear_light_is_that_of_the_standard() -> None:
    assert to_linear(np.array([0, 128, 255], np.uint8)) == pytest.approx([0, 0.21586, 1], abs=1e-5)


@given(st.lists(st.floats(-2, 3), min_size=1, max_size=9))
def test_light_outside_the_range_is_clipped(values: list[float]) -> None:
    result = to_srgb(np.array(values, np.float32))
    for value, byte in zip(values, result, strict=True):
        if value <= 0:
            assert byte == 0
        if value >= 1:
            assert byte == 255


def test_fingers_and_finish_override_the_design() -> None:
    red, french = designs.find(1), designs.find(20)
    look = Look.of(red.model_copy(update={"fingers": {Finger.RING: Style(pattern=french.pattern)}}))
    assert look.coats[Finger.RING].pattern is french.pattern
    assert look.coats[Finger.THUMB].pattern is red.pattern
    assert to_srgb(look.coats[Finger.THUMB].colours).tolist() == [[0xB3, 0x00, 0x1B]]


def test_a_wish_changes_what_it_names() -> None:
    coat = Look.of(designs.find(1)).wearing(Wish(finish=Finish.GLOSS, shape=Shape.ALMOND)).coats[Finger.INDEX]
    assert (coat.finish, coat.shape, coat.length) == (Finish.GLOSS, Shape.ALMOND, Length.NATURAL)
    assert to_srgb(coat.colours).tolist() == [[0xB3, 0x00, 0x1B]]
    assert to_srgb(coat.wearing(Wish(colours=("#102030",))).colours).tolist() == [[0x10, 0x20, 0x30]]


def test_a_set_is_worn_as_it_says() -> None:
    look = Look.of_set(nail_set("#102030", "#405060"))
    assert np.all(to_srgb(texture_of(look, Finger.THUMB)) == (0x10, 0x20, 0x30))
    for finger in (Finger.INDEX, Finger.PINKY):
        assert np.all(to_srgb(texture_of(look, finger)) == (0x40, 0x50, 0x60))
    assert {coat.finish for coat in look.coats.values()} == {Finish.GLOSS}


def test_a_person_gives_a_finger_another_nail_of_the_set() -> None:
    look = Look.of_set(nail_set("#102030", "#405060"), {Finger.PINKY: 0})
    assert np.all(to_srgb(texture_of(look, Finger.PINKY)) == (0x10, 0x20, 0x30))
    assert np.all(to_srgb(texture_of(look, Finger.RING)) == (0x40, 0x50, 0x60))
    with pytest.raises(IndexError):
        Look.of_set(nail_set("#102030", "#405060"), {Finger.PINKY: 2})


def test_a_nail_that_is_no_picture_is_told() -> None:
    broken = nail_set("#102030").nails[0].model_copy(update={"image": b"none"})
    with pytest.raises(ValueError, match="not a picture"):
        Coat.of_picture(broken, Finish.CREAM)


def test_colours_replace_the_texture_of_a_picture() -> None:
    coat = Look.of_set(nail_set("#5A5A5A")).coats[Finger.INDEX]
    assert coat.wearing(Wish(finish=Finish.MATTE)).texture is coat.texture is not None
    assert coat.wearing(Wish(colours=("#102030",))).texture is None


def texture_of(look: Look, finger: Finger) -> Floats:
    texture = look.coats[finger].texture
    assert texture is not None
    return texture
