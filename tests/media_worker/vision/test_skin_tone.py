from __future__ import annotations

import numpy as np
import pytest

from media_worker.drawn_hand import SKIN_TONES, Scene, draw
from media_worker.vision.arrays import Mask, Pixels
from media_worker.vision.skin_tone import ring, skin_tone, thirds


def swatch(skin: tuple[int, int, int], paper: float = 0.0) -> tuple[Pixels, Mask]:
    """Skin round a blue nail; the lower share of the picture is white paper."""
    rgb = np.full((100, 100, 3), skin, np.uint8)
    rgb[100 - round(100 * paper) :] = 255
    nail = np.zeros((100, 100), bool)
    nail[40:60, 40:60] = True
    rgb[nail] = (0, 0, 255)
    return rgb, nail


def test_the_angle_of_a_known_colour() -> None:
    # sRGB (200, 150, 120) is L* 66.1, b* 23.1 under D65
    assert skin_tone(*swatch((200, 150, 120))) == pytest.approx(np.degrees(np.arctan2(66.1 - 50, 23.1)), abs=0.5)


def test_neither_the_nail_nor_paper_behind_the_finger_is_skin() -> None:
    whole, cut = skin_tone(*swatch((200, 150, 120))), skin_tone(*swatch((200, 150, 120), paper=0.45))
    assert whole is not None and cut == pytest.approx(whole)
    assert skin_tone(*swatch((128, 128, 128))) is None, "grey is no skin"
    assert skin_tone(np.full((50, 50, 3), 160, np.uint8), np.zeros((50, 50), bool)) is None, "no nail, no ring"


def test_the_ring_lies_around_the_nail() -> None:
    _, nail = swatch((200, 150, 120))
    around = ring(nail)
    assert not (around & nail).any()
    assert not around[50, 61] and around[50, 65] and not around[50, 72], "from 2 to 10 pixels off a nail of 20"


def test_drawn_skin_is_ordered() -> None:
    drawings = {name: draw(Scene(skin=colour), 0) for name, colour in SKIN_TONES.items()}
    tones = {name: skin_tone(drawing.rgb, drawing.mask() > 0) for name, drawing in drawings.items()}
    dark, medium, light = tones["dark"], tones["medium"], tones["light"]
    assert dark is not None and medium is not None and light is not None
    assert dark < -10 < medium < light


def test_thirds_go_from_dark_to_light() -> None:
    assert thirds([50.0, -20.0, 10.0, 40.0, -30.0, 20.0]) == ([4, 1], [2, 5], [3, 0])
    assert [len(third) for third in thirds([1.0] * 8)] == [3, 3, 2]
    with pytest.raises(ValueError, match="three pictures or more"):
        thirds([1.0, 2.0])
