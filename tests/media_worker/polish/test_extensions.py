"""Shapes, lengths, shadows and overlaps, as the painter brings them together on the drawn hand."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from media_worker.drawn_hand import Scene, draw
from media_worker.polish.looks import Look
from media_worker.polish.painter import Painter
from media_worker.polish.silhouettes import silhouette
from media_worker.vision.coverage import coverage
from media_worker.vision.nails import Nail
from protocol import designs
from protocol.designs import Length, Pattern, Shape
from protocol.messages import Wish

DRAWING = draw(Scene(noise=0.5), 0.4)
NAILS = [
    Nail(n.finger, n.hand, n.outline.astype(np.float32), n.axis.astype(np.float32), 1.0, 1.0) for n in DRAWING.nails
]
RED = Look.of(designs.find(1))
EVERY = [(shape, length) for shape in Shape for length in Length]


def painted(shape: Shape, length: Length, nails: list[Nail] | None = None, **wish: object) -> NDArray[np.uint8]:
    picture = DRAWING.rgb.copy()
    look = RED.wearing(Wish.model_validate({"shape": shape, "length": length, **wish}))
    Painter().paint_rgb(picture, NAILS if nails is None else nails, look)
    return picture


def changed(picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return np.asarray(np.abs(picture.astype(int) - DRAWING.rgb).max(axis=2) > 0)


def red(picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return np.asarray((picture[..., 0] > 90) & (picture[..., 1] < 70) & (picture[..., 2] < 80))


def silhouettes(shape: Shape, length: Length) -> NDArray[np.bool_]:
    whole = [coverage(silhouette(nail, shape, length).outline, 640, 480) > 0.5 for nail in NAILS]
    return np.asarray(np.logical_or.reduce(whole))


@pytest.mark.parametrize(("shape", "length"), EVERY)
def test_paint_fills_the_silhouette(shape: Shape, length: Length) -> None:
    after, inside = painted(shape, length), silhouettes(shape, length)
    core = cv2.erode(inside.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    near = cv2.dilate(inside.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert changed(after)[core].mean() > 0.99
    assert red(after)[core].mean() > 0.7
    assert not red(after)[~near].any(), "shadows are no paint"


def test_without_an_extension_nothing_else_changes() -> None:
    near = cv2.dilate(silhouettes(Shape.NATURAL, Length.NATURAL).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    assert not changed(painted(Shape.NATURAL, Length.NATURAL))[~near].any()


def test_extensions_darken_what_lies_to_their_lower_right() -> None:
    after, inside = painted(Shape.SQUARE, Length.LONG), silhouettes(Shape.SQUARE, Length.LONG)
    around = (cv2.dilate(inside.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0) & ~inside
    around &= ~(cv2.dilate(inside.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)
    difference = after.astype(int).sum(axis=2) - DRAWING.rgb.astype(int).sum(axis=2)
    right = np.roll(inside, 4, axis=1) & around
    left = np.roll(inside, -4, axis=1) & around
    assert difference[around].max() <= 0
    assert difference[right].mean() < difference[left].mean() - 5


def test_french_tips_lie_on_the_new_free_edge() -> None:
    after = painted(Shape.COFFIN, Length.LONG, pattern=Pattern.FRENCH, colours=("#FF0000", "#0000FF"))
    for nail in NAILS:
        cuticle, end = silhouette(nail, Shape.COFFIN, Length.LONG).axis
        low, own, tip = (cuticle + share * (end - cuticle) for share in (0.2, 0.45, 0.93))
        assert [after[int(y), int(x)].argmax() for x, y in (low, own, tip)] == [0, 0, 2]


def test_a_nail_in_view_is_never_covered_by_another_one() -> None:
    """The ring finger's nail lies just before the middle finger's tip."""
    middle, ring = NAILS[2], NAILS[3]
    to_the_tip = middle.axis[1] + 0.9 * (middle.axis[1] - middle.axis[0]) - ring.outline.mean(axis=0)
    before = replace(ring, outline=ring.outline + to_the_tip, axis=ring.axis + to_the_tip)
    blue = RED.coats[designs.Finger.RING].wearing(Wish(colours=("#0000C0",)))
    look = Look({**RED.wearing(Wish(shape=Shape.SQUARE, length=Length.LONG)).coats, designs.Finger.RING: blue})
    core = before.outline.mean(axis=0) + 0.8 * (before.outline - before.outline.mean(axis=0))
    inside = coverage(core, 640, 480) > 0.9
    for order in ([middle, before], [before, middle]):
        picture = DRAWING.rgb.copy()
        Painter().paint_rgb(picture, order, look)
        assert not red(picture)[inside].any()


def test_the_compared_half_has_neither_tips_nor_shadows() -> None:
    picture = DRAWING.rgb.copy()
    x = int(NAILS[2].outline[:, 0].mean())
    Painter().paint_rgb(picture, NAILS, RED.wearing(Wish(shape=Shape.SQUARE, length=Length.LONG)), left=x)
    assert np.array_equal(picture[:, :x], DRAWING.rgb[:, :x])
    assert changed(picture)[:, x : x + 10].any()


@pytest.mark.parametrize("shift", [(0.0, -60.0), (-200.0, 0.0), (240.0, -40.0), (0.0, 420.0)])
def test_tips_beyond_the_frame_are_cut(shift: tuple[float, float]) -> None:
    by = np.array(shift, np.float32)
    moved = [replace(nail, outline=nail.outline + by, axis=nail.axis + by) for nail in NAILS]
    look = RED.wearing(Wish(shape=Shape.STILETTO, length=Length.LONG))
    picture = DRAWING.rgb.copy()
    Painter().paint_rgb(picture, moved, look)
    planes = cv2.cvtColor(DRAWING.rgb, cv2.COLOR_RGB2YUV_I420).astype(np.uint8)
    Painter().paint_i420(planes, moved, look)
    assert changed(picture).any()
    shown = cv2.cvtColor(planes, cv2.COLOR_YUV2RGB_I420)
    assert np.abs(shown.astype(int) - picture).mean() < 3
