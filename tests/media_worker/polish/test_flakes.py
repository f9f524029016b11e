from __future__ import annotations

import cv2
import numpy as np
import pytest

from media_worker.polish.flakes import DUST, GLITTER, Strewing, brushed, flakes


def test_flakes_stay_where_they_are_and_flash_by_turns() -> None:
    amount, flash = flakes(GLITTER, 96, 0.0)
    same, other = flakes(GLITTER, 96, 1.5)
    assert np.array_equal(amount, same)
    assert np.corrcoef(flash.ravel(), other.ravel())[0, 1] < 0.6
    assert flash.mean() == pytest.approx(other.mean(), rel=0.15), "as many flash in any direction"


def test_a_small_turn_changes_flashes_a_little() -> None:
    assert np.abs(flakes(GLITTER, 96, 0.0)[1] - flakes(GLITTER, 96, 0.05)[1]).max() < 0.06


@pytest.mark.parametrize("kind", [GLITTER, DUST])
def test_coarse_sheets_show_the_same_flakes(kind: tuple[Strewing, ...]) -> None:
    fine, coarse = flakes(kind, 192, 0.7)[0], flakes(kind, 48, 0.7)[0]
    assert cv2.resize(fine, coarse.shape[::-1], interpolation=cv2.INTER_AREA) == pytest.approx(coarse, abs=0.02)


def test_glitter_is_coarse_and_dust_is_fine() -> None:
    def grain(values: np.ndarray) -> float:
        return float(cv2.GaussianBlur(values, (0, 0), 3).std())

    assert grain(flakes(GLITTER, 192, 0.0)[0]) > 1.5 * grain(flakes(DUST, 192, 0.0)[0])


def test_streaks_run_along_the_nail() -> None:
    streaks = brushed(96)
    assert np.abs(np.diff(streaks, axis=0)).mean() < 0.1 * np.abs(np.diff(streaks, axis=1)).mean()
    assert (streaks.mean(), streaks.std()) == (pytest.approx(0, abs=0.4), pytest.approx(1, abs=0.01))
