from __future__ import annotations

import numpy as np

from media_worker.polish.colour import to_linear, to_srgb


def test_bytes_survive_the_round_trip() -> None:
    every = np.arange(256, dtype=np.uint8).reshape(4, 64)
    assert np.array_equal(to_srgb(to_linear(every)), every)


def test_what_is_out_of_range_is_cut() -> None:
    assert to_srgb(np.array([[-3.0, 0.0, 1.0, 1.7, 60.0]], np.float32)).tolist() == [[0, 0, 255, 255, 255]]


def test_half_the_light_is_188() -> None:
    assert to_srgb(np.array([0.5], np.float32)).tolist() == [188]
