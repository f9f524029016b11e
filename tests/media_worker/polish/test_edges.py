from __future__ import annotations

import numpy as np
import pytest

from media_worker.drawn_hand import Scene, draw
from media_worker.polish import edges
from media_worker.polish.finishes import finished
from media_worker.polish.nail_space import NailSpace
from media_worker.polish.surface import Shine, Wet, relief
from media_worker.vision.arrays import Floats
from media_worker.vision.coverage import coverage
from protocol.designs import Finish

NAIL = draw(Scene(noise=0, width=1280, height=960), 0.4).nails[2]
SPACE = NailSpace.of(NAIL.outline, NAIL.axis)


def ends(outline: Floats) -> tuple[float, float, float]:
    """Gap at the cuticle, width, and overhang at the free edge, in nail widths."""
    sideways = np.array([-SPACE.along[1], SPACE.along[0]])
    width = 2 * SPACE.half_width
    t, across = (outline - SPACE.cuticle) @ SPACE.along, (outline - SPACE.cuticle) @ sideways
    return float(t.min()) / width, float(np.ptp(across)) / width, float(t.max() - SPACE.length) / width


def test_polish_leaves_a_thin_margin_but_covers_the_free_edge() -> None:
    cuticle, width, overhang = ends(edges.with_margin(NAIL.outline, SPACE))
    assert 0.02 < cuticle < 0.03
    assert 0.94 < width < 1
    assert 0.01 < overhang < 0.03


def test_old_polish_is_covered_all_round() -> None:
    cuticle, width, overhang = ends(edges.with_margin(NAIL.outline, SPACE, worn=1.0))
    assert cuticle < -0.01
    assert width > 1.03
    assert overhang > 0.01


def test_folds_shade_cuticle_and_sides_but_not_the_free_edge() -> None:
    light = edges.fold(64)
    assert light[32, 24] > 0.99
    assert light[0, 24] < 0.8 and light[20, 0] < 0.8
    assert light[-4:].min() > 0.99
    assert edges.fold(64, edge=0.5)[36:].min() > 0.99, "beyond its own free edge a nail lies in no fold"


def test_edges_are_softened_in_place() -> None:
    left, top = (int(part) for part in NAIL.outline.min(axis=0) - 6)
    cover = coverage(NAIL.outline - (left, top), 80, 80)
    soft = edges.softened(cover, SPACE)
    assert soft.sum() == pytest.approx(cover.sum(), rel=1e-3)
    assert np.abs(np.diff(soft)).max() < np.abs(np.diff(cover)).max()


def test_a_sheer_extension_lies_over_a_milky_tip() -> None:
    surface = relief(64)
    even, nothing = np.ones_like(surface.facing), np.zeros_like(surface.facing)
    pink = np.array([[0.9, 0.4, 0.4]], np.float32)
    wet = Wet(pink.reshape(1, 1, 3), pink, surface, np.ones(3, np.float32), even, nothing, Shine(0, 0.5, 0))
    jelly = finished(Finish.SHEER, wet)
    tip = edges.over_tip(jelly, wet, 0.6)
    assert jelly.through is not None and tip.through is not None
    assert tip.through[:10] == pytest.approx(jelly.through[:10]), "the cuticle shows the nail"
    assert tip.through[40:].max() < 0.15, "little of what is behind comes through"
    assert (tip.light[40:] - jelly.light[40:]).min() > 0.1
    opaque = finished(Finish.CREAM, wet)
    assert edges.over_tip(opaque, wet, 0.6) is opaque
