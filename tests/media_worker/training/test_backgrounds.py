from __future__ import annotations

import numpy as np

from media_worker.training.backgrounds import replace_cloth, texture

SKIN, CLOTH = (205, 152, 124), (40, 70, 160)


def test_textures_follow_their_generator() -> None:
    first, again, other = (texture(60, 90, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first.shape == (60, 90, 3)
    assert first.dtype == np.uint8
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_textures_are_of_all_kinds() -> None:
    pictures = [texture(48, 48, np.random.default_rng(seed)) for seed in range(40)]
    assert np.ptp([picture.mean() for picture in pictures]) > 80
    assert np.ptp([picture.std() for picture in pictures]) > 20


def test_only_blue_cloth_is_replaced() -> None:
    rgb = np.full((80, 120, 3), SKIN, np.uint8)
    rgb[:, 60:] = CLOTH
    rgb[:, 100:] = (128, 128, 128)
    before = rgb.copy()
    replaced = replace_cloth(rgb, np.random.default_rng(0))
    assert np.array_equal(rgb, before)
    assert np.array_equal(replaced[:, :54], rgb[:, :54])
    assert np.array_equal(replaced[:, 106:], rgb[:, 106:])
    behind = texture(80, 120, np.random.default_rng(0))
    assert np.abs(replaced[:, 66:94].astype(int) - behind[:, 66:94]).max() <= 1
    assert np.abs(replaced[:, 66:94].astype(int) - CLOTH).mean() > 20
