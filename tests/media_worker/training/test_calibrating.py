from __future__ import annotations

import numpy as np
import pytest

from media_worker.training.calibrating import fit
from media_worker.vision.masks import Calibration


@pytest.mark.parametrize(
    "truth", [Calibration(0.0, 1.0, 0.0), Calibration(-1.2, 2.0, 1.5), Calibration(0.8, 0.5, -1.0)]
)
def test_the_calibration_that_made_the_truth_is_found(truth: Calibration) -> None:
    rng = np.random.default_rng(0)
    presences = rng.normal(0.5, 1.5, 20_000)
    expected = rng.random(len(presences)) < 0.5
    chances = [truth(presence, expected=bool(known)) for presence, known in zip(presences, expected, strict=True)]
    found = fit(presences, expected, rng.random(len(presences)) < np.array(chances))
    assert found.offset == pytest.approx(truth.offset, abs=0.1)
    assert found.slope == pytest.approx(truth.slope, abs=0.1)
    assert found.expected == pytest.approx(truth.expected, abs=0.15)


def test_a_few_perfect_answers_are_not_certainty() -> None:
    presences = np.array([3.0, 2.2, 2.4, -2.2, -1.4])
    found = fit(presences, np.zeros(5, bool), presences > 0)
    assert 0.6 < found(3.0, expected=False) < 0.95
    assert 0.05 < found(-2.2, expected=False) < 0.4


def test_of_nothing_nothing_is_learned() -> None:
    assert fit(np.array([]), np.array([], bool), np.array([], bool)) == Calibration(0.0, 0.0, 0.0)
