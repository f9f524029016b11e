from __future__ import annotations

import cmath

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_worker.drawn_hand import Scene, draw
from media_worker.vision.coverage import coverage
from media_worker.vision.nails import Nail
from media_worker.vision.shapes import POINTS, NailShape, Similarity, to_complex, to_points

DRAWN = draw(Scene(width=320, height=240), 0).nails


def a_nail(turn: int = 0) -> Nail:
    """A drawn one; its polygon begins `turn` corners later."""
    drawn = DRAWN[2]
    outline = np.roll(drawn.outline, turn, axis=0).astype(np.float32)
    return Nail(drawn.finger, drawn.hand, outline, drawn.axis.astype(np.float32), 1.0, 1.0)


def test_points_become_numbers_and_come_back() -> None:
    points = np.array([[1.5, -2], [300, 40]], np.float32)
    assert np.array_equal(to_points(to_complex(points)), points)


def test_a_shape_covers_what_its_nail_covers() -> None:
    nail = a_nail()
    shape = NailShape.of(nail)
    before, after = (coverage(outline, 320, 240) for outline in (nail.outline, shape.outline()))
    assert np.minimum(before, after).sum() / np.maximum(before, after).sum() > 0.98
    assert np.allclose(shape.axis(), nail.axis, atol=1e-3)
    assert shape.outline().shape == (POINTS, 2)


@pytest.mark.parametrize("turn", [1, 7])
def test_where_a_polygon_begins_does_not_matter(turn: int) -> None:
    assert np.allclose(NailShape.of(a_nail()).outline(), NailShape.of(a_nail(turn)).outline(), atol=1e-3)


@given(angle=st.floats(-3, 3), scale=st.floats(0.5, 2), x=st.floats(-200, 200), y=st.floats(-200, 200))
def test_moving_a_shape_moves_its_outline_and_keeps_its_form(angle: float, scale: float, x: float, y: float) -> None:
    motion = Similarity(scale * cmath.exp(1j * angle), complex(x, y))
    shape = NailShape.of(a_nail())
    moved = shape.moved(motion)
    expected = [motion(point) for point in to_complex(shape.outline())]
    assert np.allclose(to_complex(moved.outline()), expected, atol=1e-2)
    assert np.array_equal(moved.radii, shape.radii)


def test_part_of_the_way() -> None:
    shape = NailShape.of(a_nail())
    goal = shape.moved(Similarity(1.2, 10j))
    assert np.array_equal(shape.towards(goal, centre=0, along=0, form=0).outline(), shape.outline())
    half = shape.towards(goal, centre=0.5, along=0, form=1)
    assert half.centre == pytest.approx((shape.centre + goal.centre) / 2)
    assert half.along == shape.along
    assert shape.towards(goal, centre=1, along=1, form=1).length == pytest.approx(1.2 * shape.length)


def test_a_polygon_without_area_does_no_harm() -> None:
    flat = np.full((8, 2), 20, np.float32)
    shape = NailShape.of(Nail(None, None, flat, flat[:2], 1.0, 1.0))
    assert np.isfinite(shape.outline()).all()
