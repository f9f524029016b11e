"""Choices over what a session wears, finger by finger."""

from __future__ import annotations

import pytest

from media_worker.shelf import Shelf
from media_worker.wardrobe import Wardrobe
from protocol.designs import Finger, Finish, Length, Pattern, Shape
from protocol.errors import UnknownDesign, UnknownNail
from protocol.internal import OwnDesign, Worn
from protocol.messages import Config, FingerConfig
from tests.media_worker.test_shelf import COBALT, own, seen
from tests.nail_sets import COLOURS, nail_set

RED, BLUE, PINK = "#B3001B", "#1F3FBF", "#F3D3D1"


def wardrobe(shelf: Shelf | None = None) -> Wardrobe:
    return Wardrobe(Worn(design_id=1), shelf or Shelf())


def uploaded(shelf: Shelf | None = None) -> Wardrobe:
    return Wardrobe(Worn(design_id=None, nail_set=nail_set()), shelf or Shelf())


def worn(of: Wardrobe, settings: Config) -> list[str]:
    coats = of.look(settings).coats
    return [seen(coats[finger]) for finger in Finger]


def ring(**wish: object) -> Config:
    return Config(fingers={Finger.RING: FingerConfig.model_validate(wish)})


def test_without_a_wish_the_sessions_own_is_worn() -> None:
    assert worn(wardrobe(), Config()) == [RED] * 5
    assert worn(uploaded(), Config()) == list(COLOURS)


def test_a_finger_goes_before_the_hand() -> None:
    settings = Config(design=6, finish=Finish.MATTE, fingers={Finger.RING: FingerConfig(design=3, finish=Finish.PEARL)})
    coats = wardrobe().look(settings).coats
    assert worn(wardrobe(), settings) == [BLUE, BLUE, BLUE, PINK, BLUE]
    assert [coats[finger].finish for finger in (Finger.THUMB, Finger.RING)] == [Finish.MATTE, Finish.PEARL]


@pytest.mark.parametrize(
    ("wish", "attribute", "expected"),
    [
        ({"finish": "chrome"}, "finish", Finish.CHROME),
        ({"pattern": "french"}, "pattern", Pattern.FRENCH),
        ({"shape": "almond"}, "shape", Shape.ALMOND),
        ({"length": "long"}, "length", Length.LONG),
    ],
)
def test_every_wish_reaches_the_coats(wish: dict[str, str], attribute: str, expected: object) -> None:
    everywhere = wardrobe().look(Config.model_validate(wish)).coats
    on_one = wardrobe().look(ring(**wish)).coats
    assert {getattr(coat, attribute) for coat in everywhere.values()} == {expected}
    assert [finger for finger in Finger if getattr(on_one[finger], attribute) == expected] == [Finger.RING]


def test_colours_are_worn_as_they_are_named() -> None:
    assert worn(wardrobe(), Config(colours=(BLUE,))) == [BLUE] * 5
    assert worn(wardrobe(), ring(colours=[PINK])) == [RED, RED, RED, PINK, RED]
    assert worn(uploaded(), Config(colours=(PINK,))) == [PINK] * 5, "they cover the picture"


def test_a_finger_wears_another_nail_of_the_picture() -> None:
    assert worn(uploaded(), ring(nail=0)) == [*COLOURS[:3], COLOURS[0], COLOURS[4]]


def test_own_designs_are_worn_by_id_with_their_nails() -> None:
    shelf = Shelf()
    shelf.put(OwnDesign(version="a", design=COBALT, nail_set=nail_set(RED, PINK)))
    assert worn(wardrobe(shelf), Config(design=1000)) == [RED, PINK, PINK, PINK, PINK]
    assert worn(uploaded(shelf), ring(design=1000, nail=0))[3] == RED


def test_what_leaves_the_catalogue_is_not_worn_any_more() -> None:
    shelf = Shelf()
    shelf.put(own())
    base = Wardrobe(Worn(design_id=1000), shelf)
    other, both = wardrobe(shelf), Config(design=1000, fingers={Finger.RING: FingerConfig(design=1000)})
    assert worn(other, both) == [BLUE] * 5
    shelf.remove(1000)
    assert worn(other, both) == [RED] * 5
    assert worn(base, Config()) == [BLUE] * 5, "whoever came for it keeps it"


def test_checks_know_the_nails_of_what_is_worn() -> None:
    uploaded().check(ring(nail=4), ring(nail=4))
    with pytest.raises(UnknownNail):
        uploaded().check(ring(nail=5), ring(nail=5))
    with pytest.raises(UnknownNail):
        wardrobe().check(ring(nail=0), ring(nail=0))
    with pytest.raises(UnknownDesign):
        wardrobe().check(Config(design=1000), Config(design=1000))
