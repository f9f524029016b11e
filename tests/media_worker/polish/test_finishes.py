from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from media_worker.polish.colour import to_srgb
from media_worker.polish.finishes import TURNING, finished
from media_worker.polish.surface import Film, Shine, Wet, relief
from protocol.designs import Finish

ROWS = 64
RED = np.array([0.45, 0.0, 0.01], np.float32)
BLACK = np.array([0.004, 0.004, 0.006], np.float32)
WHITE = np.array([0.95, 0.93, 0.9], np.float32)


def wet(*colours: NDArray[np.float32], shine: Shine | None = None) -> Wet:
    surface = relief(ROWS)
    even, nothing = np.ones_like(surface.facing), np.zeros_like(surface.facing)
    light = np.ones(3, np.float32)
    at = shine or Shine(-0.25, 0.45, 0.3)
    return Wet(colours[0].reshape(1, 1, 3), np.stack(colours), surface, light, even, nothing, at)


def film(finish: Finish, *colours: NDArray[np.float32], shine: Shine | None = None) -> Film:
    return finished(finish, wet(*(colours or (RED,)), shine=shine))


@pytest.mark.parametrize("finish", [finish for finish in Finish if finish is not Finish.GLITTER])
def test_every_finish_takes_a_colour_and_a_pattern(finish: Finish) -> None:
    plain = wet(RED, WHITE)
    pattern = replace(plain, colour=np.broadcast_to(RED, (*plain.shading.shape, 3)).copy())
    a, b = finished(finish, plain), finished(finish, pattern)
    assert a.light.shape == b.light.shape == (ROWS, 48, 3)
    assert a.light.dtype == np.float32
    assert a.light == pytest.approx(b.light, abs=1e-4)
    assert np.isfinite(a.light).all() and a.light.min() > -0.02


@pytest.mark.parametrize("finish", list(Finish))
def test_less_light_darkens_every_finish(finish: Finish) -> None:
    bright = wet(RED, WHITE)
    dim = replace(bright, light=bright.light * np.float32(0.3))
    assert finished(finish, dim).light.mean() == pytest.approx(0.3 * finished(finish, bright).light.mean(), rel=0.02)


@pytest.mark.parametrize("finish", [Finish.CREAM, Finish.GLOSS, Finish.MATTE])
@pytest.mark.parametrize("colour", [RED, BLACK, WHITE])
def test_paint_has_its_colour_in_most_places(finish: Finish, colour: NDArray[np.float32]) -> None:
    shown = np.median(film(finish, colour).light, axis=(0, 1))
    assert shown == pytest.approx(colour, abs=0.015 + 0.05 * float(colour.max()))


def test_only_sheer_polish_lets_light_through() -> None:
    assert [finish for finish in Finish if film(finish).through is not None] == [Finish.SHEER]
    through = film(Finish.SHEER, np.array([0.9, 0.4, 0.1], np.float32)).through
    assert through is not None
    assert through[32, 24, 0] > through[32, 24, 1] > through[32, 24, 2] > 0
    assert through[32, 0, 2] > through[32, 24, 2], "thinner at the sides"


def contrast(finish: Finish, colour: NDArray[np.float32] = BLACK) -> float:
    return float(np.ptp(film(finish, colour).light[4:-4, 6:-6].mean(axis=2)))


def test_gloss_shines_more_than_cream_and_matte_does_not() -> None:
    assert contrast(Finish.GLOSS) > 2 * contrast(Finish.CREAM) > 8 * contrast(Finish.MATTE)


def test_highlights_are_softer_in_light_from_all_sides() -> None:
    def steepest(hardness: float) -> float:
        light = film(Finish.GLOSS, BLACK, shine=Shine(-0.25, 0.45, 0.3, hardness)).light
        return float(np.abs(np.diff(light[28, 6:-6, 0])).max())

    assert 0.3 * steepest(1) < steepest(0) < 0.7 * steepest(1)


def test_no_two_nails_mirror_the_same() -> None:
    one, other = (film(Finish.GLOSS, BLACK, shine=Shine(-0.25, 0.45, turn)).light for turn in (0.0, 1.0))
    assert np.abs(one - other).max() > 0.04


def test_a_highlight_leaves_no_haze_on_near_black() -> None:
    light = film(Finish.CREAM, BLACK).light[:, 6:-6].max(axis=2)
    assert light.max() > 0.1
    assert (light > 1.5 * BLACK.max()).mean() < 0.12


