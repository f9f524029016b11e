from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from media_worker.drawn_hand import SKIN_TONES, Drawing, Scene, draw
from media_worker.polish import scene
from media_worker.polish.canvas import RgbCanvas
from media_worker.polish.light import READ_EVERY, LightMemory, NailLight, read_light
from media_worker.polish.nail_space import NailSpace, sheet

DRAWING = draw(Scene(still=True, noise=0), 0)
RED, WHITE, BLACK = (179, 0, 27), (250, 248, 245), (14, 14, 18)
SHEET = sheet(48)
MIDDLE = DRAWING.nails[2]


def light_on(rgb: NDArray[np.uint8], drawing: Drawing = DRAWING, nail: int = 2) -> NailLight:
    each = drawing.nails[nail]
    return read_light(RgbCanvas(rgb), NailSpace.of(each.outline, each.axis))


def worn(*colours: tuple[int, int, int]) -> NailLight:
    return light_on(draw(Scene(still=True, noise=0, worn=colours), 0).rgb)


BARE = light_on(DRAWING.rgb)


def test_a_shadow_on_one_side_is_shading() -> None:
    shadow = DRAWING.rgb.copy()
    shadow[:, : int(MIDDLE.axis.mean(axis=0)[0])] //= 2
    before, after = BARE.shading(SHEET), light_on(shadow).shading(SHEET)
    assert (after[:, 0] / after[:, -1]).mean() < 0.8 * (before[:, 0] / before[:, -1]).mean()
    assert after[24, 18] == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("colours", [(RED,), (WHITE,), (BLACK,), (WHITE, RED), (BLACK, WHITE)])
def test_what_lies_under_new_polish_is_no_shading(colours: tuple[tuple[int, int, int], ...]) -> None:
    assert worn(*colours).shading(SHEET) == pytest.approx(BARE.shading(SHEET), abs=0.3)
    assert worn(*colours).shading(SHEET)[12:36, 9:27] == pytest.approx(BARE.shading(SHEET)[12:36, 9:27], abs=0.13)


def test_a_bright_spot_is_a_highlight_and_tells_where_the_lamp_is() -> None:
    x, y = np.add(MIDDLE.axis.mean(axis=0), (4, 0)).astype(int)
    dull = np.clip(DRAWING.rgb, 0, 170)
    spot = dull.copy()
    spot[y - 2 : y + 3, x - 1 : x + 2] = 255
    gleam = light_on(spot).gleam(SHEET)
    assert gleam.max() > 0.1 > light_on(dull).gleam(SHEET).max()
    assert gleam[:, :16].max() == 0
    u, v, sure = light_on(spot).lamp
    assert (u > 0.1, 0.35 < v < 0.65, sure > 0.4) == (True, True, True)


def test_a_white_tip_is_no_highlight() -> None:
    assert worn(RED, WHITE).gleam(SHEET)[30:].max() < 0.05


def test_an_extension_goes_on_in_the_light_of_the_free_edge() -> None:
    shading = BARE.shading(SHEET, edge=0.5)
    assert np.array_equal(shading[24], shading[-1])
    assert BARE.gleam(SHEET, edge=0.5)[24:].max() == 0


@pytest.mark.parametrize("skin", SKIN_TONES)
def test_no_skin_in_good_light_darkens_polish_whatever_it_wears(skin: str) -> None:
    for colours in ((), (RED,), (BLACK,)):
        drawing = draw(Scene(still=True, skin=SKIN_TONES[skin], worn=colours), 0)
        assert light_on(drawing.rgb, drawing).exposure(1.0) == 1


def test_a_hand_against_the_light_and_one_under_a_lamp() -> None:
    dim = light_on((DRAWING.rgb * 0.25).astype(np.uint8))
    assert dim.exposure(1.0) < 0.4
    assert BARE.exposure(0.1) > 0.9, "the room is dark, the hand is not"


@pytest.mark.parametrize("skin", SKIN_TONES)
def test_old_polish_is_told_from_a_bare_nail(skin: str) -> None:
    def sure(*colours: tuple[int, int, int]) -> float:
        drawing = draw(Scene(still=True, skin=SKIN_TONES[skin], worn=colours), 0)
        return light_on(drawing.rgb, drawing).worn

    assert sure() == 0
    assert min(sure(RED), sure((31, 63, 191)), sure((30, 77, 56))) > 0.5


def test_memory_smooths_and_follows_within_a_third_of_a_second() -> None:
    memory, dark = LightMemory(), replace(BARE, slants=BARE.slants - 1)
    bright, dim = scene.Scene(0.4, 0.0), scene.Scene(0.1, 0.0)
    assert memory.begin({5}, lambda: bright) is bright
    assert memory.steady(5, lambda: dark) is dark
    seen = []
    for _ in range(12):
        level = memory.begin({5}, lambda: dim).brightness
        seen.append(float(memory.steady(5, lambda: BARE).slants[0] - dark.slants[0]))
    assert seen == sorted(seen) and max(np.diff(seen)) < 0.7, "in steps, not at once"
    assert seen[9] > 0.85
    assert level < 0.13


def test_noise_is_no_change_of_light() -> None:
    memory, first = LightMemory(), replace(BARE, slants=BARE.slants + np.float32(0.02))
    kept = []
    for frame in range(20):
        memory.begin({1}, lambda: scene.Scene(0.4, 0.0))
        kept.append(memory.steady(1, (lambda: first) if frame == 0 else lambda: BARE))
    assert all(light is first for light in kept)
    assert not first.like(replace(BARE, slants=BARE.slants - np.float32(0.06)))
    assert not first.like(replace(BARE, worn=1.0))


def test_highlights_tell_hard_light_and_it_changes_slowly() -> None:
    memory = LightMemory()
    lamp, overcast = (replace(BARE, lamp=np.array([0.1, 0.5, sure], np.float32)) for sure in (0.6, 0.0))
    assert memory.hardness([overcast, overcast]) == 0
    seen = [memory.hardness([lamp, overcast]) for _ in range(60)]
    assert max(np.diff(seen)) < 0.1 and seen[-1] > 0.95
    memory.begin(set(), lambda: scene.Scene(0.4, 0.0))
    assert memory.hardness([overcast]) == 0, "after a cut nothing is remembered"


def test_memory_reads_seldom() -> None:
    memory, reads = LightMemory(), iter(range(100))
    for _ in range(30):
        memory.begin({1}, lambda: scene.Scene(0.4, 0.0))
        memory.steady(1, lambda: replace(BARE, worn=next(reads) / 100))
    assert next(reads) == pytest.approx(30 / READ_EVERY, abs=1)


def test_after_a_cut_and_in_photos_nothing_is_remembered() -> None:
    memory = LightMemory()
    bright, dim = scene.Scene(0.4, 0.0), scene.Scene(0.1, 0.0)
    memory.begin({1}, lambda: bright)
    memory.steady(1, lambda: BARE)
    assert memory.begin({2}, lambda: dim) is dim
    other = replace(BARE, worn=0.7)
    assert memory.steady(0, lambda: BARE) is BARE
    assert memory.steady(0, lambda: other) is other
