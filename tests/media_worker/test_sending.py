from __future__ import annotations

import fractions

import av
import pytest
from aiortc import clock

from media_worker.rate_control import Target
from media_worker.sending import KEYFRAME_INTERVAL, Clock, KeyframeGate, scaled


def test_time_is_told_as_aiortc_tells_it() -> None:
    before, ours, after = clock.current_ntp_time(), Clock.current_ntp_time(), clock.current_ntp_time()
    microsecond = (1 << 32) // 1_000_000 + 1  # which theirs is cut to
    assert before <= ours <= after + microsecond


def test_a_keyframe_that_is_still_on_its_way_is_not_made_again() -> None:
    gate = KeyframeGate()
    gate.made(1.0)  # as the picture has another size
    gate.request()
    assert not gate.due(1.4, round_trip=0.5)
    assert gate.due(1.8, round_trip=0.5)


def test_keyframes_are_limited_and_the_last_request_is_kept() -> None:
    gate = KeyframeGate()
    made = []
    for frame in range(90):
        now = frame / 30
        if frame in (10, 12, 14, 60):
            gate.request()
        if gate.due(now):
            made.append(frame)
    assert made == [10, 10 + round(KEYFRAME_INTERVAL * 30), 60]


@pytest.mark.parametrize(
    ("size", "scale", "becomes"),
    [
        ((640, 480), fractions.Fraction(3, 4), (480, 360)),
        ((640, 480), fractions.Fraction(1, 2), (320, 240)),
        ((362, 282), fractions.Fraction(3, 4), (272, 212)),
        ((2, 2), fractions.Fraction(1, 2), (2, 2)),
    ],
)
def test_smaller_pictures_have_even_sides_and_keep_what_a_frame_carries(
    size: tuple[int, int], scale: fractions.Fraction, becomes: tuple[int, int]
) -> None:
    frame = av.VideoFrame(*size, "yuv420p")
    frame.pts, frame.time_base, frame.opaque = 7, fractions.Fraction(1, 90000), "journey"
    smaller = scaled(frame, Target(1, scale))
    assert (smaller.width, smaller.height) == becomes
    assert (smaller.pts, smaller.time_base, smaller.opaque) == (7, fractions.Fraction(1, 90000), "journey")
    assert scaled(frame, Target(1, fractions.Fraction(1))) is frame
