"""Receiver reports (RFC 3550 §6.4.1), put together until there are enough packets to judge by. Pure.

aiortc's clients report once a second, browsers with each NACK, too: a burst of ten packets is 80 % of such a report's
30 ms, but 5 % of a second.
"""

from __future__ import annotations

from dataclasses import dataclass

from aiortc.rtp import RtcpReceiverInfo

APART, APART_WITH_ROUND_TRIP = 1.0, 0.4
"""Seconds between two judgements; and where a round trip is known, which comes once a second and tells of a queue."""


@dataclass(frozen=True)
class Heard:
    loss: float
    """Share of packets lost since the last one, 0–1."""
    round_trip: float | None
    """Seconds; the last that is known since the last one."""
    highest: int
    """Extended sequence number of the newest packet that arrived."""
    expected: int
    """Packets since the last one."""
    arrived: int


class Reports:
    def __init__(self, now: float, sequence_number: int) -> None:
        """`sequence_number` will be the first packet's."""
        self._judged_at = now
        self._highest, self._lost = sequence_number - 1, 0
        self._round_trip: float | None = None

    def add(self, now: float, report: RtcpReceiverInfo, round_trip: float | None) -> Heard | None:
        """What is heard since the last judgement, where it is enough for one."""
        self._round_trip = self._round_trip if round_trip is None else round_trip
        if now - self._judged_at < (APART if self._round_trip is None else APART_WITH_ROUND_TRIP):
            return None
        expected = max(0, report.highest_sequence - self._highest)
        lost = min(expected, max(0, report.packets_lost - self._lost))
        share = lost / expected if expected else 0.0
        heard = Heard(share, self._round_trip, report.highest_sequence, expected, expected - lost)
        self._judged_at, self._round_trip = now, None
        self._highest, self._lost = report.highest_sequence, report.packets_lost
        return heard
