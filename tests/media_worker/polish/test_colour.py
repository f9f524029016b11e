from __future__ import annotations

import numpy as np
import pytest

from media_worker.polish.colour import rolled_off, strongest, to_linear, to_srgb, weakest


def test_bytes_survive_the_round_trip() -> None:
    every = np.arange(256, dtype=np.uint8).reshape(4, 64)
    assert np.array_equal(to_srgb(to_linear(every)), every)


def test_what_is_out_of_range_is_cut() -> None:
    assert to_srgb(np.array([[-3.0, 0.0, 1.0, 1.7, 60.0]], np.float32)).tolist() == [[0, 0, 255, 255, 255]]


def test_half_the_light_is_188() -> None:
    assert to_srgb(np.array([0.5], np.float32)).tolist() == [188]


def test_white_keeps_its_shading_and_never_clips() -> None:
    white = np.linspace(0.5, 1.5, 200, dtype=np.float32)[:, None, None].repeat(3, axis=2)
    rolled = rolled_off(white)[:, 0, 0]
    assert (np.diff(rolled) > 0).all() and rolled.max() < 1
    assert rolled[:50] == pytest.approx(white[:50, 0, 0]), "what is not white stays"
    assert 240 < to_srgb(rolled_off(np.ones((1, 1, 3), np.float32)))[0, 0, 0] < 250


def test_bright_colours_keep_their_hue() -> None:
    orange = np.array([[[1.1, 0.4, 0.01]]], np.float32)
    assert np.array_equal(rolled_off(orange), orange)
    mixed = np.concatenate([orange, np.ones((1, 1, 3), np.float32)])
    assert rolled_off(mixed)[0] == pytest.approx(orange[0])


def test_the_strongest_and_the_weakest_channel() -> None:
    colours = np.random.default_rng(1).random((4, 5, 3), np.float32)
    assert np.array_equal(strongest(colours), colours.max(axis=2))
    assert np.array_equal(weakest(colours), colours.min(axis=2))
