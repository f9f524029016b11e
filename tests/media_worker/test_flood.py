from __future__ import annotations

import pytest

from media_worker.flood import Pace
from protocol import limits
from protocol.errors import RateLimited


class Clock:
    now = 10.0

    def __call__(self) -> float:
        return self.now


def test_a_page_in_use_never_hears_of_it() -> None:
    clock = Clock()
    pace = Pace(clock)
    for _ in range(60 * 30):
        clock.now += 1 / 60
        assert pace.admits("x" * 200) and pace.admits(bytes(60_000))
    assert not pace.over


def test_a_flood_is_told_once_a_second_and_then_ended() -> None:
    clock = Clock()
    pace = Pace(clock)
    complaints = 0
    for _ in range(5000):
        clock.now += 0.001
        if not pace.admits("x"):
            complaints += pace.complaint() is not None
        if pace.over:
            break
    assert pace.over and complaints <= 5
    assert isinstance(pace.complaint(), RateLimited)


def test_who_is_a_little_too_fast_is_slowed_down_only() -> None:
    clock = Clock()
    pace = Pace(clock)
    admitted = 0
    for _ in range(60 * 230):
        clock.now += 1 / 230
        admitted += pace.admits("x")
    assert not pace.over
    assert admitted == pytest.approx(60 * limits.TEXT_PACE[0] + limits.TEXT_PACE[1], abs=2)


def test_bytes_are_counted() -> None:
    pace = Pace(Clock())
    assert sum(pace.admits(bytes(limits.MAX_FRAME_SIZE)) for _ in range(40)) == 16


def test_captures_have_a_pace_of_their_own() -> None:
    pace = Pace(Clock())
    for _ in range(int(limits.CAPTURE_PACE[1])):
        pace.check_capture()
    with pytest.raises(RateLimited):
        pace.check_capture()


def test_pings_of_the_socket_count() -> None:
    pace = Pace(Clock())
    assert sum(pace.admits_control() for _ in range(10_000)) == limits.TEXT_PACE[1]
    assert pace.over
