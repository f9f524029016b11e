from __future__ import annotations

import numpy as np
import pytest

from media_worker.training.calibrating import fit
from media_worker.vision.masks import Calibration


@pytest.mark.parametrize("truth", [Calibration(0.0, 1.0), Calibration(-1.2, 2.0), Calibration(0.8, 0.5)])
def test_the_calibration_that_made_the_truth_is_found(truth: Calibration) -> None:
    rng = np.random.default_rng(0)
    scores = 1 / (1 + np.exp(-rng.normal(0.5, 1.5, 20_000)))
    right = rng.random(len(scores)) < np.array([truth(score) for score in scores])
    found = fit(scores, right)
    assert found.offset == pytest.approx(truth.offset, abs=0.06)
    assert found.slope == pytest.approx(truth.slope, abs=0.06)


def test_a_few_perfect_answers_are_not_certainty() -> None:
    found = fit(np.array([0.95, 0.9, 0.92, 0.1, 0.2]), np.array([True, True, True, False, False]))
    assert 0.6 < found(0.95) < 0.95
    assert 0.05 < found(0.1) < 0.4


def test_of_nothing_nothing_is_learned() -> None:
    assert fit(np.array([]), np.array([], bool)) == Calibration(0.0, 1.0)
