from __future__ import annotations

import numpy as np
import pytest

from media_worker.polish.surface import Shine, Wet, lit_at, relief, shine, times, tinted

UPWARDS = -np.pi / 2
ROWS = 48


def wet(at: Shine) -> Wet:
    surface = relief(ROWS)
    even, nothing = np.ones_like(surface.facing), np.zeros_like(surface.facing)
    return Wet(np.full((1, 1, 3), 0.5, np.float32), np.full((1, 3), 0.5), surface, np.ones(3), even, nothing, at)


def test_a_nail_is_a_barrel() -> None:
    surface = relief(ROWS)
    normal = np.sqrt(surface.across**2 + surface.along**2 + surface.facing**2)
    assert normal == pytest.approx(1, abs=1e-5)
    assert surface.facing[24, 18] > 0.99
    assert surface.facing[24, 0] < 0.65
    assert np.array_equal(surface.grazing, surface.grazing[:, ::-1])


def test_light_from_above_on_the_left_is_mirrored_on_the_left_of_an_upright_nail() -> None:
    upright, lying = shine(UPWARDS, 0, 0), shine(0.0, 0, 0)
    assert -0.5 < upright.u < -0.1
    assert lying.u == pytest.approx(-0.62 / 0.42 * abs(upright.u), rel=0.01), "to the right, above is the nail's left"


def test_highlights_wander_as_the_finger_turns_or_moves() -> None:
    still = shine(UPWARDS, 0, 0)
    assert abs(shine(UPWARDS + 0.3, 0, 0).u - still.u) > 0.05
    assert shine(UPWARDS, 0.5, 0).u < still.u
    assert shine(UPWARDS, 0, 0.5).turn != still.turn


def test_seen_highlights_say_where_the_lamp_is() -> None:
    guessed = Shine(-0.3, 0.5, 1.0)
    for lamp, u, v in (((0.4, 0.6, 1.0), 0.4, 0.6), ((0.4, 0.6, 0.0), -0.3, 0.5), ((5.0, -5.0, 1.0), 0.6, 0.3)):
        seen = lit_at(guessed, np.array(lamp))
        assert (seen.u, seen.v, seen.turn) == pytest.approx((u, v, 1.0))


def test_highlights_lie_at_the_shine_and_fade() -> None:
    at = Shine(0.3, 0.4, 0.0)
    for highlight in (wet(at).spot(0.2, 0.2), wet(at).window(0.2, 0.2)):
        row, column = np.unravel_index(highlight.argmax(), highlight.shape)
        assert relief(ROWS).place.u[row, column] == pytest.approx(0.3, abs=0.06)
        assert relief(ROWS).place.v[row, column] == pytest.approx(0.4, abs=0.1)
        assert highlight.max() == pytest.approx(1, abs=0.05)
        assert highlight[-1].max() < 0.01


def test_a_window_has_edges_and_a_spot_has_none() -> None:
    at = Shine(0.0, 0.5, 0.0)

    def steepest(values: np.ndarray) -> float:
        return float(np.abs(np.diff(values[24])).max())

    assert steepest(wet(at).window(0.3, 0.3)) > 1.5 * steepest(wet(at).spot(0.3, 0.3))


def test_tinting_is_a_product() -> None:
    amount = np.random.default_rng(1).random((5, 4), np.float32)
    colour, picture = np.array([0.2, 0.5, 1.0], np.float32), np.random.default_rng(2).random((5, 4, 3), np.float32)
    assert tinted(amount, colour) == pytest.approx(amount[..., None] * colour)
    assert times(colour.reshape(1, 1, 3), amount) == pytest.approx(amount[..., None] * colour)
    assert times(picture, amount) == pytest.approx(amount[..., None] * picture)


def test_round_sides_are_darker_and_the_middle_is_not() -> None:
    shade = wet(Shine(0, 0.5, 0)).round(0.3)
    assert np.median(shade) == pytest.approx(1, abs=0.04)
    assert shade[24, 0] < 0.8
