from __future__ import annotations

from aiortc.rtp import RtcpReceiverInfo

from media_worker.reports import APART, APART_WITH_ROUND_TRIP, Reports


def told(highest: int, lost: int) -> RtcpReceiverInfo:
    return RtcpReceiverInfo(
        ssrc=7, fraction_lost=0, packets_lost=lost, highest_sequence=highest, jitter=0, lsr=0, dlsr=0
    )


def test_a_burst_is_judged_as_part_of_a_second() -> None:
    """A browser reports with each NACK: ten of twelve packets are lost, of the 200 of a second."""
    reports = Reports(0.0, 1000)
    heard = [reports.add(n / 30, told(1000 + 6 * n, 10 if n > 20 else 0), None) for n in range(1, 32)]
    (judged,) = filter(None, heard)
    assert judged == heard[round(30 * APART) - 1]
    assert (judged.expected, judged.arrived, judged.highest) == (181, 171, 1180)
    assert judged.loss == 10 / 181


def test_a_round_trip_is_passed_on_sooner() -> None:
    reports = Reports(0.0, 1000)
    assert reports.add(0.1, told(1010, 0), 0.3) is None
    assert reports.add(0.3, told(1020, 0), None) is None
    judged = reports.add(APART_WITH_ROUND_TRIP, told(1030, 0), None)
    assert judged is not None and judged.round_trip == 0.3
    assert reports.add(2 * APART_WITH_ROUND_TRIP, told(1060, 0), None) is None, "old news by now"
    later = reports.add(3.0, told(1130, 50), None)
    assert later is not None and (later.loss, later.round_trip, later.arrived) == (0.5, None, 50)


def test_nothing_new_and_packets_that_came_late_are_no_loss() -> None:
    reports = Reports(0.0, 1000)
    reports.add(1.0, told(1100, 8), None)
    late = reports.add(2.0, told(1200, 5), None)
    assert late is not None and late.loss == 0
    still = reports.add(3.0, told(1200, 5), None)
    assert still is not None and (still.loss, still.expected) == (0, 0)


def test_numbers_go_on_over_the_wrap() -> None:
    """Receivers count the wraps in the upper 16 bits (RFC 3550 A.1)."""
    reports = Reports(0.0, 65500)
    judged = reports.add(1.0, told(0x10000 + 63, 10), None)
    assert judged is not None and (judged.expected, judged.arrived) == (100, 90)
