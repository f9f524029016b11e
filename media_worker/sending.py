"""The one place where aiortc's video sender is bent: its bitrate, the size of its picture, and its keyframes are ours.

Seam: aiortc 1.16's `RTCPeerConnection` makes senders from the name `RTCRtpSender` in its module, which `install`
replaces by a subclass. It overrides `_next_encoded_frame` (one frame from track to payloads), `_handle_rtcp_packet`,
`_send_rtcp`, `_send_keyframe`, `_retransmit` and `stop`, and reads what a sender keeps for retransmissions. Senders
read the time from `aiortc.rtcrtpsender.clock`, a module-level name, which `install` replaces, too.
`tests/media_worker/test_aiortc_seams.py` fails when an upgrade changes what this relies on. aiortc itself follows REMB
only, and to the letter, makes every keyframe that is asked for, and sends again whatever is asked for.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import av
import structlog
from aiortc import RTCRtpSender, clock, rtcpeerconnection, rtcrtpsender
from aiortc.codecs.base import Encoder
from aiortc.codecs.h264 import PACKET_MAX
from aiortc.mediastreams import MediaStreamError
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtcrtpsender import RTCEncodedFrame
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTP_HISTORY_SIZE,
    AnyRtcpPacket,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpSrPacket,
    RtpPacket,
    unpack_remb_fci,
)

from media_worker.capture_clock import NTP_EPOCH
from media_worker.encoded_track import EncodedTrack
from media_worker.job_thread import JobHung, JobThread
from media_worker.measures import PictureSize
from media_worker.rate_control import RateController, Target
from protocol.messages import Quality

if TYPE_CHECKING:
    from aiortc import MediaStreamTrack
    from aiortc.rtcdtlstransport import RTCDtlsTransport

log = structlog.get_logger(__name__)

KEYFRAME_INTERVAL = 0.5
"""Seconds between keyframes that a receiver asks for: one is as large as ten other frames."""

RETRANSMITTED, BURST = 0.3, 1.0
"""Share of the bitrate that retransmissions may take beside it, and the seconds' worth of it that may come at once: a
lost keyframe, for one."""

PACKET_BITS = PACKET_MAX * 8

MOST_FAILURES = 30
"""Frames in a row that may fail to be encoded. Each next one gets a new encoder; after a second nothing will help."""

ENCODER_PATIENCE = 3.0
"""Seconds that one frame may take to be encoded: what usually takes some milliseconds hangs then."""

MOST_HANGS = 2
"""Encoders in a row that may hang, each at the price of a picture that stands still for ENCODER_PATIENCE, and of a
thread that never ends."""

REPORTS_KEPT = 8
"""Sender reports of which the time is remembered: one goes out about every second."""


class Clock:
    """In the place of aiortc's `clock`, which asks the calendar, twice a packet."""

    current_datetime = staticmethod(clock.current_datetime)

    @staticmethod
    def current_ntp_time() -> int:
        """64 bits: seconds since 1900, and their fraction (RFC 3550 §4)."""
        seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
        return (seconds + NTP_EPOCH) << 32 | (nanoseconds << 32) // 1_000_000_000


class KeyframeGate:
    """Lets requests for keyframes through at a limited rate. The last one is never forgotten, only put off."""

    def __init__(self) -> None:
        self._wanted = False
        self._made = float("-inf")

    def request(self) -> None:
        self._wanted = True

    def due(self, now: float) -> bool:
        """Whether the frame to be encoded now shall be a keyframe; then that request is done."""
        if not self._wanted or now - self._made < KEYFRAME_INTERVAL:
            return False
        self._wanted, self._made = False, now
        return True


class RetransmissionBudget:
    """Bounds what is sent twice: on a link that is full, retransmissions are what keeps it full."""

    def __init__(self) -> None:
        self._bits = 0.0
        self._filled_at = float("-inf")

    def allows(self, now: float, bitrate: float) -> bool:
        """Whether one more packet may be sent again at `now`, beside a stream of `bitrate` bit/s."""
        most = bitrate * RETRANSMITTED * BURST
        self._bits = min(most, self._bits + (now - self._filled_at) * bitrate * RETRANSMITTED)
        self._filled_at = now
        if self._bits < PACKET_BITS:
            return False
        self._bits -= PACKET_BITS
        return True


