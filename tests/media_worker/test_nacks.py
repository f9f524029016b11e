from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from aiortc.rtp import RtpPacket, wrap_rtx

from media_worker import nacks
from media_worker.nacks import LATER_THAN_USUAL, LEEWAY, LONGEST, TIMES, UNKNOWN_ROUND_TRIP, NackGenerator


class Asking:
    """A generator with a clock to turn, and what it asked for when."""

    def __init__(self) -> None:
        self.now = 0.0
        self.nacks = NackGenerator(clock=lambda: self.now)
        self.asked: list[tuple[float, set[int]]] = []

    def take(self, *numbers: int, apart: float = 0.005) -> None:
        for number in numbers:
            self._note(self.nacks.add(RtpPacket(sequence_number=number % 0x10000)))
            self.now += apart

    def answer(self, number: int) -> None:
        rtx = wrap_rtx(RtpPacket(sequence_number=number), payload_type=98, sequence_number=1, ssrc=8)
        self._note(self.nacks.add(nacks.unwrap(rtx, payload_type=97, ssrc=7)))

    def wait(self, seconds: float, step: float = 0.001) -> None:
        """Nothing comes; it is looked at all the same."""
        for _ in range(round(seconds / step)):
            self._note(self.nacks.look())
            self.now += step

    def _note(self, asks: bool) -> None:
        if asks:
            self.asked.append((round(self.now, 3), set(self.nacks.missing)))


def test_nothing_is_asked_for_where_nothing_is_missing() -> None:
    asking = Asking()
    asking.take(*range(65500, 65600))
    asking.wait(1)
    assert asking.asked == []


def busy(asking: Asking) -> None:
    asking.take(*range(13, 513), apart=0.005)


def silent(asking: Asking) -> None:
    asking.wait(2.5)


@pytest.mark.parametrize("afterwards", [busy, silent])
def test_a_packet_is_asked_for_every_round_trip_and_then_given_up(afterwards: Callable[[Asking], None]) -> None:
    asking = Asking()
    asking.take(10, 12)
    afterwards(asking)
    assert [numbers for _, numbers in asking.asked] == [{11}] * TIMES
    times = [at for at, _ in asking.asked]
    patience = LATER_THAN_USUAL * UNKNOWN_ROUND_TRIP + LEEWAY
    assert all(-0.001 < later - at - patience < 0.007 for at, later in itertools.pairwise(times))


def test_the_round_trip_is_that_of_most_answers() -> None:
    asking = Asking()
    for n, late in enumerate([0.04, 0.04, 0.09, 0.04, 0.042]):  # one of a second request
        asking.take(10 * n, 10 * n + 2, apart=0)
        asking.wait(late)
        asking.answer(10 * n + 1)
    assert asking.nacks.round_trip == pytest.approx(0.04)
    asking.asked.clear()
    asking.take(50, 52, apart=0)
    asking.wait(0.14)
    first, second, third = [at for at, numbers in asking.asked if 51 in numbers]
    assert second - first == pytest.approx(LATER_THAN_USUAL * 0.04 + LEEWAY, abs=0.002)
    assert third - second == pytest.approx(second - first, abs=0.002)


def test_slow_answers_of_a_full_link_put_no_request_off_for_seconds() -> None:
    asking = Asking()
    for n in range(3):
        asking.take(10 * n, 10 * n + 2, apart=0)
        asking.wait(0.8, step=0.1)
        asking.answer(10 * n + 1)
    assert asking.nacks.round_trip == LONGEST


def test_what_cannot_be_shown_any_more_is_not_asked_for() -> None:
    asking = Asking()
    asking.take(65530, 5, apart=0)
    asking.nacks.needed_from = lambda: 2
    asking.asked.clear()
    asking.wait(0.2)
    assert [numbers for _, numbers in asking.asked] == [{2, 3, 4}]


def test_packets_that_were_only_overtaken_say_nothing_of_the_round_trip() -> None:
    asking = Asking()
    asking.take(0, 2, 1, 4, 3, 6, 5, apart=0.001)
    assert asking.nacks.round_trip == UNKNOWN_ROUND_TRIP


def test_an_answer_is_the_packet_that_was_asked_for() -> None:
    packet = RtpPacket(97, 1, 65535, 9, 7, b"payload")
    packet.extensions.abs_send_time = 5
    rtx = wrap_rtx(packet, payload_type=98, sequence_number=3, ssrc=8)
    came = nacks.unwrap(rtx, payload_type=97, ssrc=7)
    assert vars(came) | {"extensions": None} == vars(packet) | {"extensions": None}
    assert came.extensions.abs_send_time == 5


def test_what_came_late_is_not_asked_for_again() -> None:
    asking = Asking()
    asking.take(10, 12, 11, *range(13, 100))
    assert [numbers for _, numbers in asking.asked] == [{11}]


def test_gaps_are_asked_for_each_in_its_own_time() -> None:
    asking = Asking()
    asking.take(0, 2, 3, 4, 6, 7)
    assert [numbers for _, numbers in asking.asked] == [{1}, {5}]


def test_over_the_wrap() -> None:
    asking = Asking()
    asking.take(65533, 65536 + 2)
    assert asking.asked == [(0.005, {65534, 65535, 0, 1})]


def test_of_an_outage_only_the_end_and_nothing_that_is_long_gone() -> None:
    asking = Asking()
    asking.take(0, 1000)
    assert asking.asked[0][1] == set(range(1000 - nacks.MOST_AT_ONCE + 1, 1000))
    asking.take(*range(1001, 1000 + nacks.KEPT), apart=0.0001)
    asking.asked.clear()
    asking.wait(0.2)
    assert asking.asked == []
