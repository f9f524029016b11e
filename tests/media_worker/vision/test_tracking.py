from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from media_worker.vision.hands import Hand
from media_worker.vision.nails import Nail, outline_nails
from media_worker.vision.tracking import BETA, FADE_IN_MS, FADE_OUT_MS, HandTracker, NailFader, OneEuro
from tests.media_worker.vision.hand_fakes import a_hand, moved

PICTURE = np.zeros((480, 640, 3), np.uint8)
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


def nails(hand: Hand | None = None) -> list[Nail]:
    return outline_nails(PICTURE, [hand or a_hand()])


def test_nails_fade_in_and_out_without_a_jump() -> None:
    fader = NailFader()
    fader.update([], -FRAME_MS)
    levels = []
    for frame in range(20):
        shown = fader.update(nails() if frame < 10 else [], frame * FRAME_MS)
        levels.append(max((nail.visibility for nail in shown), default=0.0))
    steps = np.diff([0.0, *levels])
    assert steps.max() <= FRAME_MS / FADE_IN_MS + 1e-6
    assert -steps.min() <= FRAME_MS / FADE_OUT_MS + 1e-6
    assert levels[FADE_IN_MS // FRAME_MS + 1] == 1
    assert levels[10 + FADE_OUT_MS // FRAME_MS] == 0, "no polish hangs in the air"


def test_a_first_frame_is_painted_in_full() -> None:
    """A client may send just one."""
    assert all(nail.visibility == 1 for nail in NailFader().update(nails(), 0))


def test_fading_follows_the_nail() -> None:
    fader = NailFader()
    for frame in range(8):
        hand = moved(a_hand(), by=(4 * frame, 0))
        shown = fader.update(nails(hand), frame * FRAME_MS)
    assert len(shown) == 5, "no copies stay behind"
    assert all(nail.visibility == 1 for nail in shown)
    assert np.allclose(shown[0].axis, nails(hand)[0].axis)


def test_the_same_finger_of_two_hands_is_two_nails() -> None:
    fader = NailFader()
    both = nails() + nails(moved(a_hand(), by=(180, 0), mirror=True))
    for frame in range(8):
        shown = fader.update(both, frame * FRAME_MS)
    assert len(shown) == 10
    fader.update(both[:5], 8 * FRAME_MS)
    assert len(fader.update(both[:5], 20 * FRAME_MS)) == 5
