from __future__ import annotations

import numpy as np
import pytest

from media_worker.polish.extraction.relight import lighting
from media_worker.vision.arrays import Floats
from tests.media_worker.polish.extraction.flat_nails import (
    BAND,
    DOTS,
    FRENCH,
    GRADIENT,
    INSIDE,
    RED,
    ROUND,
    STRIPES,
    WHITE,
    lit,
    plain,
)

PAINTS = {"red": plain(), "white": plain(WHITE), "stripes": STRIPES, "dots": DOTS, "French": FRENCH, "ombre": GRADIENT}


def error(found: Floats, true: Floats) -> float:
    """Mean absolute difference in linear light where the nail is."""
    return float(np.abs(found - true)[INSIDE].mean())


@pytest.mark.parametrize("name", PAINTS)
def test_paint_comes_out_of_its_light(name: str) -> None:
    paint, photo = PAINTS[name], lit(PAINTS[name])
    relit = lighting(photo, INSIDE).removed_from(photo)
    level = float(np.median(ROUND[INSIDE]))  # shading is 1 in the median, so that paint keeps its usual brightness
    assert error(relit, paint * level) < 0.035
    assert error(relit, paint * level) < 0.75 * error(photo, paint * level)


def test_shading_and_sheen_are_told_apart_on_a_plain_colour() -> None:
    light = lighting(lit(plain()), INSIDE)
    assert error(light.shading, ROUND / np.median(ROUND[INSIDE])) < 0.08
    assert light.sheen[INSIDE].max() == pytest.approx(BAND[INSIDE].max(), abs=0.07)
    peak = np.unravel_index(np.where(INSIDE, light.sheen, 0).argmax(), INSIDE.shape)
    true_peak = np.unravel_index(np.where(INSIDE, BAND, 0).argmax(), INSIDE.shape)
    assert abs(int(peak[1]) - int(true_peak[1])) < 8


def test_what_changes_along_the_nail_is_paint() -> None:
    light = lighting(GRADIENT, INSIDE)
    assert np.abs(light.shading - 1)[INSIDE].max() < 0.05
    assert light.sheen[INSIDE].max() < 0.03


def test_a_nail_in_the_dark_has_finite_light() -> None:
    light = lighting(plain(RED * 0), INSIDE)
    assert np.isfinite(light.shading).all() and np.isfinite(light.sheen).all()
