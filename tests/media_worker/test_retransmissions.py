from __future__ import annotations

import pytest

from media_worker.retransmissions import HISTORY, REMEMBERED, SILENCE, SILENT_FOR, Retransmissions

PACKET = 1200 * 8
ROUND_TRIP = 0.04


def test_retransmissions_take_a_bounded_share_of_the_link() -> None:
    again = Retransmissions()
    sent = [again.allows(10 + n / 1000, n, PACKET, 1_000_000, ROUND_TRIP) for n in range(10_000)]
    bits = sum(sent) * PACKET
    assert 0.28e6 < bits / 10 - 0.03e6 < 0.31e6, "a share each second, and once what may come at once"
    assert all(sent[:20]), "a keyframe's packets"


def test_a_burst_of_ten_packets_is_answered_twice_on_the_narrowest_link() -> None:
    again = Retransmissions()
    assert all(again.allows(10.0 + n / 100, n, PACKET, 150_000, ROUND_TRIP) for n in range(20))


def test_what_is_on_its_way_is_not_sent_again() -> None:
    again = Retransmissions()
    again.leaves(1.0, 7)
    assert not again.allows(1.02, 7, PACKET, 1e6, ROUND_TRIP)
    assert again.allows(1.04, 7, PACKET, 1e6, ROUND_TRIP)
    again.leaves(1.04, 7)
    assert not again.allows(1.05, 7, PACKET, 1e6, ROUND_TRIP)
    assert again.allows(1.09, 7, PACKET, 1e6, ROUND_TRIP)
    assert again.allows(1.05, 7 + HISTORY, PACKET, 1e6, ROUND_TRIP), "another packet"


def test_without_loss_packets_leave_in_order() -> None:
    again = Retransmissions()
    assert again.in_order(0.0, [1, 2, 3]) == [1, 2, 3]
    again.leaves(0.0, 3)
    again.asked([3])
    again.allows(0.01, 3, PACKET, 1e6, ROUND_TRIP)
    assert again.in_order(0.02, [4, 5, 6]) == [4, 5, 6], "what was asked for too soon is no loss"


@pytest.mark.parametrize(("packets", "order"), [([1], [1]), ([1, 2], [2, 1]), ([1, 2, 3, 4], [1, 2, 4, 3])])
def test_who_asks_once_is_shown_a_gap_with_each_frame_while_packets_are_lost(
    packets: list[int], order: list[int]
) -> None:
    again = Retransmissions()
    again.asked([7])
    again.allows(1.0, 7, PACKET, 1e6, ROUND_TRIP)
    again.asked([7, 8])  # as aiortc does, with another that is missing
    assert again.in_order(1.1, packets) == order
    assert again.in_order(1.1 + REMEMBERED, packets) == packets, "for as long as packets are lost"


def test_who_asks_again_by_itself_is_not() -> None:
    again = Retransmissions()
    for numbers in ([7, 8], [8]):
        again.asked(numbers)
        again.allows(1.0, 8, PACKET, 1e6, ROUND_TRIP)
    assert again.in_order(1.1, [1, 2]) == [1, 2]


def test_a_silence_is_filled_for_a_while_where_packets_are_lost() -> None:
    again = Retransmissions()
    assert not any(again.fills(1 + n / 100, 1.0) for n in range(200))
    again.allows(1.0, 7, PACKET, 1e6, ROUND_TRIP)
    filled = [1 + n / 100 for n in range(200) if again.fills(1 + n / 100, 1.0)]
    assert filled[0] == pytest.approx(1 + SILENCE, abs=0.011)
    assert filled[-1] == pytest.approx(1 + SILENT_FOR, abs=0.011)
    assert not again.fills(REMEMBERED + 2, REMEMBERED + 1.9)
