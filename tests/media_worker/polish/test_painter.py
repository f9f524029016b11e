from __future__ import annotations

import time
from dataclasses import replace
from itertools import cycle, product

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from media_worker.drawn_hand import Drawing, Scene, draw
from media_worker.polish.extraction import extract
from media_worker.polish.looks import Look
from media_worker.polish.painter import Painter
from media_worker.vision.coverage import coverage
from media_worker.vision.nails import Nail, numbered
from protocol import designs
from protocol.designs import Design, Finger, Finish, Pattern, Style
from protocol.messages import Wish

RED = Look.of(designs.find(1))
DRAWING = draw(Scene(noise=0.5), 0.4)


def true_nails(drawing: Drawing) -> list[Nail]:
    return [
        Nail(n.finger, n.hand, n.outline.astype(np.float32), n.axis.astype(np.float32), 1.0, 1.0) for n in drawing.nails
    ]


NAILS = true_nails(DRAWING)
MASK = DRAWING.mask() > 0
NEAR = cv2.dilate(MASK.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
"""Paint, and the shade beside it."""
CORE = cv2.erode(MASK.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0


def painted(look: Look = RED, nails: list[Nail] | None = None, left: int = 0) -> NDArray[np.uint8]:
    picture = DRAWING.rgb.copy()
    Painter().paint_rgb(picture, NAILS if nails is None else nails, look, left=left)
    return picture


def as_i420(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420).astype(np.uint8)


def test_paint_covers_the_nails_and_nothing_else() -> None:
    after = painted()
    assert np.array_equal(after[~NEAR], DRAWING.rgb[~NEAR])
    assert (np.abs(after.astype(int) - DRAWING.rgb).max(axis=2)[CORE] > 40).mean() > 0.98


def test_classic_red_looks_like_itself() -> None:
    colour = np.median(painted()[CORE], axis=0)
    assert np.abs(colour - (0xB3, 0x00, 0x1B)).max() < 25


def test_edges_are_antialiased() -> None:
    after = painted(Look.of(Design(id=1, name="black", family="x", colours=("#000000",))))
    wide, narrow = (morph(MASK.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0 for morph in (cv2.dilate, cv2.erode))
    ring = wide & ~narrow
    bare = DRAWING.rgb[ring].mean(axis=1)
    share = 1 - after[ring].mean(axis=1) / bare
    assert ((share > 0.15) & (share < 0.85)).mean() > 0.2, "many pixels between bare and painted"


def test_shading_and_highlights_of_the_bare_nail_stay() -> None:
    bare = DRAWING.rgb.copy()
    nail = NAILS[2]
    x, y = nail.outline.mean(axis=0).astype(int)
    bare[:, :x] = (bare[:, :x] * 0.55).astype(np.uint8)  # the left half lies in shadow
    bare[y - 1 : y + 2, x + 2 : x + 4] = 255
    Painter().paint_rgb(bare, [nail], RED)
    shadow, light = bare[y - 4 : y + 4, x - 6 : x - 2, 0].mean(), bare[y - 4 : y + 4, x + 4 : x + 7, 0].mean()
    assert shadow < 0.9 * light
    assert bare[y, x + 2 : x + 4, 1].mean() > bare[y - 5 : y + 6, x + 5, 1].mean() + 25, "a white spot"


def test_polish_follows_the_light_of_the_scene() -> None:
    dim = (DRAWING.rgb * 0.35).astype(np.uint8)
    Painter().paint_rgb(dim, NAILS, RED)
    assert np.median(dim[CORE][:, 0]) < 0.8 * np.median(painted()[CORE][:, 0])


def test_opacity_is_the_visibility() -> None:
    half = painted(nails=[replace(nail, visibility=0.5) for nail in NAILS]).astype(float)
    full, bare = painted().astype(float), DRAWING.rgb.astype(float)
    between = (half[CORE] <= np.maximum(full, bare)[CORE] + 3) & (half[CORE] >= np.minimum(full, bare)[CORE] - 3)
    assert between.mean() > 0.97
    assert np.array_equal(painted(nails=[replace(nail, visibility=0.0) for nail in NAILS]), DRAWING.rgb)


@pytest.mark.parametrize("left", [0, 1, 301, 640])
def test_the_left_share_is_left_alone(left: int) -> None:
    after = painted(left=left)
    assert np.array_equal(after[:, :left], DRAWING.rgb[:, :left])
    assert np.array_equal(after[:, left:], painted()[:, left:])


def test_in_planes_it_looks_the_same_and_spares_every_other_byte() -> None:
    before = as_i420(DRAWING.rgb)
    rgb = cv2.cvtColor(before, cv2.COLOR_YUV2RGB_I420).astype(np.uint8)
    expected = rgb.copy()
    Painter().paint_rgb(expected, NAILS, RED)
    after = before.copy()
    Painter().paint_i420(after, NAILS, RED)
    luma, chroma = NEAR, cv2.resize(NEAR.astype(np.uint8), (320, 240), interpolation=cv2.INTER_AREA) > 0
    chroma = cv2.dilate(chroma.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    allowed = np.vstack([luma, *(np.reshape(c, (120, 640)) for c in (chroma, chroma))])
    assert np.array_equal(after[~allowed], before[~allowed])
    shown = cv2.cvtColor(after, cv2.COLOR_YUV2RGB_I420).astype(int)
    assert np.abs(shown[CORE] - expected[CORE]).mean() < 6


def test_nails_at_the_border_are_painted_as_far_as_they_are_seen() -> None:
    for shift in ((-315.0, 0.0), (0.0, -70.0), (325.0, 0.0), (0.0, 400.0), (5000.0, 0.0)):
        by = np.array(shift, np.float32)
        moved = [replace(nail, outline=nail.outline + by, axis=nail.axis + by) for nail in NAILS]
        picture, planes = DRAWING.rgb.copy(), as_i420(DRAWING.rgb)
        Painter().paint_rgb(picture, moved, RED)
        Painter().paint_i420(planes, moved, RED)
        assert picture.shape == DRAWING.rgb.shape


def test_odd_sized_pictures_are_painted_whole() -> None:
    picture = np.ascontiguousarray(DRAWING.rgb[:131, :641])
    before = picture.copy()
    Painter().paint_rgb(picture, NAILS, RED)
    assert (picture != before).any()


@pytest.mark.parametrize(
    ("pattern", "finish"),
    [*zip(Pattern, cycle(Finish), strict=False), *product((Pattern.FRENCH, Pattern.GRADIENT), Finish)],
)
def test_every_pattern_and_every_finish(pattern: Pattern, finish: Finish) -> None:
    """Not all 330 pairs: a pattern says where colours lie, and a finish how they shine, wherever they do."""
    after = painted(two_coloured(pattern, finish))
    assert np.array_equal(after[~NEAR], DRAWING.rgb[~NEAR])
    assert (after[CORE] != DRAWING.rgb[CORE]).any(axis=1).mean() > 0.95
    if pattern is not Pattern.SOLID:
        assert np.abs(after.astype(int) - painted(two_coloured(Pattern.SOLID, finish))).max() > 30


def two_coloured(pattern: Pattern, finish: Finish) -> Look:
    return Look.of(Design(id=1, name="x", family="x", pattern=pattern, finish=finish, colours=("#1C2A4A", "#F7F3EA")))


def test_patterns_lie_the_right_way_round() -> None:
    """The accent of a French nail is at its tip, a half moon's base at its cuticle."""
    french = painted(
        Look.of(Design(id=1, name="x", family="x", pattern=Pattern.FRENCH, colours=("#FF0000", "#0000FF")))
    )
    moon = painted(
        Look.of(Design(id=1, name="x", family="x", pattern=Pattern.TWO_TONE, colours=("#FF0000", "#0000FF")))
    )
    for nail in NAILS:
        cuticle, tip = (nail.axis[0] + share * (nail.axis[1] - nail.axis[0]) for share in (0.15, 0.88))
        for picture in (french, moon):
            assert picture[int(cuticle[1]), int(cuticle[0])].argmax() == 0
            assert picture[int(tip[1]), int(tip[0])].argmax() == 2


def test_gradients_pass_through_all_their_colours() -> None:
    design = Design(id=1, name="x", family="x", pattern=Pattern.GRADIENT, colours=("#FF0000", "#00FF00", "#0000FF"))
    after = painted(Look.of(design))
    nail = NAILS[0]
    strongest = []
    for share in (0.1, 0.5, 0.9):
        x, y = (nail.axis[0] + share * (nail.axis[1] - nail.axis[0])).astype(int)
        strongest.append(int(after[y, x].argmax()))
    assert strongest == [0, 1, 2]


def test_textures_lie_with_their_top_at_the_cuticle() -> None:
    swatch = np.zeros((64, 64, 3), np.uint8)
    swatch[:32], swatch[32:] = (220, 0, 0), (0, 0, 220)
    after = painted(Look.of_set(extract(swatch, lambda _: ([], 0))))
    for nail in NAILS:
        x, y = (nail.axis[0] + 0.15 * (nail.axis[1] - nail.axis[0])).astype(int)
        assert after[y, x].argmax() == 0


def test_matte_shines_less_than_gloss() -> None:
    design = designs.find(13)
    spread = {
        finish: np.ptp(np.percentile(painted(Look.of(design).wearing(Wish(finish=finish)))[CORE].mean(axis=1), [2, 98]))
        for finish in (Finish.MATTE, Finish.GLOSS)
    }
    assert spread[Finish.MATTE] < 0.4 * spread[Finish.GLOSS]


def test_all_designs_of_the_catalogue_look_different() -> None:
    """Some by the shape alone, which changes the middle of no nail. Compared at a quarter of the size: that is faster,
    and what differs there differs on the whole."""
    pictures = [painted(Look.of(design))[:240] for design in designs.catalogue().values()]
    small = [cv2.resize(picture, (160, 60), interpolation=cv2.INTER_AREA) for picture in pictures]
    for index, picture in enumerate(small):
        assert all(cv2.absdiff(picture, other).sum() > 5000 / 16 for other in small[:index])


BLUE_RING = Look.of(
    designs.find(1).model_copy(update={"fingers": {Finger.RING: Style(colours=designs.find(6).colours)}})
)


def test_each_finger_wears_its_own() -> None:
    look = BLUE_RING
    after = painted(look)
    for nail in NAILS:
        x, y = nail.outline.mean(axis=0).astype(int)
        assert after[y, x].argmax() == (2 if nail.finger is Finger.RING else 0)


def test_nails_without_a_hand_wear_all_coats_in_turn() -> None:
    look = BLUE_RING
    nameless = numbered(replace(nail, finger=None, hand=None) for nail in NAILS)
    after = painted(look, nameless)
    for nail in nameless:
        x, y = nail.outline.mean(axis=0).astype(int)
        assert after[y, x].argmax() == (2 if nail.number == 4 else 0)


@pytest.mark.parametrize(("size", "offset"), [(8, 0.0), (9, 0.5), (30, 0.25)])
def test_coverage_is_the_share_of_each_pixel(size: int, offset: float) -> None:
    square = np.array([[4, 4], [4 + size, 4], [4 + size, 4 + size], [4, 4 + size]], np.float32) + np.float32(offset)
    cover = coverage(square, size + 10, size + 10)
    assert cover.sum() == pytest.approx(size * size, rel=0.03)
    assert cover[5 + size // 2, 4] == pytest.approx(1 - offset, abs=0.05)
    assert cover[5 + size // 2, 2] == 0


def test_a_nail_takes_well_under_a_millisecond() -> None:
    times = []
    for _ in range(15):
        planes = as_i420(DRAWING.rgb)
        start = time.perf_counter()
        Painter().paint_i420(planes, NAILS, RED)
        times.append((time.perf_counter() - start) / len(NAILS) * 1e3)
    assert min(times) < 1.0, "measured: 0.25 ms; the best of many runs, as other processes may share the core"
