from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from random import Random

import pytest

from media_worker import rate_control
from media_worker.rate_control import HIGHEST, LOWEST, START, WISHED, RateController, Target
from protocol.messages import LinkReport, Quality

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
    told_late: float = 0.0
    """Seconds since the packet went out of whose round trip a report tells: the newest sender report that came is that
    old. One leaves every quarter of a second (`sending.REPORTS_APART`)."""
    queued: float = 0.0
    """bits"""
    queued_before: float = 0.0
    dropped: float = 0.0
    sent: float = 0.0
    remb: float | None = None
    now: float = 0.0
    history: list[tuple[float, Target, float]] = field(default_factory=list)
    """Time, target, seconds that the queue holds."""
    overrun: list[float] = field(default_factory=list)
    """When the queue ran over."""

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
        if over:
            self.overrun.append(self.now)
        self.queued = max(0.0, self.queued - over)

    def _report(self, rates: RateController) -> None:
        waiting = self.queued / self.capacity
        then = next((wait for at, _, wait in reversed(self.history) if at <= self.now - self.told_late), 0.0)
        lost = min(1.0, self.loss + self.dropped / self.sent)
        through = self.sent * (1 - lost) - (self.queued - self.queued_before)
        self.queued_before = self.queued
        rates.report(self.now, lost, self.round_trip + then, through)
        if waiting > 0.05:
            self.remb = 0.85 * through
        else:
            self.remb = min(1.5 * through, 1.08 * (self.remb or through))  # as libwebrtc's receiver does
        if self.sends_remb:
            rates.remb(self.now, round(self.remb))
        self.sent = self.dropped = 0.0


@dataclass
class Irregular(Link):
    """As links are: frames differ, a new size is a keyframe, there is padding, and reports come as aiortc's do."""

    seed: int = 1

    def run(self, rates: RateController, seconds: float) -> Target:
        random = Random(self.seed)
        target, due = rates.target(self.now, VGA), self.now + random.uniform(0.5, 1.5)
        for _ in range(round(seconds * 30)):
            self.now += 1 / 30
            padding, scale = rates.padding(self.now), target.scale
            target = rates.target(self.now, VGA)
            bits = target.bitrate * (random.uniform(0.8, 1.2) / 30 if target.scale == scale else 0.3)
            rates.sent(round(bits))
            rates.sent(round(padding), padding=True)
            self._carry(bits + padding)
            self.history.append((self.now, target, self.queued / self.capacity))
            if self.now >= due:
                self._report(rates)
                due = self.now + random.uniform(0.5, 1.5)
        return target


def test_starts_at_full_size_before_any_report() -> None:
    assert RateController().target(0.0, VGA) == Target(START, FULL)


def test_does_not_grow_on_no_news() -> None:
    rates = RateController()
    assert [rates.target(t, VGA).bitrate for t in (0.0, 1.0, 60.0)] == [START] * 3


@pytest.mark.parametrize("sends_remb", [True, False])
def test_a_good_link_gets_the_most(sends_remb: bool) -> None:
    rates, link = RateController(), Link(10e6, sends_remb=sends_remb)
    assert link.run(rates, 8) == Target(HIGHEST, FULL)


