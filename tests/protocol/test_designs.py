"""The catalogue and the error table keep their promises."""

from __future__ import annotations

import re

import pytest

from protocol import designs, errors
from protocol.errors import UnknownDesign


def test_post_1_is_the_classic() -> None:
    classic = designs.find(1)
    assert (classic.colours, classic.finish, classic.pattern) == (("#B3001B",), "cream", "solid")


def test_catalogue_offers_at_least_24_designs_in_families() -> None:
    catalogue = designs.catalogue().values()
    assert len(catalogue) >= 24
    assert {"cream", "french", "gradient"} <= {design.family for design in catalogue}
    assert len({design.name for design in catalogue}) == len(catalogue)


def test_patterns_have_the_colours_they_need() -> None:
    for design in designs.catalogue().values():
        assert len(design.colours) >= (1 if design.pattern == "solid" else 2), design.name


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
