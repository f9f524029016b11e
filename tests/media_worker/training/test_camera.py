from __future__ import annotations

import numpy as np

from media_worker.training.camera import degrade, relight

GREY = np.full((96, 128, 3), 120, np.uint8)
EDGE = np.repeat(np.repeat(np.array([[[40], [200]]], np.uint8), 64, axis=1), 96, axis=0).repeat(3, axis=2)


def test_light_becomes_dim_bright_uneven_and_coloured() -> None:
    lit = np.stack([relight(GREY, np.random.default_rng(seed)) for seed in range(80)]).astype(float)
    means = lit.mean(axis=(1, 2, 3))
    assert means.min() < 50
    assert means.max() > 150
    slopes = np.ptp(lit.mean(axis=3).reshape(80, -1), axis=1)
    assert np.median(slopes) > 15
    casts = lit.mean(axis=(1, 2))
    assert np.abs(casts[:, 0] - casts[:, 2]).max() > 25


def test_cameras_blur_and_add_noise_but_keep_the_picture() -> None:
    spoilt = np.stack([degrade(EDGE, np.random.default_rng(seed)) for seed in range(60)]).astype(float)
    noise = spoilt[:, :, 5:40].std(axis=(1, 2, 3))
    steps = np.abs(np.diff(spoilt.mean(axis=(1, 3)), axis=1)).max(axis=1)
    assert noise.max() > 6
    assert noise.min() < 0.5
    assert steps.min() < 80
    assert steps.max() > 150
    assert np.abs(spoilt[:, :, 5:40].mean(axis=(1, 2, 3)) - 40).max() < 6
    assert np.abs(spoilt[:, :, 88:123].mean(axis=(1, 2, 3)) - 200).max() < 6
