from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise

import pytest

from media_worker import rate_control
from media_worker.rate_control import HIGHEST, LOWEST, START, RateController, Target

VGA = 640 * 480
FULL = Fraction(1)


@dataclass
class Link:
    """A bottleneck with a queue of half a second, as a receiver reports it once a second."""

    capacity: float
    """bit/s"""
    loss: float = 0.0
    round_trip: float = 0.05
    sends_remb: bool = True
    queued: float = 0.0
    """bits"""
    dropped: float = 0.0
    sent: float = 0.0
    remb: float | None = None
    now: float = 0.0
    history: list[tuple[float, Target, float]] = field(default_factory=list)
    """Time, target, seconds that the queue holds."""

    def run(self, rates: RateController, seconds: float) -> Target:
        """Frames for that long; the last target."""
        target = rates.target(self.now, VGA)
        for tick in range(round(seconds * 30)):
            self.now += 1 / 30
            target = rates.target(self.now, VGA)
            rates.sent(round(target.bitrate / 30))
            self._carry(target.bitrate / 30)
            self.history.append((self.now, target, self.queued / self.capacity))
            if tick % 30 == 29:
                self._report(rates)
        return target

    def _carry(self, bits: float) -> None:
        self.sent += bits
        self.queued += bits - self.capacity / 30
        over = max(0.0, self.queued - self.capacity / 2)
        self.dropped += over
        self.queued = max(0.0, self.queued - over)

    def _report(self, rates: RateController) -> None:
        waiting = self.queued / self.capacity
        rates.report(self.now, min(1.0, self.loss + self.dropped / self.sent), self.round_trip + waiting)
        through = min(self.sent, self.capacity)
        if waiting > 0.05:
            self.remb = 0.85 * through
        else:
            self.remb = min(1.5 * through, 1.08 * (self.remb or through))  # as libwebrtc's receiver does
        if self.sends_remb:
            rates.remb(self.now, round(self.remb))
        self.sent = self.dropped = 0.0


def test_starts_at_full_size_before_any_report() -> None:
    assert RateController().target(0.0, VGA) == Target(START, FULL)


def test_does_not_grow_on_no_news() -> None:
    rates = RateController()
    assert [rates.target(t, VGA).bitrate for t in (0.0, 1.0, 60.0)] == [START] * 3


@pytest.mark.parametrize("sends_remb", [True, False])
def test_a_good_link_gets_the_most(sends_remb: bool) -> None:
    rates, link = RateController(), Link(10e6, sends_remb=sends_remb)
    assert link.run(rates, 8) == Target(HIGHEST, FULL)


@pytest.mark.parametrize("sends_remb", [True, False])
def test_a_poor_link_gets_a_smaller_steady_picture(sends_remb: bool) -> None:
    rates, link = RateController(), Link(300e3, sends_remb=sends_remb)
    link.run(rates, 30)
    settled = [target for at, target, _ in link.history if at > 10]
    assert {target.scale for target in settled} <= {Fraction(3, 4), Fraction(1, 2)}
    changes = sum(a.scale != b.scale for a, b in pairwise(settled))
    assert changes <= 2, "hysteresis: each change is a keyframe"
    assert all(LOWEST <= target.bitrate < 500e3 for target in settled)
    assert sum(target.bitrate for target in settled) / len(settled) > 0.7 * 300e3, "the link is used"
    waits = sorted(wait for at, _, wait in link.history if at > 10)
    assert waits[len(waits) // 2] < rate_control.QUEUE, "no standing queue"


@pytest.mark.parametrize("after", [20, 20.7, 21.4, 22.1, 22.8, 23.5])
@pytest.mark.parametrize("sends_remb", [True, False])
def test_full_size_comes_back_within_five_seconds(sends_remb: bool, after: float) -> None:
    rates, link = RateController(), Link(300e3, sends_remb=sends_remb)
    assert link.run(rates, after).scale < 1
    link.capacity = 5e6
    assert link.run(rates, 5).scale == 1


def test_random_loss_of_five_percent_does_not_shrink_the_picture() -> None:
    rates, link = RateController(), Link(5e6, loss=0.05)
    assert link.run(rates, 20) == Target(START, FULL)


def test_loss_without_a_queue_takes_twenty_percent_and_unknown_delay_takes_ten() -> None:
    rates = RateController()
    rates.report(0.0, 0.12, 0.05)
    assert rates.target(0.1, VGA).bitrate == START
    rates.report(1.0, 0.3, 0.05)
    assert rates.target(1.1, VGA).bitrate == START * 0.85
    unknown = RateController()
    unknown.report(0.0, 0.12, None)
    assert unknown.target(0.1, VGA).bitrate == START * 0.94


def test_falling_remb_is_followed_and_a_low_one_bounds_growth() -> None:
    rates = RateController()
    rates.remb(0.0, 1_400_000)
    assert rates.target(0.0, VGA).bitrate == START, "the first one says what was sent, not what fits"
    rates.remb(1.0, 600_000)
    assert rates.target(1.0, VGA).bitrate == 600_000
    for second in range(2, 10):
        rates.remb(second, 600_000)
        for tick in range(30):
            rates.target(second + tick / 30, VGA)
    assert rates.target(9.99, VGA).bitrate == rate_control.AHEAD_OF_REMB * 600_000


def test_a_rate_that_is_not_used_does_not_grow() -> None:
    rates = RateController()
    rates.report(0.0, 0.3, 0.05)
    for frame in range(1, 600):
        rates.sent(20_000)
        rates.target(frame / 30, VGA)
        if frame % 30 == 0:
            rates.report(frame / 30, 0.0, 0.05)
    assert rates.bitrate < START, "600 kbit/s are sent, so more than 1,200 would be a guess"


def test_never_below_the_lowest() -> None:
    rates = RateController()
    for second in range(30):
        rates.report(second, 1.0, 0.05)
    assert rates.target(30.0, VGA) == Target(LOWEST, Fraction(1, 2))
