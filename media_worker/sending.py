"""The one place where aiortc's video sender is bent: its bitrate, the size of its picture, and its keyframes are ours.

Seam: aiortc 1.16's `RTCPeerConnection` makes senders from the name `RTCRtpSender` in its module, which `install`
replaces by a subclass. It overrides `_run_rtp` (from frames to packets), `_next_encoded_frame` (one frame from track
to payloads), `_handle_rtcp_packet`, `_send_rtcp`, `_send_keyframe`, `_retransmit`, `send` and `stop`. Senders read the
time from `aiortc.rtcrtpsender.clock`, and how much they keep for retransmissions from `RTP_HISTORY_SIZE` there,
module-level names which `install` replaces, too.
`tests/media_worker/test_aiortc_seams.py` fails when an upgrade changes what this relies on. aiortc itself follows REMB
only, and to the letter, makes every keyframe that is asked for, and sends again whatever is asked for.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import av
import structlog
from aiortc import RTCRtpSender, clock, rtcpeerconnection, rtcrtpsender
from aiortc.codecs.base import Encoder
from aiortc.mediastreams import MediaStreamError
from aiortc.rtcrtpparameters import RTCRtpCodecParameters, RTCRtpSendParameters
from aiortc.rtcrtpsender import RTCEncodedFrame
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_RTPFB_NACK,
    AnyRtcpPacket,
    HeaderExtensionsMap,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSenderInfo,
    RtcpSrPacket,
    RtpPacket,
    unpack_remb_fci,
)
from aiortc.utils import random32, uint16_add, uint32_add

from media_worker.capture_clock import NTP_EPOCH
from media_worker.encoded_track import EncodedTrack
from media_worker.job_thread import JobHung, JobThread
from media_worker.measures import PictureSize
from media_worker.payloads import opens_keyframe
from media_worker.rate_control import Least, RateController, Target
from media_worker.reports import Heard, Reports
from media_worker.retransmissions import HISTORY, Retransmissions
from protocol.messages import Quality

if TYPE_CHECKING:
    from aiortc import MediaStreamTrack
    from aiortc.rtcdtlstransport import RTCDtlsTransport

log = structlog.get_logger(__name__)

KEYFRAME_INTERVAL = 0.3
"""Seconds between keyframes that a receiver asks for, as in libwebrtc: one is as large as ten other frames."""

LOOK_EVERY = 0.02
"""Seconds between two looks for a silence."""

LEAST_APART, PACKET_BITS = 0.005, 1200 * 8
"""Seconds between two packets that fill a silence, at least; and about the bits of one."""

PADDING_OF = 32
"""Newest packets from which padding is taken. One that is over 100 behind, aiortc's receiver takes for the first of a
new stream, and its picture stands still until 512 more are there: up to 17 s."""

ARRIVES_WITHIN = 1.5
"""Round trips in which a keyframe surely arrives."""

NO_TRACK = 0.02
"""Seconds between two looks for a track, as in aiortc."""

MOST_FAILURES = 30
"""Frames in a row that may fail to be encoded. Each next one gets a new encoder; after a second nothing will help."""

ENCODER_PATIENCE = 3.0
"""Seconds that one frame may take to be encoded: what usually takes some milliseconds hangs then."""

MOST_HANGS = 2
"""Encoders in a row that may hang, each at the price of a picture that stands still for ENCODER_PATIENCE, and of a
thread that never ends."""

REPORTS_APART, REPORTS_KEPT = 0.25, 16
"""Seconds between two sender reports, and those of which the time is remembered. A receiver's report tells the round
trip since the last one that it had: aiortc's, one a second, would tell of a queue as it was two seconds ago."""


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

    def due(self, now: float, round_trip: float = 0.0) -> bool:
        """Whether the frame to be encoded now shall be a keyframe; then that request is done. One that is still on its
        way, as a queue makes the round trip long, is not made again."""
        if not self._wanted or now - self._made < max(KEYFRAME_INTERVAL, ARRIVES_WITHIN * round_trip):
            return False
        self.made(now)
        return True

    def made(self, now: float) -> None:
        """A keyframe is made, for this reason or another."""
        self._wanted, self._made = False, now


