from __future__ import annotations

import pickle

import pytest

from media_worker.retransmissions import (
    AT_ONCE,
    AT_ONCE_INTO_A_QUEUE,
    HISTORY,
    REMEMBERED,
    SHARE,
    SHARE_OF_A_FULL_LINK,
    SILENCE,
    SILENT_FOR,
    Retransmissions,
)

PACKET = 1200 * 8
ROUND_TRIP = 0.04


def retransmissions() -> Retransmissions:
    again = Retransmissions()
    again.round_trip = ROUND_TRIP
    return again


@pytest.mark.parametrize(("full", "share"), [(True, SHARE_OF_A_FULL_LINK), (False, SHARE)])
def test_retransmissions_take_a_bounded_share_of_the_link(full: bool, share: float) -> None:
    again = retransmissions()
    sent = [again.allows(10 + n / 1000, n, PACKET, 1_000_000, full=full) for n in range(10_000)]
    at_once = AT_ONCE_INTO_A_QUEUE if full else AT_ONCE
    bits = sum(sent) * PACKET
    assert bits / (10 + at_once) == pytest.approx(share * 1e6, rel=0.03), "a share each second, and what comes at once"
    assert all(sent[: 15 if full else 20]), "a keyframe's packets"


def test_a_burst_of_ten_packets_is_answered_on_the_narrowest_link() -> None:
    again = retransmissions()
    assert all(again.allows(10.0 + n / 100, n, PACKET, 150_000) for n in range(12))


def test_a_full_link_is_given_no_second_queue_of_retransmissions() -> None:
    again = retransmissions()
    sent = sum(again.allows(10.0, n, PACKET, 300_000, full=True) for n in range(17))
    assert 3 <= sent <= 0.2 * 300_000 / PACKET


def test_what_is_kept_of_a_stream_that_loses_nothing_does_not_grow() -> None:
    again = retransmissions()
    sizes = []
    for n in range(20_000):
        again.leaves(10 + n / 150, n % 65536)
        if n in (HISTORY, 19_999):
            sizes.append(len(pickle.dumps(vars(again))))
    assert sizes[1] < 1.1 * sizes[0]


def test_what_is_on_its_way_is_not_sent_again() -> None:
    again = retransmissions()
    again.leaves(1.0, 7)
    assert not again.allows(1.02, 7, PACKET, 1e6)
    assert again.allows(1.04, 7, PACKET, 1e6)
    again.leaves(1.04, 7)
    assert not again.allows(1.05, 7, PACKET, 1e6)
    assert again.allows(1.09, 7, PACKET, 1e6)
    assert again.allows(1.05, 7 + HISTORY, PACKET, 1e6), "another packet"


def test_without_loss_packets_leave_in_order() -> None:
    again = retransmissions()
    assert again.in_order(0.0, [1, 2, 3]) == [1, 2, 3]
    again.leaves(0.0, 3)
    again.asked(0.01, [3])
    again.allows(0.01, 3, PACKET, 1e6)
    assert again.in_order(0.02, [4, 5, 6]) == [4, 5, 6], "what was asked for too soon is no loss"


@pytest.mark.parametrize(("packets", "order"), [([1], [1]), ([1, 2], [2, 1]), ([1, 2, 3, 4], [1, 2, 4, 3])])
def test_who_asks_once_is_shown_a_gap_with_each_frame_while_packets_are_lost(
    packets: list[int], order: list[int]
) -> None:
    again = retransmissions()
    again.asked(1.0, [7])
    again.allows(1.0, 7, PACKET, 1e6)
    again.asked(1.0, [7, 8])  # as aiortc does, with another that is missing
    assert again.in_order(1.1, packets) == order
    assert again.in_order(1.1 + REMEMBERED, packets) == packets, "for as long as packets are lost"


def test_who_asks_again_by_itself_is_not() -> None:
    again = retransmissions()
    for numbers in ([7, 8], [8]):
        again.asked(1.0, numbers)
        again.allows(1.0, 8, PACKET, 1e6)
    assert again.in_order(1.1, [1, 2]) == [1, 2]


def test_a_silence_is_filled_for_a_while_where_packets_are_lost() -> None:
    again = retransmissions()
    assert not any(again.fills(1 + n / 100, 1.0) for n in range(200))
    again.allows(1.0, 7, PACKET, 1e6)
    filled = [1 + n / 100 for n in range(200) if again.fills(1 + n / 100, 1.0)]
    assert filled[0] == pytest.approx(1 + SILENCE, abs=0.011)
    assert filled[-1] == pytest.approx(1 + SILENT_FOR, abs=0.011)
    assert not again.fills(REMEMBERED + 2, REMEMBERED + 1.9)


def test_the_share_of_packets_missed_lately() -> None:
    again = retransmissions()
    for n in range(200):
        again.leaves(n / 100, n)
    assert again.asked(2.0, [150, 151]) == pytest.approx(2 / 100, abs=0.001)
    assert again.asked(2.0, [150, 151, 152]) == pytest.approx(3 / 100, abs=0.001), "each counts once"
    assert again.asked(2.0, [199]) == pytest.approx(3 / 100, abs=0.001), "and not what cannot have been missed"
    for n in range(200, 220):
        again.leaves(n / 100 + 2, n)
    assert again.asked(4.2, [219]) == 0, "too few packets tell nothing"
