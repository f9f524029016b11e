from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_worker.drawn_hand import Scene, draw
from media_worker.polish.colour import to_linear, to_srgb
from media_worker.polish.looks import Look
from media_worker.vision.models import ModelUnavailable
from protocol import designs
from protocol.designs import Finger, Finish, Length, Shape, Style
from protocol.messages import Wish


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


def test_colours_replace_the_texture_of_a_picture() -> None:
    coat = Look.from_swatch(np.full((9, 9, 3), 90, np.uint8)).coats[Finger.INDEX]
    assert coat.wearing(Wish(finish=Finish.MATTE)).texture is coat.texture is not None
    assert coat.wearing(Wish(colours=("#102030",))).texture is None


def test_fingers_left_out_wear_the_median() -> None:
    colours = {
        Finger.INDEX: np.array([10, 0, 0], np.uint8),
        Finger.RING: np.array([30, 0, 0], np.uint8),
        Finger.PINKY: np.array([200, 0, 0], np.uint8),
    }
    look = Look.from_colours(colours)
    assert to_srgb(look.coats[Finger.INDEX].colours).tolist() == [[10, 0, 0]]
    assert to_srgb(look.coats[Finger.THUMB].colours).tolist() == [[30, 0, 0]]


def test_a_swatch_is_cut_from_the_middle() -> None:
    picture = np.zeros((100, 300, 3), np.uint8)
    picture[:, 100:200] = (0, 200, 0)
    texture = Look.from_swatch(picture).coats[Finger.INDEX].texture
    assert texture is not None
    assert np.all(to_srgb(texture) == (0, 200, 0))


@pytest.mark.media
def test_a_picture_of_a_hand_gives_its_nails_colours(hand_model: Path) -> None:
    look = Look.from_image(draw(Scene(width=800, height=800, nail=(30, 60, 170)), 0).rgb, hand_model)
    assert all(coat.texture is None for coat in look.coats.values())
    errors = [np.abs(to_srgb(coat.colours)[0].astype(int) - (30, 60, 170)).max() for coat in look.coats.values()]
    assert np.median(errors) < 30 and sorted(errors)[3] < 50, "one outline may miss its nail"


@pytest.mark.media
def test_a_picture_without_a_hand_is_a_swatch(hand_model: Path) -> None:
    picture = np.full((60, 80, 3), (200, 30, 90), np.uint8)
    coat = Look.from_image(picture, hand_model).coats[Finger.THUMB]
    assert coat.texture is not None
    assert np.all(to_srgb(coat.texture) == (200, 30, 90))


def test_a_missing_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable):
        Look.from_image(np.zeros((8, 8, 3), np.uint8), tmp_path / "none.task")
