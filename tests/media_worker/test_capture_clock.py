from __future__ import annotations

import pytest
from aiortc.rtp import RtcpSenderInfo

from media_worker.capture_clock import NTP_EPOCH, CaptureClock


def report(unix: float, rtp_timestamp: int) -> RtcpSenderInfo:
    ntp = int((unix + NTP_EPOCH) * (1 << 32)) if unix else 0
    return RtcpSenderInfo(ntp_timestamp=ntp, rtp_timestamp=rtp_timestamp, packet_count=0, octet_count=0)


def test_time_passes_by_the_rtp_clock_from_the_last_report_on() -> None:
    clock = CaptureClock()
    clock.note(report(1_700_000_000.0, 5_000))
    assert clock.captured_at(5_000) == pytest.approx(1_700_000_000.0)
    assert clock.captured_at(5_000 + 3_000) == pytest.approx(1_700_000_000.0 + 1 / 30, abs=1e-4)
    assert clock.captured_at(2_000) == pytest.approx(1_700_000_000.0 - 1 / 30, abs=1e-4)
    clock.note(report(1_700_000_001.5, 95_000))
    assert clock.captured_at(95_000) == pytest.approx(1_700_000_001.5)


def test_timestamps_wrap_at_32_bits() -> None:
    clock = CaptureClock()
    clock.note(report(1_000.0, 2**32 - 45_000))
    assert clock.captured_at(45_000) == pytest.approx(1_001.0)
    clock.note(report(1_000.0, 45_000))
    assert clock.captured_at(2**32 - 45_000) == pytest.approx(999.0)


def test_nothing_is_told_without_a_report_that_fits() -> None:
    clock = CaptureClock()
    assert clock.captured_at(0) is None
    clock.note(report(0, 0))
    assert clock.captured_at(0) is None, "a sender without a wall clock says zero (RFC 3550 §6.4.1)"
    clock.note(report(1_000.0, 0))
    assert clock.captured_at(None) is None
    assert clock.captured_at(60 * 90_000) is None, "of another stream, or a sender that fell silent"
