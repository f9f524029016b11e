"""Names and colours of designs from photos."""

from __future__ import annotations

import pytest

from protocol.designs import Finish
from signaling.photo_designs import description, name_of
from tests.nail_sets import nail_set


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("rose_gold-2.jpg", "Rose gold 2"),
        ("IMG 0001.JPG", "IMG 0001"),
        ("été.png", "Été"),
        ("v1.2 final.webp", "V1.2 final"),
        ("___.png", "Design"),
        ("x" * 200 + ".jpg", "X" + "x" * 59),
    ],
)
def test_a_design_is_named_after_its_file(file: str, name: str) -> None:
    assert name_of(file) == name


async def test_colours_are_those_of_the_worn_nails_each_once() -> None:
    assert await description(nail_set("#B3001B", "#1F3FBF")) == {
        "finish": Finish.GLOSS,
        "colours": ["#B3001B", "#1F3FBF"],
    }