def test_metal_mirrors_in_its_own_colour() -> None:
    gold = np.array([0.6, 0.36, 0.12], np.float32)
    light = film(Finish.METALLIC, gold).light
    brightest = light.reshape(-1, 3)[light.sum(axis=2).argmax()]
    assert brightest[0] > 1.8 * brightest[2], "no white highlight"


def test_dark_parts_of_gold_turn_to_amber() -> None:
    gold = np.array([0.6, 0.36, 0.12], np.float32)
    light = film(Finish.METALLIC, gold).light.reshape(-1, 3)
    dark = light[light.sum(axis=1).argsort()[:100]].mean(axis=0)
    assert dark[2] / dark[0] < 0.75 * gold[2] / gold[0]


def test_matte_is_lighter_where_it_turns_to_the_lamp() -> None:
    light = film(Finish.MATTE, RED, shine=Shine(-0.4, 0.45, 0.3)).light[32, :, 0]
    assert light[8] > 1.12 * light[-9]


def test_chrome_shows_a_horizon_that_moves_with_the_finger() -> None:
    silver = np.full(3, 0.6, np.float32)
    row = film(Finish.CHROME, silver).light[32].mean(axis=1)
    assert row.max() > 3.5 * row.min()
    moved = film(Finish.CHROME, silver, shine=Shine(-0.05, 0.45, 0.3)).light[32].mean(axis=1)
    assert np.abs(moved - row).max() > 0.2


@pytest.mark.parametrize("finish", [Finish.GLITTER, Finish.SHIMMER])
def test_flakes_flash_in_other_places_as_the_finger_turns(finish: Finish) -> None:
    a, b = (film(finish, RED, WHITE, shine=Shine(-0.25, 0.45, turn)).light for turn in (0.0, 1.2))
    assert np.abs(a - b).mean() > 0.02
    assert a.mean() == pytest.approx(b.mean(), rel=0.1)


def test_pearl_blooms_in_pink_green_and_blue_and_does_not_burn_out() -> None:
    light = film(Finish.PEARL, WHITE).light[10:-10, 4:-4]
    assert np.median(light) < 0.95
    hues = light / light.mean(axis=2, keepdims=True)
    red, green, blue = (hues / hues.mean(axis=(0, 1))).max(axis=(0, 1))
    assert min(red, blue) > 1.03 and green > 1.01


def test_pale_sheer_polish_is_milky() -> None:
    milk, jelly = (film(Finish.SHEER, colour) for colour in (WHITE, np.array([0.9, 0.6, 0.2], np.float32)))
    assert milk.through is not None and jelly.through is not None
    assert milk.through[32, 24, 0] < 0.6 < jelly.through[32, 24, 0]
    assert milk.light[10, 40].min() > 0.3 > jelly.light[10, 40].min()


def test_in_a_pattern_flakes_lie_where_the_last_colour_does() -> None:
    coat = wet(RED, WHITE)
    half = np.broadcast_to(RED, (*coat.shading.shape, 3)).copy()
    half[32:] = WHITE
    light = finished(Finish.GLITTER, replace(coat, colour=half)).light[..., 1]
    assert np.abs(np.diff(light[:31, 30:44])).max() < 0.05, "one colour, no flakes"
    assert np.abs(np.diff(light[33:, 30:44])).max() > 0.3


def test_the_band_of_a_cat_s_eye_wanders() -> None:
    def middle(turn: float) -> float:
        column = film(Finish.CAT_EYE, BLACK, WHITE, shine=Shine(0.6, 0.45, turn)).light[:, 24].mean(axis=1)
        return float((column * np.arange(ROWS)).sum() / column.sum())

    assert abs(middle(0.0) - middle(1.5)) > 0.08 * ROWS


@pytest.mark.parametrize("finish", list(Finish))
@pytest.mark.parametrize("colour", [RED, WHITE])
def test_a_step_of_turning_is_not_seen(finish: Finish, colour: NDArray[np.float32]) -> None:
    changes, step = [], TURNING[finish] / 2
    for turn in np.linspace(0, 2 * np.pi, 9):
        before, after = (film(finish, colour, shine=Shine(-0.25, 0.45, at)) for at in (turn, turn + step))
        changes.append(np.abs(to_srgb(after.light).astype(int) - to_srgb(before.light)))
    assert np.mean(changes) < 0.5, "of 255 steps"
    assert np.percentile(changes, 99) <= 4
