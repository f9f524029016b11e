"""How many bits a second a link carries, and how large a picture they are enough for. Pure: reports in, targets out.

Signals, as in Google congestion control (draft-ietf-rmcat-gcc-02) where nothing else is said:

- loss, from receiver reports (RFC 3550 §6.4.1): over 10 % the rate falls, over 2 % it does not grow. Loss without a
  queue is a bad radio link, where fewer bits would help nobody; then it takes 20 %. Over 50 %, where no round trip
  tells, is a full link.
- requests for retransmissions, which come before the next report: over 2 % of the packets end a try for more, and over
  50 %, before any round trip is known, mean a full link.
- delay: a round trip well over the shortest one says that a queue builds up.
- what arrived, from the same reports: while a queue stands, that is what the link carries.
- REMB: the receiver's own estimate, from delays between packets. Where it falls and something else agrees, the rate
  follows. It grows by only 8 % a second, which would take 20 s from 300 kbit/s to full size. So growth follows the
  silence of all signals, and runs ahead of REMB.
- the client's `link` messages (protocol/messages.py): the round trip where reports have none, loss where no reports
  come, and a jitter buffer that holds frames ever longer, which is a queue too.

After a full link the rate goes a little beyond what came through, and stays there until it is proven that more comes
through now, which takes about two seconds: a poor link is overrun little, and one that recovered is soon used. The
picture grows only by what is proven, so that it keeps its size on a poor link. What an encoder does not use, padding
fills while there is something to prove: x264 follows a rising rate slowly, and a still picture not at all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from protocol.messages import LinkReport, Quality

START, LOWEST, HIGHEST = 1_500_000, 150_000, 2_500_000
"""bit/s. Below 150 kbit/s half a picture of a moving hand is mush; above 2.5 Mbit/s 640x480 hardly looks better."""

WISHED = {Quality.SAVER: 400_000, Quality.AUTO: HIGHEST, Quality.HIGH: 4_000_000}
"""bit/s at most, by `config.quality`. HIGH has a 720p camera in mind."""

SAVER_SCALE = 1
"""Index of `SCALES` from which SAVER chooses."""

HIGH_NEEDS = 0.7
"""Share of the bits a pixel with which HIGH keeps a picture large: it may look worse, but not smaller."""

MUCH_LOSS, SOME_LOSS, MUCH_LOSS_WITHOUT_QUEUE, LOSS_OF_A_FULL_LINK = 0.1, 0.02, 0.2, 0.5

QUEUE = 0.12
"""Seconds of round trip beyond the shortest that mean a queue. Wi-Fi alone, or a busy
machine, varies by some tens of milliseconds."""

LONG = 0.4
"""Seconds of round trip that, with any loss, mean a queue: on a link that was full from the start there never was a
shorter one."""

DRAINS = 0.05
"""Seconds by which a queue is shorter than at the last report when it is on its way out: then waiting is enough."""

BACKOFF, DEEPEST, DRAIN_TIME = 0.85, 0.65, 1.0
"""Shares of a full link's capacity that are sent next: the less, the longer the queue, so that it is gone after so many
seconds."""

MOST_OVERSHOOT = 2.0
"""An encoder that is asked for many keyframes sends more than it is told to, and retransmissions come on top: up to so
many times as much."""

HOLD, HOLD_WHEN_FULL = 1.5, 1.0
"""Seconds without growth after a bad sign: the next report comes within that time. Less after a fall, with which most
of a queue goes."""

FRESH = 3.0
"""Seconds for which a report counts. Growth on no news could be into a dead link."""

FAST, SLOW = 2.5, 1.4
"""Growth a second: elsewhere, and about where the link was last full."""

NEAR = 0.9
"""Share of the capacity from which on growth is slow."""

PROBE = 1.15
"""Times the capacity to which the rate grows, until that is proven to come through. The next report is a second away,
in which this makes a queue of 0.15 s; with 1.3, queues of half a second ran over two or three times a minute."""

BELIEVED, SOME_WAIT = 0.5, 0.06
"""A falling REMB is believed below that share of what leaves, and of what arrived last: the link became much narrower
since. Above it, only where the last round trip also was so many seconds over the shortest: a busy client's REMB falls
though there is no queue."""

AHEAD_OF_REMB = 4.0
AHEAD_OF_USE = 2.0
"""Growth ends at that many times what the encoder really sends: only what was sent tells what the link carries."""

PROVEN = 1.08
"""It is another link where so many times its capacity arrived between two reports."""

AHEAD_OF_ARRIVED = 1.4
"""Growth ends at that many times what arrived last."""

FORGET = 30.0
"""Seconds without a bad sign after which a link's capacity is unknown again, even where nothing proves it wrong: with a
still picture, and a peer that takes no padding."""

SCALES = (Fraction(1), Fraction(3, 4), Fraction(1, 2))
BITS_PER_PIXEL = (0.037, 0.018)
"""Bits a pixel of the full picture at 30 fps, below which it gets smaller (640x480: 341 and 166 kbit/s)."""

ENLARGE_AT, ENLARGE_AFTER = 1.25, 0.3
"""A larger picture takes so much more than the limit, for so many seconds: each change is a keyframe."""

ENLARGE_AFTER_FULL = 4.0
"""Seconds since the link was last full: an estimate of what it carries that was too low is soon proven wrong, and a
picture that grew by that would shrink again with the next queue."""

SURELY = 1.55
"""And a full link's known capacity takes that much more than the limit, or the next fall (DEEPEST) would shrink it."""

