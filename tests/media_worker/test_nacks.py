from __future__ import annotations

from aiortc.rtp import RtpPacket

from media_worker.nacks import ASK_AFTER, NackGenerator


class Asking:
    """A generator with a clock to turn, and what it asked for when."""

    def __init__(self) -> None:
        self.now = 0.0
        self.nacks = NackGenerator(clock=lambda: self.now)
        self.asked: list[tuple[float, set[int]]] = []

    def take(self, *numbers: int, apart: float = 0.005) -> None:
        for number in numbers:
            if self.nacks.add(RtpPacket(sequence_number=number % 0x10000)):
                self.asked.append((round(self.now, 3), set(self.nacks.missing)))
            self.now += apart


def test_nothing_is_asked_for_where_nothing_is_missing() -> None:
    asking = Asking()
    asking.take(*range(65500, 65600))
    assert asking.asked == []


def test_a_packet_is_asked_for_at_growing_intervals_and_then_given_up() -> None:
    asking = Asking()
    asking.take(10, 12, *range(13, 113), apart=0.01)
    assert [numbers for _, numbers in asking.asked] == [{11}] * len(ASK_AFTER)
    first = asking.asked[0][0]
    waits = [at - first for at, _ in asking.asked]
    assert all(0 <= wait - after < 0.02 for wait, after in zip(waits, ASK_AFTER, strict=True))


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


def test_only_what_the_sender_still_keeps() -> None:
    asking = Asking()
    asking.take(0, 1000)
    assert asking.asked[0][1] == set(range(1000 - 127, 1000))
    asking.take(*range(1001, 1300), apart=0.0001)
    asking.now += 1
    asking.asked.clear()
    asking.take(1300)
    assert asking.asked == []