class LiveSender(RTCRtpSender):
    # The names of aiortc's private attributes, as Python writes them.
    _RTCRtpSender__mid: str
    _RTCRtpSender__ntp_timestamp: int
    _RTCRtpSender__octet_count: int
    _RTCRtpSender__packet_count: int
    _RTCRtpSender__rtp_header_extensions_map: HeaderExtensionsMap
    _RTCRtpSender__rtp_history: dict[int, RtpPacket]
    _RTCRtpSender__rtp_exited: asyncio.Event
    _RTCRtpSender__rtp_started: asyncio.Event
    _RTCRtpSender__rtp_timestamp: int
    _RTCRtpSender__rtx_payload_type: int | None

    def __init__(self, trackOrKind: MediaStreamTrack | str, transport: RTCDtlsTransport) -> None:
        super().__init__(trackOrKind, transport)
        self.rates = RateController()
        self.wished: Callable[[], Quality] = lambda: Quality.AUTO
        """Asked before each frame: what the person prefers."""
        self.on_fault: Callable[[], None] = lambda: None
        """Called where no frame can be encoded any more, so that a frozen picture does not look alive."""
        self._failures = self._hangs = 0
        self._keyframes = KeyframeGate()
        self._retransmissions = Retransmissions()
        self._shortest = Least()
        self._filling: asyncio.Task[None] | None = None
        self._frame_left_at = float("-inf")
        self._sequence_number = rtcrtpsender.random_sequence_number()
        self._live_encoder: Encoder | None = None
        self._encoding: JobThread | None = None
        self._size = PictureSize()
        self._reported: dict[int, float] = {}
        """When each sender report left, by the middle 32 bits of its NTP timestamp."""
        self._report_left_at = float("-inf")
        self._reports = Reports(time.monotonic(), self._sequence_number)

    async def _run_rtp(self, codec: RTCRtpCodecParameters) -> None:
        """As aiortc's, but a frame's packets are all made before the first one leaves, so that their order is ours."""
        if self.kind != "video":
            return await super()._run_rtp(codec)
        self._RTCRtpSender__rtp_started.set()
        origin = random32()
        try:
            while True:
                if not self.track:
                    await asyncio.sleep(NO_TRACK)
                elif frame := await self._next_encoded_frame(codec):
                    await self._send_frame(self._packets(codec, frame, uint32_add(origin, frame.timestamp)))
        except (asyncio.CancelledError, ConnectionError, MediaStreamError):
            pass
        except Exception:  # `stop` waits for the event below, whatever happens
            log.exception("a frame could not be sent")
        if self.track:
            self.track.stop()
            self.replaceTrack(None)
        self._live_encoder = None
        self._RTCRtpSender__rtp_exited.set()

    def _packets(self, codec: RTCRtpCodecParameters, frame: RTCEncodedFrame, timestamp: int) -> list[RtpPacket]:
        assert codec.payloadType is not None
        made = []
        for payload in frame.payloads:
            packet = RtpPacket(codec.payloadType, 0, self._sequence_number, timestamp, self._ssrc, payload)
            packet.extensions.abs_send_time = Clock.current_ntp_time() >> 14 & 0x00FFFFFF
            packet.extensions.mid = self._RTCRtpSender__mid
            self._history[packet.sequence_number % HISTORY] = packet
            self._sequence_number = uint16_add(self._sequence_number, 1)
            made.append(packet)
        made[-1].marker = 1
        return made

    async def _send_frame(self, packets: list[RtpPacket]) -> None:
        now = time.monotonic()
        for packet in self._retransmissions.in_order(now, packets):
            self._retransmissions.leaves(now, packet.sequence_number)
            await self.transport._send_rtp(packet.serialize(self._RTCRtpSender__rtp_header_extensions_map))
            self._RTCRtpSender__octet_count += len(packet.payload)
            self._RTCRtpSender__packet_count += 1
        self._frame_left_at = now
        self._RTCRtpSender__ntp_timestamp = Clock.current_ntp_time()
        self._RTCRtpSender__rtp_timestamp = packets[0].timestamp
        if now - self._report_left_at >= REPORTS_APART:
            await self._send_rtcp([self._sender_report()])

    def _sender_report(self) -> RtcpSrPacket:
        info = RtcpSenderInfo(
            self._RTCRtpSender__ntp_timestamp,
            self._RTCRtpSender__rtp_timestamp,
            self._RTCRtpSender__packet_count & 0xFFFFFFFF,
            self._RTCRtpSender__octet_count & 0xFFFFFFFF,
        )
        return RtcpSrPacket(self._ssrc, info)

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
                payloads, timestamp = await self._encode(codec, self._live_encoder, data)
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

    async def _encode(
        self, codec: RTCRtpCodecParameters, encoder: Encoder, frame: av.VideoFrame
    ) -> tuple[list[bytes], int]:
        now = time.monotonic()
        self.rates.wish(self.wished())
        target = self.rates.target(now, frame.width * frame.height)
        self._size.is_now(target.scale)
        encoder.target_bitrate = target.bitrate  # type: ignore[attr-defined]
        keyframe = self._keyframes.due(now, self.rates.round_trip)
        if self._encoding is None:
            self._encoding = JobThread("encoder")
        encoded = self._encoding.run_in_time(lambda: encoder.encode(scaled(frame, target), keyframe), ENCODER_PATIENCE)
        payloads, timestamp = await encoded
        if payloads and opens_keyframe(codec, payloads[0]):
            self._keyframes.made(now)
        self.rates.sent(8 * sum(map(len, payloads)))
        return payloads, timestamp

    async def send(self, parameters: RTCRtpSendParameters) -> None:
        await super().send(parameters)
        if self.kind == "video" and self._filling is None:
            self._filling = asyncio.create_task(self._fill_silence())

    async def stop(self) -> None:
        if self._filling:
            self._filling.cancel()
            await asyncio.gather(self._filling, return_exceptions=True)
        await super().stop()
        self._size.is_now(None)
        if self._encoding:
            self._encoding.close()

    async def _pad(self, now: float) -> None:
        """Sends packets again that the receiver has (RFC 4588 §5 allows it), to find out whether more gets through."""
        bits = self.rates.padding(now)
        if not bits or not self._has_own_stream:
            return
        newest = ((self._sequence_number - back) % HISTORY for back in range(1, PADDING_OF + 1))
        recent = [self._history[number] for number in newest if number in self._history]
        if not recent:
            return
        largest = max(recent, key=lambda packet: len(packet.payload))
        size = 8 * len(largest.payload)
        for _ in range(int(bits / size)):
            self.rates.sent(size, padding=True)
            await super()._retransmit(largest.sequence_number)

    @property
    def _history(self) -> dict[int, RtpPacket]:
        """What may be sent again, by sequence number modulo HISTORY."""
        return self._RTCRtpSender__rtp_history

    async def _fill_silence(self) -> None:
        """About as many packets as the stream would have, if there were frames."""
        while True:
            newest = self._history.get((self._sequence_number - 1) % HISTORY)
            if newest and self._has_own_stream and self._retransmissions.fills(time.monotonic(), self._frame_left_at):
                self.rates.sent(8 * len(newest.payload), padding=True)
                with suppress(ConnectionError):
                    await super()._retransmit(newest.sequence_number)
                await asyncio.sleep(max(LEAST_APART, PACKET_BITS / self.rates.bitrate))
            else:
                await asyncio.sleep(LOOK_EVERY)

    @property
    def _has_own_stream(self) -> bool:
        """Whether retransmissions do (RFC 4588). Where not, SRTP would take what the receiver has for a replay."""
        return self._RTCRtpSender__rtx_payload_type is not None

    def _send_keyframe(self) -> None:
        if isinstance(self.track, EncodedTrack):
            self.track.want_keyframe()
        else:
            self._keyframes.request()

    async def _retransmit(self, sequence_number: int) -> None:
        packet = self._history.get(sequence_number % HISTORY)
        if packet is None or packet.sequence_number != sequence_number:
            return
        now, bits = time.monotonic(), 8 * len(packet.payload)
        full = self.rates.may_be_full(now)
        if self._retransmissions.allows(now, sequence_number, bits, self.rates.bitrate, full=full):
            self._retransmissions.leaves(now, sequence_number)
            self.rates.sent_again(bits)
            await super()._retransmit(sequence_number)

    # --- what the receiver reports -----------------------------------------------------------------------------------
    async def _send_rtcp(self, packets: list[AnyRtcpPacket]) -> None:
        for packet in packets:
            if isinstance(packet, RtcpSrPacket):
                self._report_left_at = time.monotonic()
                self._reported[_middle(packet.sender_info.ntp_timestamp)] = self._report_left_at
        while len(self._reported) > REPORTS_KEPT:
            del self._reported[next(iter(self._reported))]
        await super()._send_rtcp(packets)

    async def _handle_rtcp_packet(self, packet: AnyRtcpPacket) -> None:
        if isinstance(packet, RtcpRtpfbPacket) and packet.fmt == RTCP_RTPFB_NACK:
            now = time.monotonic()
            self.rates.missed(now, self._retransmissions.asked(now, packet.lost))
        await super()._handle_rtcp_packet(packet)
        now = time.monotonic()
        if isinstance(packet, RtcpRrPacket | RtcpSrPacket):
            for report in packet.reports:
                if report.ssrc == self._ssrc:
                    heard = self._reports.add(now, report, self._round_trip(now, report))
                    if heard:
                        self.rates.report(now, heard.loss, heard.round_trip, self._bits_of(heard))
        elif isinstance(packet, RtcpPsfbPacket) and packet.fmt == RTCP_PSFB_APP:
            self._take_remb(now, packet.fci)

    def _bits_of(self, heard: Heard) -> float | None:
        """Of the packets that arrived, by the sizes of those that are remembered."""
        numbers = ((heard.highest - back) % 0x10000 for back in range(min(heard.expected, HISTORY)))
        remembered = [self._history.get(number % HISTORY) for number in numbers]
        sizes = [8 * len(packet.payload) for packet in remembered if packet]
        return heard.arrived * sum(sizes) / len(sizes) if sizes else None

    def _round_trip(self, now: float, report: RtcpReceiverInfo) -> float | None:
        """Seconds, by RFC 3550 §6.4.1: since our report left, without the time that the receiver kept it.

        None where the receiver tells of a report again: that time is old news.
        """
        left = self._reported.pop(report.lsr, None)
        if left is None:
            return None
        round_trip = max(0.0, now - left - report.dlsr / 65536)
        self._retransmissions.round_trip = self._shortest.of(now, round_trip)
        return round_trip

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
    vars(rtcrtpsender)["RTP_HISTORY_SIZE"] = HISTORY
    rtcrtpsender.clock = Clock  # type: ignore[assignment, attr-defined]