AVERAGED = 0.5
"""Seconds over which what is sent is averaged."""

REMEMBERED = 20.0
"""Seconds for which the shortest time counts, at least; then a phone that went from Wi-Fi to mobile may have longer
ones."""


@dataclass(frozen=True)
class Target:
    bitrate: int
    """bit/s"""
    scale: Fraction
    """Of the picture's sides."""


class Least:
    """The least of the values of the last 20 to 40 seconds."""

    def __init__(self) -> None:
        self._before = self._now = math.inf
        self._since = -math.inf

    def of(self, now: float, value: float) -> float:
        if now - self._since > REMEMBERED:
            self._before, self._now, self._since = self._now, value, now
        self._now = min(self._now, value)
        return min(self._before, self._now)


class Traffic:
    """What leaves. Retransmissions are counted apart: when a link is full, few of those arrive."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        """bit/s, averaged; at first what is meant to be sent."""
        self.again = 0.0
        """bit/s of retransmissions, averaged."""
        self._bits = self._unpaid = self._again_bits = 0.0
        self._since: float | None = None
        self._frames = self._padding = 0.0
        """Bits since the last report."""

    def add(self, bits: float, padding: bool) -> None:
        self._bits += bits
        self._unpaid += bits
        self._frames += bits * (not padding)
        self._padding += bits * padding

    def add_again(self, bits: float) -> None:
        self._again_bits += bits

    def padding_beside(self) -> float:
        """How much padding left since the last call, as a share of the frames."""
        share = self._padding / self._frames if self._frames else 0.0
        self._frames = self._padding = 0.0
        return share

    def take(self) -> float:
        """Bits since the last call."""
        bits, self._unpaid = self._unpaid, 0.0
        return bits

    def tick(self, now: float) -> None:
        """Before each frame."""
        if self._since is not None and now > self._since and self._bits:
            seconds = now - self._since
            kept = math.exp(-seconds / AVERAGED)
            self.rate = kept * self.rate + (1 - kept) * self._bits / seconds
            self.again = kept * self.again + (1 - kept) * self._again_bits / seconds
        if self._since is None or self._bits:
            self._since, self._bits, self._again_bits = now, 0.0, 0.0


class RateController:
    """One video stream's way out. All times in seconds of one monotonic clock."""

    def __init__(self, start: int = START) -> None:
        self._rate = float(start)
        self._capacity = math.inf
        """About the rate at which the link was last full."""
        self._full_at = -math.inf
        self._traffic = Traffic(start)
        self._reported_at = -math.inf
        self._round_trip, self._shortest = 0.0, Least()
        self._told_round_trip: tuple[float, float] = (-math.inf, 0.0)
        """When the client told it, and what."""
        self._loss_told = False
        """Whether the client was believed about loss that the next receiver report will tell again."""
        self._held_back, self._least_held_back = 0.0, Least()
        self._hold_until = -math.inf
        self._heard = -math.inf
        self._arrives, self._waits = math.inf, 0.0
        """bit/s, and seconds of queue, by the last report."""
        self._grown_at: float | None = None
        self._padded_at, self._owed = 0.0, 0.0
        """Bits that were meant to be sent and were not."""
        self._remb: int | None = None
        self._scale = 0
        self._enough_since = 0.0
        self._wished = Quality.AUTO

    def wish(self, quality: Quality) -> None:
        """What the person prefers, within what the link carries."""
        if quality is Quality.SAVER:
            self._rate = min(self._rate, float(WISHED[quality]))
        self._wished = quality

    # --- what is heard -----------------------------------------------------------------------------------------------
    def report(self, now: float, loss: float, round_trip: float | None, arrived: float | None = None) -> None:
        """A receiver report: share of packets lost since the last one, 0–1; the round trip, and the bits that arrived
        since, where they are known."""
        if round_trip is None and now - self._told_round_trip[0] < FRESH:
            round_trip = self._told_round_trip[1]
        if self._loss_told:
            loss, self._loss_told = min(loss, SOME_LOSS), False
        self._judge(now, loss, round_trip, self._came_through(now, loss, arrived))
        self._reported_at = now

    def missed(self, now: float, share: float) -> None:
        """The receiver asks for packets, so many of those that left in the last second: sooner than it reports them."""
        if share > SOME_LOSS:
            self._hold(now, HOLD)
        if self._rate > self._capacity and share > SOME_LOSS:
            self._fall(now, BACKOFF * self._capacity)  # more does not come through
        elif share > LOSS_OF_A_FULL_LINK and not self._round_trip and now - self._full_at > HOLD_WHEN_FULL:
            self._was_full(now, self._traffic.rate * (1 - share))
            self._fall(now, DEEPEST * self._capacity)

    def link(self, now: float, report: LinkReport) -> None:
        """What the client sees. It shares its words with receiver reports, so these go first."""
        if report.round_trip_ms is not None:
            self._told_round_trip = now, report.round_trip_ms / 1000
        if report.loss is not None and now - self._reported_at > FRESH:
            told_at, round_trip = self._told_round_trip
            self._loss_told = True
            fresh = round_trip if now - told_at < FRESH else None
            self._judge(now, report.loss, fresh, self._came_through(now, report.loss, None))
        if report.fps == 0:
            self._hold(now, HOLD)
        if report.delay_ms is not None:
            self._watch_buffer(now, report.delay_ms / 1000, report.loss or 0.0)
        self._heard = now

    def remb(self, now: float, bitrate: int) -> None:
        """The receiver's estimate (draft-alvestrand-rmcat-remb), bit/s."""
        fell = self._remb is not None and bitrate < 0.97 * self._remb
        self._remb, self._heard = bitrate, now
        narrower = bitrate < BELIEVED * min(self._arrives, self._traffic.rate)
        if not fell:
            self._fall(now, self._ahead_of_remb())
        elif narrower:
            self._was_full(now, bitrate / BACKOFF)  # receivers cut to that share of what came through
            self._fall(now, bitrate)
        elif self._waits > SOME_WAIT:
            self._was_full(now, max(bitrate / BACKOFF, self._arrives))
            self._fall(now, max(bitrate, DEEPEST * self._arrives))

    def sent(self, bits: int, *, padding: bool = False) -> None:
        """A frame of that many bits leaves, or padding, which no report counts."""
        self._traffic.add(bits, padding)

    def sent_again(self, bits: int) -> None:
        """A retransmission of that many bits leaves."""
        self._traffic.add_again(bits)

    def padding(self, now: float) -> float:
        """Bits to send beside the frames now. An encoder that uses less than its rate would prove nothing, and the
        picture would stay small."""
        since, self._padded_at = self._padded_at, now
        wanted = self._rate * min(now - since, 0.1)
        self._owed = max(-0.25 * self._rate, min(0.1 * self._rate, self._owed + wanted - self._traffic.take()))
        near = math.isinf(self._capacity) or self._rate >= NEAR * self._capacity
        smallest_wished = SAVER_SCALE if self._wished is Quality.SAVER else 0
        probing = self._scale > smallest_wished and near and self._may_grow(now)
        return max(0.0, self._owed) if probing else 0.0

    # --- what follows ------------------------------------------------------------------------------------------------
    @property
    def bitrate(self) -> float:
        """bit/s, as of the last target."""
        return self._rate

    def may_be_full(self, now: float) -> bool:
        """Whether there was a queue lately, or none is known of as no round trip is."""
        return not self._round_trip or not math.isinf(self._capacity) or now - self._full_at < FORGET

    @property
    def round_trip(self) -> float:
        """Seconds, the last one that was heard of, with its queue; 0 while none is known."""
        return self._round_trip

    @property
    def reduced(self) -> bool:
        """Whether the link carries only a smaller picture."""
        return self._scale > 0

    def target(self, now: float, pixels: int) -> Target:
        """What to send from now on; `pixels` are the full picture's."""
        self._traffic.tick(now)
        self._grow(now, pixels)
        self._choose_scale(now, pixels)
        return Target(round(self._rate), SCALES[self._scale])

    def _judge(self, now: float, loss: float, round_trip: float | None, came_through: float) -> None:
        waiting = self._waits if round_trip is None else round_trip - self._shortest.of(now, round_trip)
        full = waiting > QUEUE if round_trip is not None else loss > LOSS_OF_A_FULL_LINK
        full = full or (round_trip is not None and round_trip > LONG and loss > SOME_LOSS)
        drains = loss <= SOME_LOSS and round_trip is not None and round_trip < self._round_trip - DRAINS
        if full and not drains:
            self._was_full(now, came_through)
            share = max(DEEPEST, min(BACKOFF, 1 - waiting / DRAIN_TIME))
            overshoot = min(MOST_OVERSHOOT, max(1.0, (self._traffic.rate + self._traffic.again) / self._rate))
            self._fall(now, came_through * share / overshoot)
        elif loss > (MUCH_LOSS_WITHOUT_QUEUE if round_trip or self._round_trip else MUCH_LOSS):
            self._fall(now, self._rate * (1 - loss / 2))
        if loss > SOME_LOSS:
            self._hold(now, HOLD)
        elif full:
            self._hold(now, HOLD_WHEN_FULL)
        elif came_through > PROVEN * self._capacity or now - self._hold_until > FORGET:
            self._capacity = math.inf
        self._arrives, self._waits = came_through, waiting
        self._round_trip = round_trip or self._round_trip
        self._heard = now

    def _watch_buffer(self, now: float, held_back: float, loss: float) -> None:
        """The jitter buffer waits for late packets, and with a growing queue all are late.

        With loss it waits for what is sent again, which says nothing about a queue.
        """
        grew, self._held_back = held_back > self._held_back + DRAINS, held_back
        waiting = held_back - self._least_held_back.of(now, held_back)
        if not grew or waiting < QUEUE or loss > SOME_LOSS:
            return
        if now >= self._hold_until:  # or another sign was there before
            self._was_full(now, self._traffic.rate)
            self._fall(now, BACKOFF * self._traffic.rate)
        self._hold(now, HOLD_WHEN_FULL)

    def _came_through(self, now: float, loss: float, arrived: float | None) -> float:
        """bit/s that arrived since the last report; what a link carries, where it was full."""
        seconds = now - self._reported_at
        beside = self._traffic.padding_beside()
        if self._waits > SOME_WAIT:
            beside = 0.0  # what comes out of a queue now went in beside other padding, or none
        if arrived is None or not 0 < seconds < FRESH:
            return min(self._traffic.rate, self._rate) * (1 - loss)
        return arrived * (1 + beside) / seconds

    def _was_full(self, now: float, capacity: float) -> None:
        """Of one queue's signs the highest estimate counts: what arrives is less before it stood, and after."""
        same = now - self._full_at < HOLD_WHEN_FULL and not math.isinf(self._capacity)
        self._capacity = max(capacity, self._capacity) if same else capacity
        self._full_at = now

    def _hold(self, now: float, seconds: float) -> None:
        self._hold_until = max(self._hold_until, now + seconds)

    def _fall(self, now: float, rate: float) -> None:
        if rate < self._rate:
            self._rate = max(rate, LOWEST)
            self._hold(now, HOLD_WHEN_FULL)

    def _grow(self, now: float, pixels: int) -> None:
        seconds = 0.0 if self._grown_at is None else min(now - self._grown_at, 0.1)
        self._grown_at = now
        if not self._may_grow(now):
            return
        grown = self._rate * (FAST if self._rate < NEAR * self._capacity else SLOW) ** seconds
        self._rate = max(self._rate, min(grown, self._limit(now, pixels)))

    def _may_grow(self, now: float) -> bool:
        return now >= self._hold_until and now - self._heard < FRESH

    def _limit(self, now: float, pixels: int) -> float:
        """bit/s to which the rate may grow."""
        used = AHEAD_OF_USE * self._traffic.rate
        if not math.isinf(self._capacity):
            proven = min(PROBE * self._capacity, max(used, NEAR * self._capacity))
        else:
            proven = max(min(used, AHEAD_OF_ARRIVED * self._arrives), PROBE * LOWEST)
            if self._scale and now - self._hold_until > FORGET:
                proven = max(proven, ENLARGE_AT * BITS_PER_PIXEL[self._scale - 1] * pixels * 30)
        return min(WISHED[self._wished], self._ahead_of_remb(), proven)

    def _ahead_of_remb(self) -> float:
        """bit/s; without a bound where reports tell what arrives, which says more."""
        return AHEAD_OF_REMB * self._remb if self._remb is not None and math.isinf(self._arrives) else math.inf

    def _choose_scale(self, now: float, pixels: int) -> None:
        """Smaller at once, larger when there has been enough for a while."""
        needed = self._scale_for(self._rate, pixels)
        enough = self._scale_for(min(self._rate / ENLARGE_AT, self._capacity / SURELY), pixels)
        if enough >= self._scale or now - self._full_at < ENLARGE_AFTER_FULL:
            self._enough_since = now
        if needed > self._scale:
            self._scale = needed
        elif now - self._enough_since >= ENLARGE_AFTER:
            self._scale, self._enough_since = enough, now

    def _scale_for(self, rate: float, pixels: int) -> int:
        """Index of the largest scale that so many bit/s are enough for, and that is wished."""
        share = HIGH_NEEDS if self._wished is Quality.HIGH else 1.0
        scale = sum(rate < share * limit * pixels * 30 for limit in BITS_PER_PIXEL)
        return max(scale, SAVER_SCALE) if self._wished is Quality.SAVER else scale
