"""What is sent again to a receiver who asks (generic NACK, RFC 4585 §6.2.1), and how one is made to ask. Pure.

Receivers differ. libwebrtc's asks for a packet every round trip until it is there. aiortc's asks when it finds a packet
missing, and for the others only when it finds the next one: where a request or its answer is lost, too, its picture
stands still until then, and after 512 packets it goes on without. So while packets are lost, such a receiver is shown a
gap with each frame: its last two packets change places.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence
from typing import TypeVar

HISTORY = 512
"""Packets that are kept to be sent again: two seconds at 2.5 Mbit/s, one at 4. aiortc's 128 are half a second, which a
lost request and a round trip of 200 ms take. A divisor of 65536."""

SHARE, SHARE_OF_A_FULL_LINK = 1.0, 0.3
"""Of the bitrate, what retransmissions may take beside it. On a link that is full they are what keeps it full; on one
that only loses packets the picture stands still for want of them."""

AT_ONCE, LEAST_AT_ONCE = 1.0, 12 * 1300 * 8
"""Seconds' worth of it, or at least so many bits, that may come at once: a lost keyframe, or a burst of ten packets and
one more."""

AT_ONCE_INTO_A_QUEUE, LEAST_INTO_A_QUEUE = 0.5, 3 * 1300 * 8
"""The same for a link that is full: 0.15 s of the stream. Seventeen packets that were asked for together ran a queue of
half a second over, and with it went the next keyframe."""

ON_ITS_WAY = 0.8
"""Of a round trip: who asks for a packet sooner than that after it left cannot have missed it yet. As in libwebrtc
(rtp_packet_history.cc); not all of it, for round trips vary."""

UNKNOWN_ROUND_TRIP = 0.02
"""Seconds, until a report tells: short, so that nothing is withheld."""

REMEMBERED = 10.0
"""Seconds after a loss for which more are expected."""

SILENCE, SILENT_FOR = 0.05, 1.0
"""Seconds without a frame after which the newest packet is sent again, one and a half frames at 30 fps; and up to
which."""

LATELY, ENOUGH = 1.0, 30
"""Seconds, and packets that left within them, over which the share of those missed is reckoned: fewer, and a burst of
lost packets is most of them."""

Packet = TypeVar("Packet")


class Retransmissions:
    def __init__(self) -> None:
        self._bits = 0.0
        self._filled_at = float("-inf")
        self._left: dict[int, tuple[int, float]] = {}
        """By sequence number modulo HISTORY: the number, and when it left last."""
        self._asked: dict[int, int] = {}
        """The same: the number that was asked for."""
        self._sent: deque[float] = deque()
        self._missed: deque[float] = deque(maxlen=HISTORY)
        """When packets left, and were asked for, for the first time; of LATELY."""
        self.round_trip: float | None = None
        """Seconds, the shortest one known."""
        self._lost_at = float("-inf")
        self._asks_again = False

    def leaves(self, now: float, number: int) -> None:
        """A packet is sent, for the first time or again."""
        if self._left.get(number % HISTORY, (None, now))[0] != number:
            self._sent.append(now)
            _forget(self._sent, now)
        self._left[number % HISTORY] = number, now

    def asked(self, now: float, numbers: Collection[int]) -> float:
        """A request has come. The share of packets that were missed lately, 0–1; 0 while too few have left to tell."""
        again = [self._asked.get(number % HISTORY) == number for number in numbers]
        # aiortc never asks without a new number.
        self._asks_again = self._asks_again or (bool(again) and all(again))
        for number in numbers:
            if self._asked.get(number % HISTORY) != number and not self._is_on_its_way(now, number):
                self._missed.append(now)
            self._asked[number % HISTORY] = number
        _forget(self._sent, now)
        _forget(self._missed, now)
        return len(self._missed) / len(self._sent) if len(self._sent) >= ENOUGH else 0.0

    def _is_on_its_way(self, now: float, number: int) -> bool:
        which, left_at = self._left.get(number % HISTORY, (None, 0.0))
        return which == number and now - left_at < ON_ITS_WAY * (self.round_trip or UNKNOWN_ROUND_TRIP)

    def allows(self, now: float, number: int, bits: int, bitrate: float, *, full: bool = False) -> bool:
        """Whether a packet of so many bits that is asked for is sent again, beside a stream of `bitrate` bit/s, over a
        link that is `full` or not."""
        if self._is_on_its_way(now, number):
            return False
        self._lost_at = now
        rate = bitrate * (SHARE_OF_A_FULL_LINK if full else SHARE)
        most = max(rate * AT_ONCE_INTO_A_QUEUE, LEAST_INTO_A_QUEUE) if full else max(rate * AT_ONCE, LEAST_AT_ONCE)
        self._bits = min(most, self._bits + (now - self._filled_at) * rate)
        self._filled_at = now
        if self._bits < bits:
            return False
        self._bits -= bits
        return True

    def fills(self, now: float, frame_left_at: float) -> bool:
        """Whether to send the newest packet again, as no frame has followed it.

        Where packets are lost, no frame comes from the camera's side for a while, then the end of the last one may be
        missing, too, which the receiver cannot know (as in RFC 8985, §7). And where losses come in bursts of so many
        packets, it would be the few requests that the burst takes next.
        """
        return self._expects_losses(now) and SILENCE <= now - frame_left_at < SILENT_FOR

    def in_order(self, now: float, packets: Sequence[Packet]) -> list[Packet]:
        """A frame's packets as they shall leave."""
        if self._asks_again or not self._expects_losses(now) or len(packets) < 2:
            return list(packets)
        *others, last_but_one, last = packets
        return [*others, last, last_but_one]

    def _expects_losses(self, now: float) -> bool:
        return now - self._lost_at <= REMEMBERED


def _forget(times: deque[float], now: float) -> None:
    """What was not LATELY."""
    while times and now - times[0] > LATELY:
        times.popleft()
