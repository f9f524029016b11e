"""How many bits a second a link carries, and how large a picture they are enough for. Pure: reports in, targets out.

Signals, as in Google congestion control (draft-ietf-rmcat-gcc-02) where nothing else is said:

- loss, from receiver reports (RFC 3550 §6.4.1): over 10 % the rate falls, over 2 % it does not grow. Loss without a
  queue is a bad radio link, where fewer bits would help nobody; then it takes 20 %.
- delay: a round trip well over the shortest one says that a queue builds up.
- REMB: the receiver's own estimate, from delays between packets. When it falls, the link is full, and the rate
  follows. It grows by only 8 % a second, which would take 20 s from 300 kbit/s to full size. So growth follows the
  silence of all signals, and runs ahead of REMB, though never beyond where the receiver would not notice a full link.

After a full link, growth is slow near the rate where it was full, and fast elsewhere: steady on a poor link, and back
soon when it recovers (from 300 kbit/s within 5 s on the modelled link of the tests, 5 to 10 s with a real encoder).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

START, LOWEST, HIGHEST = 1_500_000, 150_000, 2_500_000
"""bit/s. Below 150 kbit/s half a picture of a moving hand is mush; above 2.5 Mbit/s 640x480 hardly looks better."""

MUCH_LOSS, SOME_LOSS, MUCH_LOSS_WITHOUT_QUEUE = 0.1, 0.02, 0.2

QUEUE = 0.15
"""Seconds of round trip beyond the shortest that mean a queue. Wi-Fi alone, or a busy
machine, varies by some tens of milliseconds."""

LONG = 0.25
"""Seconds of round trip that, with any loss, mean a queue: on a link that was full from the start there never was a
shorter one."""

BACKOFF = 0.85
HOLD = 1.5
"""Seconds without growth after a bad sign; the next report comes within that time."""

FRESH = 3.0
"""Seconds for which a report counts. Growth on no news could be into a dead link."""

FAST, SLOW = 1.35, 1.19
"""Growth a second, far from and near the rate that was too much. Chosen on the modelled link of the tests: from
300 kbit/s to full size within 5 s, with peaks of 1.5 times a poor link's capacity."""

NEAR = (0.85, 1.2)
AHEAD_OF_REMB = 2.5
AHEAD_OF_USE = 2.0
"""Growth ends at that many times what the encoder really sends: only what was sent tells what the link carries. With
1.5, x264, which follows a rising rate slowly, took over 10 s from 300 kbit/s to full size."""

SCALES = (Fraction(1), Fraction(3, 4), Fraction(1, 2))
BITS_PER_PIXEL = (0.037, 0.018)
"""Bits a pixel of the full picture at 30 fps, below which it gets smaller (640x480: 341 and 166 kbit/s)."""

ENLARGE_AT, ENLARGE_AFTER = 1.25, 0.5
"""A larger picture takes so much more than the limit, for so many seconds: each change is a keyframe."""


@dataclass(frozen=True)
class Target:
    bitrate: int
    """bit/s"""
    scale: Fraction
    """Of the picture's sides."""


class RateController:
    """One video stream's way out. All times in seconds of one monotonic clock."""

    def __init__(self, start: int = START) -> None:
        self._rate = float(start)
        self._capacity = float("inf")
        """About the rate at which the link was last full."""
        self._sent = 0.0
        """Bits since the last report."""
        self._used = float("inf")
        """bit/s that the encoder made of the rate, between the last two reports."""
        self._reported_at = 0.0
        self._round_trip, self._shortest = 0.0, float("inf")
        self._hold_until = float("-inf")
        self._heard = float("-inf")
        self._grown_at: float | None = None
        self._remb: int | None = None
        self._scale = 0
        self._enough_since = 0.0

    def report(self, now: float, loss: float, round_trip: float | None) -> None:
        """A receiver report: share of packets lost since the last one, 0–1, and the round trip where it is known."""
        queued = self._is_queued(loss, round_trip)
        if queued:
            self._capacity = self._came_through(now, loss, round_trip or 0.0)
            self._fall(now, BACKOFF * self._capacity)
        elif loss > (MUCH_LOSS if round_trip is None else MUCH_LOSS_WITHOUT_QUEUE):
            self._fall(now, self._rate * (1 - loss / 2))
        if queued or loss > SOME_LOSS:
            self._hold_until = now + HOLD
        if self._sent and now > self._reported_at:
            self._used = self._sent / (now - self._reported_at)
        self._heard = self._reported_at = now
        self._round_trip = round_trip or self._round_trip
        self._sent = 0.0

    def remb(self, now: float, bitrate: int) -> None:
        """The receiver's estimate (draft-alvestrand-rmcat-remb), bit/s."""
        fell = self._remb is not None and bitrate < 0.97 * self._remb
        self._remb, self._heard = bitrate, now
        if fell:
            self._capacity = bitrate / BACKOFF  # receivers cut to that share of what came through
        self._fall(now, bitrate if fell else AHEAD_OF_REMB * bitrate)

    def sent(self, bits: int) -> None:
        """A frame of that many bits leaves."""
        self._sent += bits

    @property
    def bitrate(self) -> float:
        """bit/s, as of the last target."""
        return self._rate

    def target(self, now: float, pixels: int) -> Target:
        """What to send from now on; `pixels` are the full picture's."""
        self._grow(now)
        self._choose_scale(now, self._rate / (pixels * 30))
        return Target(round(self._rate), SCALES[self._scale])

    def _is_queued(self, loss: float, round_trip: float | None) -> bool:
        """Whether packets seem to wait on their way."""
        if round_trip is None:
            return False
        self._shortest = min(round_trip, self._shortest)
        return round_trip - self._shortest > QUEUE or (round_trip > LONG and loss > SOME_LOSS)

    def _came_through(self, now: float, loss: float, round_trip: float) -> float:
        """bit/s that a full link carried since the last report: what was sent, less what was lost or waits now.

        In a time t a queue that grows by d seconds took what the link carries in t + d.
        """
        seconds = now - self._reported_at
        if not seconds or not self._sent:
            return self._rate * (1 - loss)
        longer = max(round_trip - self._round_trip, -0.5 * seconds)
        return self._sent / seconds * (1 - loss) / (1 + longer / seconds)

    def _fall(self, now: float, rate: float) -> None:
        if rate < self._rate:
            self._rate = max(rate, LOWEST)
            self._hold_until = now + HOLD

    def _grow(self, now: float) -> None:
        seconds = 0.0 if self._grown_at is None else now - self._grown_at
        self._grown_at = now
        if now < self._hold_until or now - self._heard > FRESH:
            return
        near = NEAR[0] < self._rate / self._capacity < NEAR[1]
        grown = self._rate * (SLOW if near else FAST) ** min(seconds, 0.1)
        limit = min(HIGHEST, AHEAD_OF_REMB * (self._remb or HIGHEST), AHEAD_OF_USE * self._used)
        self._rate = max(self._rate, min(grown, limit))

    def _choose_scale(self, now: float, bits_per_pixel: float) -> None:
        """Smaller at once, larger when there has been enough for a while."""
        needed = sum(bits_per_pixel < limit for limit in BITS_PER_PIXEL)
        enough = sum(bits_per_pixel < limit * ENLARGE_AT for limit in BITS_PER_PIXEL)
        if enough >= self._scale:
            self._enough_since = now
        if needed > self._scale:
            self._scale = needed
        elif now - self._enough_since >= ENLARGE_AFTER:
            self._scale, self._enough_since = enough, now
