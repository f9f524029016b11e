"""Which missing packets a receiver asks for, and when (generic NACK, RFC 4585 §6.2.1). Pure.

aiortc asks when a packet is found missing, and for all that is missing only when the next one is: where a request or
its answer is lost, too, the picture stands still until then. As libwebrtc does (nack_requester.cc), a packet is asked
for again every round trip, ten times at most, also while nothing new is found missing.

The round trip is the median of the last times from first asking to the answer. One in ten of these answers a second
request where 5 % are lost each way, which a median does not mind. Packets that were only overtaken come by themselves,
so only retransmissions count, which are known by their own stream (RFC 4588).
"""

from __future__ import annotations

import statistics
import time
from collections import deque
from collections.abc import Callable

from aiortc.rtp import RTP_HISTORY_SIZE, RtpPacket, unwrap_rtx

TIMES = 10
"""A packet is asked for so often; 0.6 s at a round trip of 40 ms. By then the keyframe that the jitter buffer asks for
is there, or nothing gets through."""

UNKNOWN_ROUND_TRIP = 0.1
"""Seconds, a usual mobile one, until an answer has come."""

LATER_THAN_USUAL, LEEWAY = 1.25, 0.01
"""An answer is given up after so many round trips, and seconds: links and machines vary."""

REMEMBERED, LONGEST = 15, 0.3
"""Answers whose median is the round trip, and seconds that it is at most: where a link is full, an answer waits until
there is room for it, and who waits as long to ask again asks for what nobody needs any more."""

MOST_AT_ONCE = RTP_HISTORY_SIZE
"""Packets of one gap that are asked for: all that aiortc keeps as a sender. What comes beyond is an outage, after which
a keyframe is smaller than what was missed."""

KEPT = 512
"""Packets that later ones may be ahead; the jitter buffer holds no more."""


class Retransmitted(RtpPacket):
    """A packet that came by the stream of retransmissions."""


def unwrap(rtx: RtpPacket, payload_type: int, ssrc: int) -> Retransmitted:
    """As aiortc's `unwrap_rtx`, but it can be told from a packet that came by itself."""
    packet = Retransmitted()
    vars(packet).update(vars(unwrap_rtx(rtx, payload_type, ssrc)))
    return packet


class NackGenerator:
    """Takes the place of `aiortc.rtcrtpreceiver.NackGenerator`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._newest: int | None = None
        self._missed: dict[int, _Missed] = {}
        """By sequence number, oldest first."""
        self._answered: deque[float] = deque(maxlen=REMEMBERED)
        self.missing: set[int] = set()
        """What is to be asked for now."""
        self.ssrc: int | None = None
        """Of the stream."""
        self.needed_from: Callable[[], int | None] = lambda: None
        """The first packet that is of use, if that is known: what is missing before it is not asked for."""

    def add(self, packet: RtpPacket) -> bool:
        """A packet came, also a retransmitted one. Whether to ask for `missing` now."""
        now, number = self._clock(), packet.sequence_number
        self.ssrc = packet.ssrc
        came = self._missed.pop(number, None)
        if came and isinstance(packet, Retransmitted):
            self._answered.append(now - came.first_asked)
        ahead = 0 if self._newest is None else _distance(self._newest, number)
        if self._newest is None or ahead > 0:
            for back in reversed(range(1, min(ahead, MOST_AT_ONCE))):
                self._missed[(number - back) % 0x10000] = _Missed(now)
            self._newest = number
        return self.look()

    def look(self) -> bool:
        """To be called every few milliseconds, too: for what was asked for in vain. Whether to ask for `missing`."""
        self.missing = self._due(self._clock()) if self._missed else set()
        return bool(self.missing)

    @property
    def round_trip(self) -> float:
        """Seconds from a request to its answer."""
        return min(statistics.median(self._answered), LONGEST) if self._answered else UNKNOWN_ROUND_TRIP

    def _due(self, now: float) -> set[int]:
        assert self._newest is not None
        due = set()
        patience = LATER_THAN_USUAL * self.round_trip + LEEWAY
        needed = self.needed_from()
        for number, missed in list(self._missed.items()):
            late = needed is not None and _distance(needed, number) < 0
            if late or missed.asked == TIMES or _distance(number, self._newest) >= KEPT:
                del self._missed[number]
            elif not missed.asked or now - missed.last_asked >= patience:
                missed.asked += 1
                missed.last_asked = now
                due.add(number)
        return due


class _Missed:
    """A packet that is asked for at once."""

    __slots__ = ("asked", "first_asked", "last_asked")

    def __init__(self, now: float) -> None:
        self.first_asked = self.last_asked = now
        self.asked = 0


def _distance(old: int, new: int) -> int:
    """How far `new` is ahead, −32768…32767, over the wrap of 16 bits."""
    return (new - old + 0x8000) % 0x10000 - 0x8000
