"""When a frame was captured, by the sender's own clock, from its RTP timestamp.

A sender report (RTCP SR, RFC 3550 §6.4.1) names one moment twice: as wall time of the sender, and on the clock that its
RTP timestamps count. A browser that gets its own capture time back needs no synchronised clocks to tell latency.

Seam: aiortc 1.16 keeps of sender reports only the wall time, so its receiver's `_handle_rtcp_packet`, which the
transport calls, is listened to. `tests/media_worker/test_aiortc_seams.py` watches it.
"""

from __future__ import annotations

from aiortc import RTCRtpReceiver
from aiortc.rtp import AnyRtcpPacket, RtcpSenderInfo, RtcpSrPacket

RTP_CLOCK = 90_000
"""Hz, of all video."""

NTP_EPOCH = 2_208_988_800
"""Seconds from 1900, where NTP begins, to 1970 (RFC 868)."""

TRUSTED = 30
"""Seconds from the last report within which it is believed: reports come every one or two."""


class CaptureClock:
    """One incoming track's."""

    def __init__(self) -> None:
        self._report: RtcpSenderInfo | None = None

    def listen(self, receiver: RTCRtpReceiver) -> None:
        """Hears the sender reports for a receiver, from now on."""
        handle = receiver._handle_rtcp_packet

        async def heard(packet: AnyRtcpPacket) -> None:
            if isinstance(packet, RtcpSrPacket):
                self.note(packet.sender_info)
            await handle(packet)

        receiver._handle_rtcp_packet = heard  # type: ignore[method-assign]

    def note(self, report: RtcpSenderInfo) -> None:
        """A sender report came. A report without wall time (RFC 3550: zero) tells nothing."""
        if report.ntp_timestamp:
            self._report = report

    def captured_at(self, rtp_timestamp: int | None) -> float | None:
        """Unix seconds by the sender's clock of a frame with this timestamp, 32 bits as in its packets; None before
        the first report and for frames without one."""
        if self._report is None or rtp_timestamp is None:
            return None
        ticks = (rtp_timestamp - self._report.rtp_timestamp + (1 << 31)) % (1 << 32) - (1 << 31)
        seconds = ticks / RTP_CLOCK
        if abs(seconds) > TRUSTED:
            return None
        return self._report.ntp_timestamp / (1 << 32) - NTP_EPOCH + seconds
