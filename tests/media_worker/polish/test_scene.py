from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from media_worker import drawn_hand
from media_worker.drawn_hand import SKIN_TONES, draw
from media_worker.polish.canvas import RgbCanvas
from media_worker.polish.scene import LUMINANCE, Scene, read_scene

NEUTRAL = drawn_hand.Scene(noise=2)


def seen(scene: drawn_hand.Scene) -> Scene:
    return read_scene(RgbCanvas(draw(scene, 0.2).rgb).overview())


@pytest.mark.parametrize("skin", SKIN_TONES)
def test_in_good_light_polish_has_its_own_colour_on_every_skin(skin: str) -> None:
    scene = seen(replace(NEUTRAL, skin=SKIN_TONES[skin]))
    assert scene.exposure == 1
    assert scene.tint == pytest.approx(1, abs=0.01)


def test_a_dim_room_darkens_polish_but_less_than_itself() -> None:
    exposures = [seen(replace(NEUTRAL, light=(byte, byte, byte))).exposure for byte in (255, 150, 90)]
    assert exposures[0] > exposures[1] > exposures[2] > (90 / 255) ** 2.2


def test_lamps_colour_polish_as_far_as_eyes_do_not_adapt() -> None:
    warm, cold = (seen(replace(NEUTRAL, light=light)).tint for light in ((255, 200, 145), (170, 205, 255)))
    assert warm[0] > 1.02 and 145 / 255 < warm[2] < 0.95
    assert cold[2] > 1.02 and 170 / 255 < cold[0] < 0.98
    assert warm @ LUMINANCE == pytest.approx(1)


def test_skin_alone_is_no_lamp() -> None:
    assert read_scene(np.full((30, 40, 3), SKIN_TONES["medium"], np.uint8)).cast == 0


def test_a_black_picture_has_an_exposure() -> None:
    assert 0 < read_scene(np.zeros((30, 40, 3), np.uint8)).exposure < 0.1


def test_a_step_goes_part_of_the_way() -> None:
    a, b = Scene(0.1, 0.0), Scene(0.4, 0.6)
    assert a.towards(b, 0.5).brightness == pytest.approx(0.2)
    assert a.towards(b, 0.5).cast == pytest.approx(0.3)
    assert a.towards(b, 1.0).exposure == pytest.approx(b.exposure)


def test_scenes_are_alike_where_polish_looks_the_same() -> None:
    assert Scene(0.2, 0.5).like(Scene(0.201, 0.505))
    assert Scene(0.5, 0.0).like(Scene(0.9, 0.1)), "both are well exposed, and their walls may be tinted"
    assert not Scene(0.2, 0.5).like(Scene(0.21, 0.5))
    assert not Scene(0.5, 0.5).like(Scene(0.5, 0.6))