class LiveSender(RTCRtpSender):
    def __init__(self, trackOrKind: MediaStreamTrack | str, transport: RTCDtlsTransport) -> None:
        super().__init__(trackOrKind, transport)
        self.rates = RateController()
        self.wished: Callable[[], Quality] = lambda: Quality.AUTO
        """Asked before each frame: what the person prefers."""
        self.on_fault: Callable[[], None] = lambda: None
        """Called where no frame can be encoded any more, so that a frozen picture does not look alive."""
        self._failures = self._hangs = 0
        self._keyframes = KeyframeGate()
        self._retransmissions = RetransmissionBudget()
        self._live_encoder: Encoder | None = None
        self._encoding: JobThread | None = None
        self._size = PictureSize()
        self._reported: dict[int, float] = {}
        """When each sender report left, by the middle 32 bits of its NTP timestamp."""
        self._last_report: RtcpReceiverInfo | None = None

    async def _next_encoded_frame(self, codec: RTCRtpCodecParameters) -> RTCEncodedFrame | None:
        if self.kind != "video":
            return await super()._next_encoded_frame(codec)
        if isinstance(self.track, EncodedTrack):
            return await self._forward(self.track, codec)
        await self._pad(time.monotonic())
        data = await self.track.recv()
        if not self._enabled:
            return None
        if self._live_encoder is None:
            self._live_encoder = rtcrtpsender.get_encoder(codec)  # type: ignore[attr-defined]
        if isinstance(data, av.VideoFrame):
            try:
                payloads, timestamp = await self._encode(self._live_encoder, data)
            except Exception as error:  # whatever an encoder raises: aiortc would end the track, and a picture freezes
                self._do_without(error)
                return None
            self._failures = self._hangs = 0
        else:  # already encoded
            assert isinstance(data, av.Packet)
            payloads, timestamp = self._live_encoder.pack(data)
        return RTCEncodedFrame(payloads, timestamp, None) if payloads else None  # type: ignore[arg-type]

    async def _forward(self, track: EncodedTrack, codec: RTCRtpCodecParameters) -> RTCEncodedFrame:
        """A frame that is encoded for several senders. No padding: one link does not decide what is sent."""
        frame = await track.next_encoded(codec)
        track.aim(self.rates.target(time.monotonic(), frame.pixels))
        self.rates.sent(frame.bits)
        return RTCEncodedFrame(frame.payloads, frame.timestamp, None)  # type: ignore[arg-type]

    def _do_without(self, error: Exception) -> None:
        """The frame is lost; the next one begins anew, as a keyframe. Raises MediaStreamError when that never helps."""
        self._failures += 1
        self._live_encoder = None  # a new encoder's first frame is a keyframe
        if isinstance(error, JobHung):
            self._hangs += 1
            self._encoding = None
            log.error("an encoder hangs; its thread is abandoned", hangs=self._hangs)
        elif self._failures in (1, MOST_FAILURES):
            log.error("a frame could not be encoded", failures=self._failures, exc_info=error)
        if self._failures >= MOST_FAILURES or self._hangs >= MOST_HANGS:
            self.on_fault()
            raise MediaStreamError from error

    async def _encode(self, encoder: Encoder, frame: av.VideoFrame) -> tuple[list[bytes], int]:
        now = time.monotonic()
        self.rates.wish(self.wished())
        target = self.rates.target(now, frame.width * frame.height)
        self._size.is_now(target.scale)
        encoder.target_bitrate = target.bitrate  # type: ignore[attr-defined]
        keyframe = self._keyframes.due(now)
        if self._encoding is None:
            self._encoding = JobThread("encoder")
        encoded = self._encoding.run_in_time(lambda: encoder.encode(scaled(frame, target), keyframe), ENCODER_PATIENCE)
        payloads, timestamp = await encoded
        self.rates.sent(8 * sum(map(len, payloads)))
        return payloads, timestamp

    async def stop(self) -> None:
        await super().stop()
        self._size.is_now(None)
        if self._encoding:
            self._encoding.close()

    async def _pad(self, now: float) -> None:
        """Sends packets again that the receiver has, to find out whether a link carries more (RFC 4588 §5 allows it).

        Where retransmissions have no stream of their own, SRTP would take these for a replay.
        """
        bits = self.rates.padding(now)
        if not bits or not self._history or self._RTCRtpSender__rtx_payload_type is None:  # type: ignore[attr-defined]
            return
        largest = max(self._history.values(), key=lambda packet: len(packet.payload))
        size = 8 * len(largest.payload)
        for _ in range(int(bits / size)):
            self.rates.sent(size, padding=True)
            await super()._retransmit(largest.sequence_number)

    def _send_keyframe(self) -> None:
        if isinstance(self.track, EncodedTrack):
            self.track.want_keyframe()
        else:
            self._keyframes.request()

    async def _retransmit(self, sequence_number: int) -> None:
        if self._retransmissions.allows(time.monotonic(), self.rates.bitrate):
            await super()._retransmit(sequence_number)

    # --- what the receiver reports -----------------------------------------------------------------------------------
    async def _send_rtcp(self, packets: list[AnyRtcpPacket]) -> None:
        for packet in packets:
            if isinstance(packet, RtcpSrPacket):
                self._reported[_middle(packet.sender_info.ntp_timestamp)] = time.monotonic()
        while len(self._reported) > REPORTS_KEPT:
            del self._reported[next(iter(self._reported))]
        await super()._send_rtcp(packets)

    async def _handle_rtcp_packet(self, packet: AnyRtcpPacket) -> None:
        await super()._handle_rtcp_packet(packet)
        now = time.monotonic()
        if isinstance(packet, RtcpRrPacket | RtcpSrPacket):
            for report in packet.reports:
                if report.ssrc == self._ssrc:
                    loss, round_trip = report.fraction_lost / 256, self._round_trip(now, report)
                    self.rates.report(now, loss, round_trip, self._arrived_since(report))
        elif isinstance(packet, RtcpPsfbPacket) and packet.fmt == RTCP_PSFB_APP:
            self._take_remb(now, packet.fci)

    def _arrived_since(self, report: RtcpReceiverInfo) -> float | None:
        """Bits since the last report, by the sizes of those packets that are remembered."""
        before, self._last_report = self._last_report, report
        if before is None:
            return None
        expected = report.highest_sequence - before.highest_sequence
        arrived = max(0, expected - (report.packets_lost - before.packets_lost))
        numbers = ((report.highest_sequence - back) % 0x10000 for back in range(min(expected, RTP_HISTORY_SIZE)))
        remembered = [self._history.get(number % RTP_HISTORY_SIZE) for number in numbers]
        sizes = [8 * len(packet.payload) for packet in remembered if packet]
        return arrived * sum(sizes) / len(sizes) if sizes else None

    @property
    def _history(self) -> dict[int, RtpPacket]:
        """What aiortc keeps for retransmissions, by sequence number modulo RTP_HISTORY_SIZE."""
        return self._RTCRtpSender__rtp_history  # type: ignore[attr-defined, no-any-return]

    def _round_trip(self, now: float, report: RtcpReceiverInfo) -> float | None:
        """Seconds, by RFC 3550 §6.4.1: since our report left, without the time that the receiver kept it.

        None where the receiver tells of a report again: that time is old news.
        """
        left = self._reported.pop(report.lsr, None)
        return None if left is None else max(0.0, now - left - report.dlsr / 65536)

    def _take_remb(self, now: float, fci: bytes) -> None:
        try:
            bitrate, ssrcs = unpack_remb_fci(fci)
        except ValueError:
            return  # some other message of the application layer
        if self._ssrc in ssrcs:
            self.rates.remb(now, bitrate)


def _middle(ntp_timestamp: int) -> int:
    return ntp_timestamp >> 16 & 0xFFFFFFFF


def scaled(frame: av.VideoFrame, target: Target) -> av.VideoFrame:
    """The frame at the target's size, with even sides; the frame itself where that is its own."""
    if target.scale == 1:
        return frame
    width, height = (round(side * target.scale) & ~1 for side in (frame.width, frame.height))
    smaller = frame.reformat(width=max(width, 2), height=max(height, 2), interpolation="AREA")
    smaller.pts, smaller.time_base, smaller.opaque = frame.pts, frame.time_base, frame.opaque
    return smaller


def install() -> None:
    """Makes every RTCPeerConnection of this process that is created from now on send as above. Idempotent."""
    rtcpeerconnection.RTCRtpSender = LiveSender  # type: ignore[attr-defined]
    rtcrtpsender.clock = Clock  # type: ignore[assignment, attr-defined]
