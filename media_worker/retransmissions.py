"""What is sent again to a receiver who asks (generic NACK, RFC 4585 §6.2.1), and how one is made to ask. Pure.

Receivers differ. libwebrtc's asks for a packet every round trip until it is there. aiortc's asks when it finds a packet
missing, and for the others only when it finds the next one: where a request or its answer is lost, too, its picture
stands still until then, and after 512 packets it goes on without. So while packets are lost, such a receiver is shown a
gap with each frame: its last two packets change places.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

HISTORY = 512
"""Packets that are kept to be sent again: two seconds at 2.5 Mbit/s, one at 4. aiortc's 128 are half a second, which a
lost request and a round trip of 200 ms take. A divisor of 65536."""

SHARE, AT_ONCE, LEAST_AT_ONCE = 0.3, 1.0, 20 * 1300 * 8
"""Of the bitrate, retransmissions may take such a share beside it, and so many seconds' worth of it, or so many bits,
may come at once: a lost keyframe, or a burst of ten packets and one more."""

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

Packet = TypeVar("Packet")


class Retransmissions:
    def __init__(self) -> None:
        self._bits = 0.0
        self._filled_at = float("-inf")
        self._left: dict[int, tuple[int, float]] = {}
        """By sequence number modulo HISTORY: the number, and when it left last."""
        self._asked: dict[int, int] = {}
        """The same: the number that was asked for."""
        self._lost_at = float("-inf")
        self._asks_again = False

    def leaves(self, now: float, number: int) -> None:
        """A packet is sent, for the first time or again."""
        self._left[number % HISTORY] = number, now

    def asked(self, numbers: Iterable[int]) -> None:
        """A request has come."""
        again = [self._asked.get(number % HISTORY) == number for number in numbers]
        # aiortc never asks without a new number.
        self._asks_again = self._asks_again or (bool(again) and all(again))
        for number in numbers:
            self._asked[number % HISTORY] = number

    def allows(self, now: float, number: int, bits: int, bitrate: float, round_trip: float | None) -> bool:
        """Whether a packet of so many bits that is asked for is sent again, beside a stream of `bitrate` bit/s. What is
        sent twice is bounded: on a link that is full, it is what keeps it full."""
        which, left_at = self._left.get(number % HISTORY, (None, 0.0))
        if which == number and now - left_at < ON_ITS_WAY * (round_trip or UNKNOWN_ROUND_TRIP):
            return False
        self._lost_at = now
        most = max(bitrate * SHARE * AT_ONCE, LEAST_AT_ONCE)
        self._bits = min(most, self._bits + (now - self._filled_at) * bitrate * SHARE)
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
