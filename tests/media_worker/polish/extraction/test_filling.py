from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_worker.polish.extraction.filling import filled
from tests.media_worker.polish.extraction.flat_nails import FRENCH, GRADIENT, INSIDE, STRIPES, U, V


@pytest.mark.parametrize("paint", [STRIPES, GRADIENT])
def test_stripes_and_gradients_go_on_to_all_sides(
    paint: np.ndarray[tuple[int, int, int], np.dtype[np.float32]],
) -> None:
    whole = filled(np.where(INSIDE[..., None], paint, 0.5), INSIDE)
    rows = np.count_nonzero(INSIDE, axis=1) > 0.4 * INSIDE.shape[1]
    assert np.abs(whole - paint)[rows].mean() < 0.04


def test_holes_are_bridged_within_their_row() -> None:
    hole = (np.abs(U) < 0.2) & (np.abs(V - 0.7) < 0.25)
    whole = filled(np.where(hole[..., None], 1, FRENCH), INSIDE & ~hole)
    tip, bed = hole & (V > 0.85), hole & (V < 0.6)
    assert np.abs(whole - FRENCH)[tip].mean() < 0.05
    assert np.abs(whole - FRENCH)[bed].mean() < 0.05


def test_what_is_known_stays() -> None:
    assert np.array_equal(filled(STRIPES, INSIDE)[64][INSIDE[64]], STRIPES[64][INSIDE[64]])


@given(st.integers(0, 127), st.integers(0, 127))
def test_one_pixel_is_enough(row: int, column: int) -> None:
    known = np.zeros_like(INSIDE)
    known[row, column] = True
    assert np.allclose(filled(STRIPES, known), STRIPES[row, column], atol=1e-5)