@pytest.mark.parametrize("capacity", [200e3, 250e3, 300e3, 400e3, 450e3])
@pytest.mark.parametrize("told_late", [0.0, 0.6])
@pytest.mark.parametrize("sends_remb", [True, False])
def test_a_poor_link_gets_a_smaller_steady_picture(sends_remb: bool, told_late: float, capacity: float) -> None:
    rates, link = RateController(), Link(capacity, sends_remb=sends_remb, told_late=told_late)
    link.run(rates, 60)
    settled = [target for at, target, _ in link.history if at > 10]
    assert {target.scale for target in settled} <= {Fraction(3, 4), Fraction(1, 2)}
    assert sum(a.scale != b.scale for a, b in pairwise(settled)) <= 2, "each change is a keyframe"
    assert all(LOWEST <= target.bitrate < 1.5 * capacity for target in settled)
    assert sum(target.bitrate for target in settled) / len(settled) > 0.8 * capacity, "the link is used"
    waits = sorted(wait for at, _, wait in link.history if at > 10)
    assert waits[len(waits) // 2] < 0.2, "no standing queue"


def test_a_poor_link_is_rarely_overrun() -> None:
    """What a queue drops is a picture that stands still."""
    times = changes = 0
    links = [Irregular(capacity, told_late=0.25, seed=seed) for capacity in (200e3, 300e3, 400e3) for seed in range(8)]
    for link in links:
        link.run(RateController(), 65)
        times += sum(at - before > 0.5 for before, at in pairwise([5.0, *link.overrun]))
        changes += sum(a.scale != b.scale for (at, a, _), (_, b, _) in pairwise(link.history) if at > 5)
    assert times / len(links) < 2, "a minute"
    assert changes / len(links) < 2, "a minute"


@pytest.mark.parametrize("capacity", [200e3, 300e3])
@pytest.mark.parametrize("told_late", [0.0, 0.25, 0.6])
@pytest.mark.parametrize("sends_remb", [True, False])
def test_full_size_comes_back_within_five_seconds(sends_remb: bool, told_late: float, capacity: float) -> None:
    for phase in range(12):
        rates, link = RateController(), Link(capacity, sends_remb=sends_remb, told_late=told_late)
        assert link.run(rates, 20 + phase * 0.437).scale < 1
        link.capacity = 5e6
        assert link.run(rates, 5).scale == 1, f"phase {phase}"


def test_where_a_link_gets_a_little_better_the_size_follows_without_swinging() -> None:
    rates, link = RateController(), Link(300e3, told_late=0.6)
    link.run(rates, 20)
    link.capacity = 900e3
    link.run(rates, 30)
    after = [target for at, target, _ in link.history if at > 20]
    assert sum(a.scale != b.scale for a, b in pairwise(after)) == 1
    assert after[-1].scale == 1


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


def test_a_low_remb_bounds_growth() -> None:
    rates = RateController()
    for frame in range(300):
        rates.remb(frame / 30, 400_000)
        rates.target(frame / 30, VGA)
    assert rates.bitrate == rate_control.AHEAD_OF_REMB * 400_000


def test_falling_remb_is_followed_and_growth_ends_a_little_beyond_until_more_arrives() -> None:
    rates = RateController()
    rates.remb(0.0, 1_400_000)
    assert rates.target(0.0, VGA).bitrate == START, "the first one says what was sent, not what fits"
    rates.remb(1.0, 600_000)
    assert rates.target(1.0, VGA).bitrate == 600_000
    for second in range(2, 10):
        rates.remb(second, 600_000)
        for tick in range(30):
            rates.target(second + tick / 30, VGA)
    full_at = 600_000 / rate_control.BACKOFF
    assert rates.bitrate == rate_control.PROBE * full_at
    rates.report(9.9, 0.0, 0.05)
    rates.report(10.9, 0.0, 0.05, arrived=1.2 * full_at)
    for tick in range(30):
        rates.target(10.9 + tick / 30, VGA)
    assert rates.bitrate == rate_control.AHEAD_OF_ARRIVED * 1.2 * full_at


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


# --- what the client tells -------------------------------------------------------------------------------------------
def running(rates: RateController, seconds: float, since: float = 0.0) -> float:
    """Frames for that long, all of them used; the time by then."""
    for frame in range(round(seconds * 30)):
        rates.sent(round(rates.target(since + frame / 30, VGA).bitrate / 30))
    return since + seconds


def test_the_client_tells_the_round_trip_where_reports_do_not() -> None:
    rates = RateController()
    rates.link(0.0, LinkReport(round_trip_ms=50))
    rates.report(0.1, 0.0, None)
    rates.link(1.0, LinkReport(round_trip_ms=450))
    rates.report(1.1, 0.0, None, arrived=300e3)
    assert rates.bitrate < 300e3, "a queue of 400 ms: what arrived is what the link carries"


def test_an_old_word_of_the_round_trip_does_not_count() -> None:
    rates = RateController()
    rates.link(0.0, LinkReport(round_trip_ms=50))
    rates.report(0.1, 0.0, None)
    rates.link(1.0, LinkReport(round_trip_ms=450))
    rates.report(1.0 + rate_control.FRESH, 0.0, None, arrived=300e3)
    assert rates.bitrate == START


def test_loss_is_believed_once_whoever_tells_it() -> None:
    rates = RateController()
    rates.report(0.0, 0.0, 0.05)
    rates.link(1.0, LinkReport(loss=0.4))
    assert rates.bitrate == START, "reports come, and will tell"
    rates.link(3.5, LinkReport(loss=0.4))
    assert rates.bitrate == START * 0.8, "they do not"
    rates.report(3.6, 0.4, 0.05)
    assert rates.bitrate == START * 0.8, "now they tell the same"
    rates.report(4.6, 0.4, 0.05)
    assert rates.bitrate == START * 0.8 * 0.8


def test_a_jitter_buffer_that_holds_frames_ever_longer_is_a_queue() -> None:
    rates = RateController()
    now = running(rates, 1)
    for delay in (40, 45, 40, 120, 200, 280):
        rates.link(now, LinkReport(loss=0.0, delay_ms=delay))
        now = running(rates, 1, now)
    assert rates.bitrate < 0.8 * HIGHEST
    settled = rates.bitrate
    rates.link(now, LinkReport(loss=0.0, delay_ms=280))
    now = running(rates, 1.5, now)
    assert rates.bitrate > settled, "it grows no more"


def test_a_jitter_buffer_that_waits_for_what_is_sent_again_is_none() -> None:
    rates = RateController()
    for second, delay in enumerate((40, 150, 260, 370)):
        rates.link(second, LinkReport(loss=0.06, delay_ms=delay))
    assert rates.bitrate == START


def test_nothing_grows_while_the_clients_picture_stands_still() -> None:
    rates = RateController()
    now = 0.0
    for _ in range(6):
        rates.link(now, LinkReport(loss=0.0, fps=0))
        now = running(rates, 1, now)
    assert rates.bitrate == START


# --- padding ---------------------------------------------------------------------------------------------------------
def test_padding_proves_what_a_still_picture_cannot() -> None:
    rates = RateController()
    rates.report(0.0, 0.0, 0.05)
    rates.report(1.0, 0.0, 0.45, arrived=300e3)
    now, padded = 1.0, 0.0
    for second in range(1, 6):
        sent = beside = 0.0
        for frame in range(30):
            now = second + frame / 30
            target = rates.target(now, VGA)
            rates.sent(3000)
            sent += 3000
            padding = round(rates.padding(now))
            rates.sent(padding, padding=True)
            beside += padding
        rates.report(now, 0.0, 0.05, arrived=sent)
        padded += beside
    assert padded > 300e3
    assert target.scale == 1, "the encoder used 90 kbit/s, but more came through"
    before = rates.target(now + 0.03, VGA)
    assert rates.padding(now + 0.03) == 0, f"nothing is left to be proven at {before}"


def test_the_shortest_round_trip_is_forgotten_after_a_while() -> None:
    least = rate_control.Least()
    assert least.of(0.0, 0.02) == 0.02
    assert [least.of(second, 0.2) for second in (1, 19, 30)] == [0.02] * 3
    assert least.of(51, 0.2) == 0.2


def test_saver_takes_little_of_a_good_link_and_pads_nothing() -> None:
    rates, link = RateController(), Link(capacity=5_000_000)
    link.run(rates, 5)
    rates.wish(Quality.SAVER)
    target = link.run(rates, 10)
    assert target.bitrate <= WISHED[Quality.SAVER]
    assert target.scale == Fraction(3, 4)
    assert rates.padding(link.now) == 0
    rates.wish(Quality.AUTO)
    assert link.run(rates, 20).scale == FULL


def test_high_keeps_the_picture_large_where_auto_makes_it_smaller() -> None:
    scales = {}
    for quality in (Quality.AUTO, Quality.HIGH):
        rates, link = RateController(), Link(capacity=450_000)
        rates.wish(quality)
        scales[quality] = link.run(rates, 20).scale
    assert scales[Quality.HIGH] > scales[Quality.AUTO]


def test_high_uses_more_of_a_very_good_link() -> None:
    rates, link = RateController(), Link(capacity=20_000_000)
    rates.wish(Quality.HIGH)
    assert HIGHEST < link.run(rates, 30).bitrate <= WISHED[Quality.HIGH]
