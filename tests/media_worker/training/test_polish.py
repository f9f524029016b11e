from __future__ import annotations

import numpy as np
import pytest

from media_worker.training.polish import PATTERNS, Manicure, highlights, place, random_colour, to_bytes, to_light

AXIS = np.array([[20.0, 50.0], [20.0, 10.0]])  # a nail that points up
SKIN = np.array([0.5, 0.3, 0.2], np.float32)


def look(pattern: str) -> Manicure:
    colours = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]], np.float32)
    return Manicure(pattern, colours, 1.0, 0.8, 0.0, np.full(8, 0.5, np.float32))


def test_bytes_survive_light() -> None:
    rgb = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    assert np.abs(to_bytes(to_light(rgb)).astype(int) - rgb).max() <= 1


def test_nail_coordinates_run_from_cuticle_to_free_edge() -> None:
    at = place(AXIS, 24, 0, 0, (60, 40))
    assert at.v[49, 20] == pytest.approx(0.0125)
    assert at.v[10, 20] == pytest.approx(0.9875)
    assert np.abs(at.u[30, [8, 31]]) == pytest.approx([0.958, 0.958], abs=0.001)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns_use_the_looks_colours(pattern: str) -> None:
    at = place(AXIS, 24, 0, 0, (60, 40))
    colour = look(pattern).colour(at, np.random.default_rng(1))
    assert colour.shape == (60, 40, 3)
    assert colour.min() >= 0
    assert colour.max() <= 1
    assert len(np.unique(colour.reshape(-1, 3), axis=0)) > (0 if pattern == "solid" else 1)


def test_a_french_tip_is_at_the_tip() -> None:
    at = place(AXIS, 24, 0, 0, (60, 40))
    colour = look("french").colour(at, np.random.default_rng(1))
    assert colour[45, 20].tolist() == [1, 0, 0]
    assert colour[11, 20] == pytest.approx([0, 1, 0], abs=1e-6)


def test_colours_reach_black_white_skin_and_every_hue() -> None:
    rng = np.random.default_rng(0)
    colours = np.sqrt(np.stack([random_colour(rng, SKIN) for _ in range(400)]))
    assert (colours.max(axis=1) < 0.2).any()
    assert (colours.min(axis=1) > 0.8).any()
    assert (np.abs(colours - np.sqrt(SKIN)).max(axis=1) < 0.06).any()
    assert {0, 1, 2} == set(colours.argmax(axis=1)[np.ptp(colours, axis=1) > 0.5])


def test_gloss_makes_highlights_bright() -> None:
    at = place(AXIS, 24, 0, 0, (60, 40))
    matte, wet = (
        np.mean([highlights(at, gloss, np.random.default_rng(seed)).max() for seed in range(20)])
        for gloss in (0.0, 1.0)
    )
    assert wet > 4 * matte
