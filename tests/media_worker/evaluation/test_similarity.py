from __future__ import annotations

import numpy as np
import pytest

from media_worker.evaluation.similarity import ssim

RANDOM = np.random.default_rng(5)
PICTURE = RANDOM.uniform(0, 255, (64, 64))


def test_equal_pictures_are_alike_and_noise_is_not() -> None:
    assert ssim(PICTURE, PICTURE) == pytest.approx(1)
    assert abs(ssim(PICTURE, RANDOM.uniform(0, 255, (64, 64)))) < 0.1
    assert ssim(PICTURE, 255 - PICTURE) < -0.8


def test_it_is_the_formula_of_the_paper_on_flat_pictures() -> None:
    """Without structure only the term of luminance is left: (2·a·b + C1) / (a² + b² + C1)."""
    a, b = np.full((32, 32), 100.0), np.full((32, 32), 120.0)
    assert ssim(a, b) == pytest.approx((2 * 100 * 120 + 6.5025) / (100**2 + 120**2 + 6.5025))


def test_only_what_is_inside_counts() -> None:
    half = np.zeros((64, 64), bool)
    half[:, :24] = True
    other = PICTURE.copy()
    other[:, 40:] = 0
    assert ssim(PICTURE, other, half) == pytest.approx(1)
    assert ssim(PICTURE, other) < 0.8
