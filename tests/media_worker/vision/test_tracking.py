from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from media_worker.vision.tracking import BETA, HandTracker, OneEuro
from tests.media_worker.vision.hand_fakes import a_hand, moved

FRAME_MS = 33


def test_what_stands_still_stays_where_it_is() -> None:
    points = np.array([[3.0, 4.0], [500.0, 20.0]], np.float32)
    smooth = OneEuro()
    for _ in range(20):
        assert np.allclose(smooth(points, 1 / 30), points)


def test_measured_jitter_of_a_still_hand_falls_to_a_third() -> None:
    """Design section 6: raw 0.67 px RMS becomes 0.24."""
    random = np.random.default_rng(0)
    smooth, raw, filtered = OneEuro(), [], []
    for _ in range(400):
        points = random.normal((320, 240), 0.67, (21, 2)).astype(np.float32)
        raw.append(points)
        filtered.append(smooth(points, 1 / 30))
    assert np.std(raw[60:], axis=0).mean() == pytest.approx(0.67, rel=0.1)
    assert np.std(filtered[60:], axis=0).mean() < 0.28


@pytest.mark.parametrize("speed", [100.0, 400.0, 1200.0])
def test_a_moving_hand_is_trailed_by_two_pixels(speed: float) -> None:
    smooth = OneEuro()
    for frame in range(90):
        points = np.array([[speed * frame / 30, 0]], np.float32)
        lag = float(points[0, 0] - smooth(points, 1 / 30)[0, 0])
    assert 0 < lag < 1.2 / (2 * np.pi * BETA) + 1


def test_smoothing_follows_the_pictures_size() -> None:
    """Twice the pixels, twice the speed in pixels: the same motion must be smoothed the same."""
    random = np.random.default_rng(3)
    noise = random.normal(0, 1, (40, 21, 2))
    results = []
    for scale in (1, 2):
        tracker, hand = HandTracker(), a_hand()
        for frame in range(40):
            points = (hand.landmarks + noise[frame] + (3 * frame, 0)) * scale
            (smooth,) = tracker.update(
                [replace(hand, landmarks=points.astype(np.float32))], frame * FRAME_MS, 640 * scale
            )
        results.append(smooth.landmarks / scale)
    assert np.allclose(results[0], results[1], atol=0.01)


def test_two_hands_do_not_mix() -> None:
    tracker = HandTracker()
    right, left = a_hand(), moved(a_hand(), by=(300, 0), mirror=True)
    for frame in range(10):
        order = [right, left] if frame % 2 else [left, right]
        smoothed = tracker.update(order, frame * FRAME_MS, 640)
        assert [hand.side for hand in smoothed] == [hand.side for hand in order]
        for found, given in zip(smoothed, order, strict=True):
            assert np.allclose(found.landmarks, given.landmarks)


def test_one_frame_with_the_wrong_side_does_not_flip_the_hand() -> None:
    tracker, hand = HandTracker(), a_hand()
    for frame in range(10):
        tracker.update([hand], frame * FRAME_MS, 640)
    (seen,) = tracker.update([replace(hand, side="left")], 10 * FRAME_MS, 640)
    assert seen.side == "right"
    for frame in range(11, 40):
        (seen,) = tracker.update([replace(hand, side="left")], frame * FRAME_MS, 640)
    assert seen.side == "left", "but it is not stubborn"


def test_a_hand_that_jumps_is_a_new_hand() -> None:
    tracker, hand = HandTracker(), a_hand()
    tracker.update([hand], 0, 640)
    jumped = moved(hand, by=(2 * hand.size, 0))
    (seen,) = tracker.update([jumped], FRAME_MS, 640)
    assert np.array_equal(seen.landmarks, jumped.landmarks)


def test_a_hand_long_gone_is_forgotten() -> None:
    tracker, hand = HandTracker(), a_hand()
    tracker.update([hand], 0, 640)
    back = moved(hand, by=(20, 0))
    (seen,) = tracker.update([back], 2000, 640)
    assert np.array_equal(seen.landmarks, back.landmarks)
