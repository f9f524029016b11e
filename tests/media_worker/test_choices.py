from __future__ import annotations

import pytest

from media_worker import choices
from protocol.designs import Finger, Finish, Length, Pattern, Shape
from protocol.errors import BadRequest
from protocol.messages import FingerConfig


def test_colours_need_no_hash() -> None:
    assert choices.colours(["B3001B", "#f3d3d1"]) == ("#B3001B", "#f3d3d1")
    assert choices.colours([]) is None


@pytest.mark.parametrize("values", [["red"], ["#12345"], ["B3001B,F3D3D1"], ["000000"] * 6])
def test_what_is_no_colour_is_refused_with_an_example(values: list[str]) -> None:
    with pytest.raises(BadRequest, match="one to five colours as RRGGBB, for example B3001B"):
        choices.colours(values)


def test_every_field_of_a_finger() -> None:
    ring = ["ring=12", "ring.finish=cat_eye", "ring.shape=coffin", "ring.length=long", "ring.colour=000000,ffffff"]
    others = ["thumb.nail=2", "thumb.pattern=french", "ring.colour=#C0A000", "index.design=7"]
    chosen = choices.fingers([*ring, *others])
    assert chosen == {
        Finger.RING: FingerConfig(
            design=12,
            finish=Finish.CAT_EYE,
            shape=Shape.COFFIN,
            length=Length.LONG,
            colours=("#000000", "#ffffff", "#C0A000"),
        ),
        Finger.THUMB: FingerConfig(nail=2, pattern=Pattern.FRENCH),
        Finger.INDEX: FingerConfig(design=7),
    }
    assert set(FingerConfig.model_fields) == {*choices._FIELDS, "colours"}, "all that a session can be told"


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ("toe=1", "--finger toe=1: fingers are thumb, index, middle, ring, pinky; for example"),
        ("ring", "a value is missing; for example --finger ring=12"),
        ("ring.finish=", "a value is missing"),
        ("ring.sheen=1", "a finger has design, pattern, finish, shape, length, nail and colour"),
        ("ring.finish=golden", "finish is one of cream, gloss,"),
        ("ring=red", "design is a number"),
        ("ring.nail=-1", "nail is a number"),
        ("ring.colour=red", "colours as RRGGBB"),
        ("ring.colour=" + ",".join(["000000"] * 6), "one to five colours"),
    ],
)
def test_mistakes_are_told_with_what_would_be_right(choice: str, message: str) -> None:
    with pytest.raises(BadRequest) as mistake:
        choices.fingers([choice])
    assert message in mistake.value.message
