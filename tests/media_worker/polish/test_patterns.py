"""Patterns on a nail of their own, without light: what lies where."""

from __future__ import annotations

import numpy as np
import pytest

from media_worker.polish.colour import to_srgb
from media_worker.polish.looks import Coat
from media_worker.polish.nail_space import Place
from media_worker.polish.patterns import PATTERNS, colour_of
from media_worker.polish.patterns.sheet import LENGTHS
from media_worker.vision.arrays import Floats
from protocol.designs import Design, Length, Pattern

DRAWN = list(PATTERNS)
SYMMETRIC = [
    Pattern.FRENCH, Pattern.MICRO_FRENCH, Pattern.DEEP_FRENCH, Pattern.V_FRENCH, Pattern.DOUBLE_FRENCH,
    Pattern.HALF_MOON, Pattern.CUFF, Pattern.GRADIENT, Pattern.AURA, Pattern.STRIPES, Pattern.PINSTRIPES,
    Pattern.CHEVRON, Pattern.PLAID, Pattern.LATTICE, Pattern.DOTS,
]  # fmt: skip
TIPS = [
    Pattern.FRENCH, Pattern.MICRO_FRENCH, Pattern.DEEP_FRENCH, Pattern.V_FRENCH, Pattern.DOUBLE_FRENCH,
    Pattern.SIDE_TIP, Pattern.TWO_TONE, Pattern.DRIP,
]  # fmt: skip


def coat(pattern: Pattern, *colours: str, length: Length = Length.NATURAL) -> Coat:
    colours = colours or ("#1C2A4A", "#F7F3EA", "#E0366F")
    return Coat.of(Design(id=1, name="x", family="x", pattern=pattern, colours=colours, length=length))


def place(rows: int, columns: int) -> Place:
    """The middles of rows by columns cells that fill a nail, the cuticle first."""
    v, u = np.meshgrid((np.arange(rows) + 0.5) / rows, (np.arange(columns) + 0.5) / columns * 2 - 1, indexing="ij")
    return Place(u.astype(np.float32), v.astype(np.float32), 2 / columns, 1 / rows)


def drawn(worn: Coat, rows: int = 50, columns: int = 40) -> Floats:
    """(rows, columns, 3) sRGB, 0–255."""
    return to_srgb(colour_of(worn, place(rows, columns))).astype(np.float32)


def test_every_pattern_is_drawn() -> None:
    assert set(DRAWN) == set(Pattern) - {Pattern.SOLID}
    assert colour_of(coat(Pattern.SOLID), place(9, 9)).shape == (1, 1, 3)


@pytest.mark.parametrize("pattern", DRAWN)
def test_colours_are_those_of_the_coat(pattern: Pattern) -> None:
    """Nothing outside their range, which overshooting edges would leave; cherries have white gleams of their own."""
    worn = coat(pattern, "#1C2A4A", "#F7F3EA" if pattern is not Pattern.CHERRIES else "#FFFFFF", "#E0366F")
    colours = colour_of(worn, place(50, 40))
    assert colours.shape == (50, 40, 3) and colours.dtype == np.float32
    assert (colours >= worn.colours.min(axis=0) - 1e-4).all() and (colours <= worn.colours.max(axis=0) + 1e-4).all()


@pytest.mark.parametrize("pattern", DRAWN)
def test_both_colours_are_seen_at_the_size_of_a_stream(pattern: Pattern) -> None:
    picture = drawn(coat(pattern, "#000000", "#FFFFFF"))[..., 0]
    least = 0.02 if pattern is Pattern.MARBLE else 0.04
    assert (picture < 80).mean() > least and (picture > 175).mean() > least


def test_no_two_patterns_look_alike() -> None:
    pictures = [drawn(coat(pattern)) for pattern in DRAWN]
    for index, picture in enumerate(pictures):
        differences = [np.abs(picture - other).mean() for other in pictures[:index]]
        assert min(differences, default=99) > 8, (DRAWN[index], DRAWN[int(np.argmin(differences or [0]))])


