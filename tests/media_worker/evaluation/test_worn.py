from __future__ import annotations

import numpy as np

from media_worker.drawn_hand import Scene, draw
from media_worker.evaluation.worn import cores, paint, plain, true_nails

DRAWING = draw(Scene(width=480, height=360, still=True, noise=0), 0)


def test_paint_is_on_the_true_nails_and_nowhere_else() -> None:
    before = DRAWING.rgb.copy()
    painted = paint(DRAWING, plain(("#0000FF",)))
    changed = np.abs(painted.astype(int) - before).max(axis=2) > 12
    mask = DRAWING.mask() > 0
    assert np.array_equal(DRAWING.rgb, before), "a copy is painted"
    assert changed[mask].mean() > 0.9
    assert changed[~mask].sum() < 0.25 * mask.sum()


def test_cores_lie_wholly_within_their_nails() -> None:
    mask = DRAWING.mask() > 0
    for core in cores(DRAWING):
        assert 30 < core.sum() < 0.3 * mask.sum()
        assert mask[core].all()


def test_each_nail_has_a_name_that_lasts() -> None:
    assert [nail.track for nail in true_nails(DRAWING)] == [1, 2, 3, 4, 5]
