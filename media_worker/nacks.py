"""Which missing packets a receiver asks for, and when (generic NACK, RFC 4585 §6.2.1). Pure.

aiortc asks once, and again for all that is missing whenever something new is: a lost request is a lost frame, and a
link that drops much is flooded with retransmissions. Here every packet is asked for a few times, at growing intervals.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from aiortc.rtp import RTP_HISTORY_SIZE, RtpPacket

ASK_AFTER = (0.0, 0.1, 0.3, 0.7)
"""Seconds after which a missing packet is asked for, since it was missed first. 0.1 is a usual round trip; later
than 0.7 the keyframe that the jitter buffer asks for is sooner there."""


class NackGenerator:
    """Takes the place of `aiortc.rtcrtpreceiver.NackGenerator`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._newest: int | None = None
        self._missed: dict[int, tuple[float, int]] = {}
        """By sequence number: since when it is missing, and how often it was asked for."""
        self.missing: set[int] = set()
        """What is to be asked for now."""

    def add(self, packet: RtpPacket) -> bool:
        """A packet came, also a retransmitted one. Whether to ask for `missing` now."""
        now, number = self._clock(), packet.sequence_number
        self._missed.pop(number, None)
        ahead = 0 if self._newest is None else _distance(self._newest, number)
        if self._newest is None or ahead > 0:
            for back in range(1, min(ahead, RTP_HISTORY_SIZE)):
                self._missed[(number - back) % 0x10000] = now, 0
            self._newest = number
        self.missing = self._due(now)
        return bool(self.missing)

    def _due(self, now: float) -> set[int]:
        assert self._newest is not None
        due = set()
        for number, (since, asked) in list(self._missed.items()):
            if asked == len(ASK_AFTER) or _distance(number, self._newest) >= RTP_HISTORY_SIZE:
                del self._missed[number]  # given up, or the sender keeps it no longer
            elif now - since >= ASK_AFTER[asked]:
                due.add(number)
                self._missed[number] = since, asked + 1
        return due


def _distance(old: int, new: int) -> int:
    """How far `new` is ahead, −32768…32767, over the wrap of 16 bits."""
    return (new - old + 0x8000) % 0x10000 - 0x8000
