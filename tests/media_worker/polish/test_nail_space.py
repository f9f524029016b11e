from __future__ import annotations

import numpy as np
import pytest

from media_worker.drawn_hand import Scene, draw
from media_worker.polish.nail_space import ASPECT, MOST_CURVED, NailSpace, sheet
from media_worker.vision.arrays import Floats

NAILS = draw(Scene(noise=0), 0.4).nails


def turned(points: Floats, degrees: float, by: tuple[float, float] = (0.0, 0.0)) -> Floats:
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    moved: Floats = points @ turn + by
    return moved.astype(np.float32)


SQUARE = np.array([[40, 20], [80, 20], [80, 70], [40, 70]], np.float32)
UPWARDS = np.array([[60, 70], [60, 20]], np.float32)


@pytest.mark.parametrize("degrees", [0, 37, 90, 200])
def test_there_and_back(degrees: float) -> None:
    nail = NAILS[1]
    space = NailSpace.of(turned(nail.outline, degrees, (300, 300)), turned(nail.axis, degrees, (300, 300)))
    left, top = (int(part) - 30 for part in space.cuticle)
    u, v = space.coordinates(left, top, 60, 60)
    inside = (np.abs(u) < 1) & (v > 0) & (v < 1)
    assert inside.sum() > 200
    x, y = space.pixels(u, v)
    columns, rows = np.meshgrid(np.arange(60) + left + 0.5, np.arange(60) + top + 0.5)
    assert np.abs(x - columns)[inside].max() < 0.01
    assert np.abs(y - rows)[inside].max() < 0.01


def test_lines_of_one_v_run_along_both_ends() -> None:
    for nail in NAILS:
        space = NailSpace.of(nail.outline, nail.axis)
        assert 0.05 < space.edge_curve < MOST_CURVED
        u = np.linspace(-0.6, 0.6, 9)
        for v in (0.0, 1.0):
            x, y = space.pixels(u, np.full(9, v))
            gaps = np.hypot(nail.outline[:, 0, None] - x, nail.outline[:, 1, None] - y).min(axis=0)
            assert gaps.max() < 0.06 * space.length, "a point of the outline is never far"


def test_straight_ends_have_no_curve() -> None:
    space = NailSpace.of(SQUARE, UPWARDS)
    assert max(space.cuticle_curve, space.edge_curve) < 0.01
    u, v = space.coordinates(40, 20, 40, 50)
    assert u[0, 0] == pytest.approx(-0.975) and u[0, -1] == pytest.approx(0.975), "upwards, u runs to the right"
    assert v[:, 0][[0, -1]] == pytest.approx((0.99, 0.01), abs=1e-6)


def test_u_is_0_midway_between_the_sides_though_the_axis_is_not() -> None:
    space = NailSpace.of(SQUARE, np.add(UPWARDS, (9, 0)))
    assert space.cuticle == pytest.approx((60, 70))
    assert space.half_width == pytest.approx(20)


def test_coordinates_move_with_the_nail_by_parts_of_a_pixel() -> None:
    still, moved = (NailSpace.of(SQUARE + by, UPWARDS + by) for by in (0.0, 0.25))
    by_u, by_v = (b - a for a, b in zip(still.coordinates(0, 0, 99, 99), moved.coordinates(0, 0, 99, 99), strict=True))
    assert by_u == pytest.approx(-0.25 / 20, abs=1e-4)
    assert by_v == pytest.approx(0.25 / 50, abs=1e-4)


@pytest.mark.parametrize("rows", [8, 48, 512])
def test_a_sheet_covers_the_nail_from_side_to_side(rows: int) -> None:
    place = sheet(rows)
    assert place.u.shape == place.v.shape == (rows, round(ASPECT * rows))
    assert place.u[0, 0] == pytest.approx(-1 + place.pixel_u / 2)
    assert place.v[-1, 0] == pytest.approx(1 - place.pixel_v / 2)


def test_larger_nails_get_finer_sheets() -> None:
    rows = [NailSpace.of(SQUARE * scale, UPWARDS * scale).rows for scale in (0.1, 0.5, 1.0, 4.0, 40.0)]
    assert rows == sorted(rows) and len(set(rows)) == 5
    assert rows[2] == 48


def test_a_point_for_a_nail_is_survived() -> None:
    space = NailSpace.of(np.full((5, 2), 7.0, np.float32), np.full((2, 2), 7.0, np.float32))
    assert np.isfinite(space.coordinates(0, 0, 9, 9)).all()


def test_large_patches_have_the_coordinates_of_small_ones() -> None:
    space = NailSpace.of(SQUARE, UPWARDS)
    for large, small in zip(space.coordinates(0, 0, 700, 300), space.coordinates(40, 20, 40, 50), strict=True):
        assert large.shape == (300, 700)
        assert large[20:70, 40:80] == pytest.approx(small, abs=1e-5)
