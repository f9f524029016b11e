"""The catalogue and the error table keep their promises."""

from __future__ import annotations

import re
from enum import StrEnum
from itertools import groupby

import pytest

from protocol import designs, errors
from protocol.designs import Design, Finish, Length, Pattern, Shape
from protocol.errors import UnknownDesign


def test_post_1_is_the_classic() -> None:
    classic = designs.find(1)
    assert (classic.colours, classic.finish, classic.pattern) == (("#B3001B",), "cream", "solid")


def test_catalogue_offers_many_designs_in_families() -> None:
    catalogue = designs.catalogue()
    assert len(catalogue) >= 72 and len(catalogue.families()) >= 10
    assert list(catalogue.families())[:2] == ["Classics", "Gel"], "files are read in their order"
    assert all(len(family) >= 5 for family in catalogue.families().values())
    assert len({design.name.casefold() for design in catalogue.values()}) == len(catalogue)
    assert max(catalogue) < 1000, "a shop's own begin there"


def test_families_are_not_interrupted() -> None:
    families = [design.family for design in designs.catalogue().values()]
    assert [family for family, _ in groupby(families)] == list(dict.fromkeys(families))


def test_ids_in_the_wild_keep_their_designs() -> None:
    known = {
        1: "Classic Red",
        8: "Sage",
        13: "Ink",
        20: "Classic French",
        26: "Half Moon",
        31: "Stardust",
        36: "Ladybird Night",
    }
    assert {number: designs.find(number).name for number in known} == known
    assert designs.find(26).colours == ("#F7F3EA", "#B3001B")


@pytest.mark.parametrize(
    ("field", "choices"), [("pattern", Pattern), ("finish", Finish), ("shape", Shape), ("length", Length)]
)
def test_every_choice_is_worn_by_some_design(field: str, choices: type[StrEnum]) -> None:
    assert {getattr(design, field) for design in designs.catalogue().values()} == set(choices)


def styles(design: Design) -> list[tuple[Pattern, tuple[str, ...]]]:
    """What the fingers of a design wear."""
    own = [(style.pattern or design.pattern, style.colours or design.colours) for style in design.fingers.values()]
    return [(design.pattern, design.colours), *own]


@pytest.mark.parametrize("design", designs.catalogue().values(), ids=lambda design: design.name)
def test_patterns_have_accents_that_show(design: Design) -> None:
    """Of sRGB bytes, the channel that differs most does so by more than compression smears."""
    for pattern, colours in styles(design):
        if pattern is Pattern.SOLID:
            continue
        base, *accents = ([int(colour[k : k + 2], 16) for k in (1, 3, 5)] for colour in colours)
        assert accents
        assert all(max(abs(a - b) for a, b in zip(base, accent, strict=True)) >= 40 for accent in accents)


def test_unknown_design() -> None:
    with pytest.raises(UnknownDesign, match="999"):
        designs.find(999)


def test_every_error_is_in_the_documented_table_as_it_is() -> None:
    rows = re.findall(r"── (\w+) +(\w+) +(\d+) +(\d+) ", errors.__doc__ or "")
    documented = {name: (code, int(status), int(close)) for name, code, status, close in rows}
    actual = {kind.__name__: (kind.code, kind.status, kind.close_code) for kind in errors.LacquerError.__subclasses__()}
    assert documented == actual


def test_errors_survive_the_way_between_processes() -> None:
    for code, kind in errors.BY_CODE.items():
        error = errors.from_code(code, "why")
        assert type(error) is kind
        assert error.message == "why"
    assert type(errors.from_code("of_the_future", "?")) is errors.LacquerError