@pytest.mark.parametrize("pattern", SYMMETRIC)
def test_left_and_right_are_alike(pattern: Pattern) -> None:
    picture = drawn(coat(pattern, "#1C2A4A", "#F7F3EA"))  # of several accents, dots draw lots
    assert np.abs(picture - picture[:, ::-1]).max() < 2


@pytest.mark.parametrize("pattern", DRAWN)
def test_it_stays_put_at_any_size(pattern: Pattern) -> None:
    """A nail that comes nearer shows the same picture: small is large, averaged in linear light."""
    large = colour_of(coat(pattern), place(240, 180)).reshape(60, 4, 45, 4, 3).mean(axis=(1, 3))
    assert np.abs(drawn(coat(pattern), 60, 45) - to_srgb(large)).mean() < 5


@pytest.mark.parametrize("pattern", DRAWN)
def test_edges_are_antialiased(pattern: Pattern) -> None:
    """Moved by a tenth of a pixel, no pixel jumps: a nail that moves does not glitter."""
    here = place(60, 48)
    moved = Place(here.u + 0.1 * here.pixel_u, here.v + 0.1 * here.pixel_v, here.pixel_u, here.pixel_v)
    change = np.abs(colour_of(coat(pattern), moved) - colour_of(coat(pattern), here)).max(axis=2)
    assert np.quantile(change, 0.995) < 0.35


@pytest.mark.parametrize("pattern", TIPS)
def test_tips_have_the_accent_at_the_free_edge(pattern: Pattern) -> None:
    picture = drawn(coat(pattern, "#FF0000", "#0000FF"), 100, 41)
    assert picture[12, 20].argmax() == 0 and picture[98, 20].argmax() == 2


def test_a_moon_and_a_cuff_lie_at_the_cuticle_and_keep_their_size_on_a_long_nail() -> None:
    for pattern, cuticle, above in ((Pattern.HALF_MOON, 0, 2), (Pattern.CUFF, 2, 0)):
        for length in (Length.NATURAL, Length.LONG):
            picture = drawn(coat(pattern, "#FF0000", "#0000FF", length=length), 100, 41)
            assert picture[1, 20].argmax() == cuticle and picture[40, 20].argmax() == above


def test_gradients_pass_through_all_their_colours() -> None:
    picture = drawn(coat(Pattern.GRADIENT, "#FF0000", "#00FF00", "#0000FF"), 100, 41)
    assert [int(picture[row, 20].argmax()) for row in (5, 50, 95)] == [0, 1, 2]


def test_an_aura_glows_in_the_middle() -> None:
    picture = drawn(coat(Pattern.AURA, "#FF0000", "#00FF00", "#0000FF"), 100, 41)
    assert picture[52, 20].argmax() == 2 and picture[2, 20].argmax() == 0 and picture[52, 0].argmax() == 0


@pytest.mark.parametrize("pattern", [Pattern.STRIPES, Pattern.DOTS, Pattern.CONFETTI, Pattern.HEARTS, Pattern.SWIRL])
def test_all_accents_are_worn(pattern: Pattern) -> None:
    picture = drawn(coat(pattern, "#000000", "#FF0000", "#00FF00", "#0000FF"), 200, 160)
    for channel in range(3):
        others = np.delete(picture, channel, axis=2).max(axis=2)
        assert ((picture[..., channel] > 200) & (others < 60)).mean() > 0.01


@pytest.mark.parametrize("base", ["#101018", "#B3001B", "#F2CFC4", "#FBF8F2"])
def test_a_single_colour_gets_an_accent_that_shows(base: str) -> None:
    picture = drawn(coat(Pattern.FRENCH, base))
    assert np.abs(picture[48, 20] - picture[5, 20]).max() > 100


@pytest.mark.parametrize("pattern", [Pattern.DOTS, Pattern.HEARTS, Pattern.DAISIES, Pattern.STARS])
def test_things_on_long_nails_are_more_not_longer(pattern: Pattern) -> None:
    natural, long = (
        drawn(coat(pattern, "#000000", "#FFFFFF", length=length), round(80 * LENGTHS[length]), 160)[..., 0]
        for length in (Length.NATURAL, Length.LONG)
    )
    assert np.abs(natural[:90] - long[:90]).mean() < 25, "cells keep their size and place from the cuticle on"
