from __future__ import annotations

import numpy as np

from media_worker.polish.extraction.rectify import FlatNail
from media_worker.polish.extraction.rims import without_rims
from media_worker.vision.arrays import Pixels
from protocol.nail_sets import NAIL_SIZE
from tests.media_worker.polish.extraction.flat_nails import INSIDE, U

SKIN, BLUE, WHITE = (226, 180, 160), (30, 60, 170), (250, 248, 244)


def flat(rgb: Pixels) -> FlatNail:
    return FlatNail(rgb, INSIDE, np.full((NAIL_SIZE, 2, 3), SKIN, np.uint8), 1.0)


def striped(side: tuple[int, int, int], middle: tuple[int, int, int], at: float = 0.75) -> Pixels:
    """One colour to the right of u = `at`, another left of it."""
    return np.where((at < U)[..., None], side, middle).astype(np.uint8)


def test_skin_at_a_side_is_left_out() -> None:
    core = without_rims(flat(striped(SKIN, BLUE)))
    assert not core[:, U[0] > 0.8].any()
    assert np.array_equal(core[:, U[0] < 0.7], INSIDE[:, U[0] < 0.7])


def test_a_pattern_at_a_side_stays() -> None:
    assert np.array_equal(without_rims(flat(striped(WHITE, BLUE))), INSIDE)


def test_nude_polish_stays() -> None:
    nude = (230, 184, 164)
    assert np.array_equal(without_rims(flat(striped(nude, nude))), INSIDE)
    assert np.array_equal(without_rims(flat(striped(SKIN, BLUE, at=0.0))), INSIDE), "half of a nail is no rim"
