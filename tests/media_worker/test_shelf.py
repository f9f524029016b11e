"""What can be worn here: the catalogue, and own designs as signaling sends them."""

from __future__ import annotations

import numpy as np
import pytest

from media_worker.polish.colour import to_srgb
from media_worker.polish.looks import Coat
from media_worker.shelf import Piece, Shelf
from protocol import designs
from protocol.designs import Design, Finger, Finish, Length, Shape, Style
from protocol.errors import BadRequest, CatalogueUnknown, UnknownDesign
from protocol.internal import OwnDesign, Worn, catalogue_version
from tests.nail_sets import COLOURS, nail_set

COBALT = Design(id=1000, name="Ours", family="Shop", colours=("#1F3FBF",))


def own(design_id: int = 1000, version: str = "a") -> OwnDesign:
    return OwnDesign(version=version, design=COBALT.model_copy(update={"id": design_id}))


def seen(coat: Coat) -> str:
    """The colour in the middle of a nail, as #RRGGBB."""
    colour = coat.colours[0] if coat.texture is None else coat.texture[64, 64]
    return "#" + "".join(f"{int(channel):02X}" for channel in to_srgb(np.asarray(colour)))


def test_own_designs_come_and_go() -> None:
    shelf = Shelf()
    assert shelf.find(1).design == designs.find(1)
    with pytest.raises(UnknownDesign):
        shelf.find(1000)
    shelf.put(own())
    assert shelf.find(1000).design == COBALT
    shelf.remove(1000)
    shelf.remove(1000)
    assert shelf.get(1000) is None


def test_a_catalogue_has_one_name_however_it_came_about() -> None:
    one, other = Shelf(), Shelf()
    for design_id in (1000, 1001):
        one.put(own(design_id))
    for design_id in (1001, 1002, 1000):
        other.put(own(design_id))
    other.remove(1002)
    version = catalogue_version({1000: "a", 1001: "a"})
    one.check(version)
    other.check(version)
    other.put(own(1000, version="b"))
    for wrong in (version, ""):
        with pytest.raises(CatalogueUnknown):
            other.check(wrong)
    other.check(None)
    Shelf().check(catalogue_version({}))


def test_what_is_worn_is_a_design_or_a_set() -> None:
    shelf = Shelf()
    assert shelf.chosen(Worn(design_id=6)).design == designs.find(6)
    assert shelf.chosen(Worn(design_id=None, nail_set=nail_set())).nail_count == 5
    with pytest.raises(UnknownDesign):
        shelf.chosen(Worn(design_id=999))
    with pytest.raises(BadRequest):
        shelf.chosen(Worn(design_id=None))
    with pytest.raises(CatalogueUnknown):
        shelf.chosen(Worn(design_id=6, catalogue="of tomorrow"))


def test_a_set_is_worn_finger_by_finger() -> None:
    piece = Piece(nail_set=nail_set())
    assert [seen(piece.coat(finger)) for finger in Finger] == list(COLOURS)


def test_any_finger_wears_any_nail_of_the_set() -> None:
    piece = Piece(nail_set=nail_set())
    assert seen(piece.coat(Finger.THUMB, 4)) == COLOURS[4]
    assert seen(piece.coat(Finger.RING, 99)) == COLOURS[3], "there is no nail 99, so it wears its own"


def test_a_design_from_a_picture_has_its_own_surface_and_shape() -> None:
    design = COBALT.model_copy(
        update={
            "finish": Finish.MATTE,
            "shape": Shape.ALMOND,
            "length": Length.LONG,
            "fingers": {Finger.RING: Style(finish=Finish.CHROME)},
        }
    )
    piece = Piece(design, nail_set())
    coats = {finger: piece.coat(finger) for finger in Finger}
    assert seen(coats[Finger.THUMB]) == COLOURS[0], "the picture's colours, not the design's"
    assert [coats[finger].finish for finger in (Finger.THUMB, Finger.RING)] == [Finish.MATTE, Finish.CHROME]
    assert {(coat.shape, coat.length) for coat in coats.values()} == {(Shape.ALMOND, Length.LONG)}
