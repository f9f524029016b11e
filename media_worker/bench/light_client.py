"""A WebRTC client that is as light as Python allows: sends packets that are ready, and only counts what comes back.

Seam: an RTCDtlsTransport of aiortc 1.16 hands each packet to its receiver's `_handle_rtp_packet`, and that is where
`Meter` sits instead: no jitter buffer, no decoder. `tests/media_worker/test_aiortc_seams.py` watches it.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import av
import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpReceiver, RTCRtpSender, RTCSessionDescription
from aiortc.codecs import depayload, get_decoder
from aiortc.jitterbuffer import JitterFrame
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtcrtpreceiver import StreamStatistics
from aiortc.rtp import RTCP_PSFB_APP, RtcpPsfbPacket, RtcpReceiverInfo, RtcpRrPacket, RtpPacket, pack_remb_fci

from media_worker import frame_code
from media_worker.bench.film import BITRATE, TICKS, Film
from media_worker.bench.hub import Offer
from media_worker.vision.arrays import Pixels

REPORT_EVERY = 1.0
"""Seconds between receiver reports, about as often as browsers send them."""


class Meter:
    """Takes a receiver's packets: when did which frame come back whole?

    The server starts the timestamps of its pictures anywhere, but keeps their distances. So the first pictures are
    decoded until the number in one can be read; from then on a timestamp tells which frame it is. That number repeats
    with each loop of the clip: where the first picture takes longer than a loop, it is taken for one of a later loop,
    until one comes back that was not sent yet.
    """

    def __init__(
        self, codec: str, film: Film, clip_length: int, on_picture: Callable[[int, Pixels], None] | None = None
    ) -> None:
        """`on_picture` is given each picture, uint8 (H, W, 3), and its number in the clip; that costs decoding it."""
        self._on_picture = on_picture
        self._film, self._clip_length = film, clip_length
        self._codec = RTCRtpCodecParameters(mimeType=f"video/{codec.upper()}", clockRate=90000, payloadType=0)
        self._decoder = get_decoder(self._codec)
        self._payload = b""
        self._origin: int | None = None
        self._statistics = StreamStatistics(90000)
        self._source: int | None = None
        self.came_back: list[tuple[float, float]] = []
        """Of each frame: when its last packet came, and the seconds since it was sent."""

    async def take(self, packet: RtpPacket, arrival_time_ms: int) -> None:
        """In the place of `RTCRtpReceiver._handle_rtp_packet`."""
        self._source = packet.ssrc
        self._statistics.add(packet)
        origin = self._origin
        if origin is None or self._on_picture:
            self._decode(packet)
        if origin is not None and packet.marker:
            number = ((packet.timestamp - origin) % (1 << 32)) // TICKS
            if len(self._film.sent_at) <= number < (1 << 31) // TICKS:  # beyond, it is older than the origin
                number = self._newest_like(number)
                self._origin = packet.timestamp - number * TICKS
            if number < len(self._film.sent_at):
                now = time.perf_counter()
                self.came_back.append((now, now - self._film.sent_at[number]))

    def _newest_like(self, number: int) -> int:
        """The newest frame that was sent and shows the same number."""
        newest = len(self._film.sent_at) - 1
        return newest - (newest - number) % self._clip_length

    def _decode(self, packet: RtpPacket) -> None:
        with suppress(ValueError):  # padding and probes
            self._payload += depayload(self._codec, packet.payload)
        if not packet.marker:
            return
        for picture in self._decoder.decode(JitterFrame(self._payload, packet.timestamp)):
            assert isinstance(picture, av.VideoFrame)
            rgb = picture.to_ndarray(format="rgb24").astype(np.uint8, copy=False)
            shown = frame_code.read(rgb)
            if shown is not None:
                self._origin = packet.timestamp - self._newest_like(shown) * TICKS
                if self._on_picture:
                    self._on_picture(shown, rgb)
        self._payload = b""

    def reports(self, ours: int) -> list[bytes]:
        """RTCP as a browser on a good line sends it: nothing lost, and room for BITRATE. Empty before any packet."""
        if self._source is None:
            return []
        statistics = self._statistics
        info = RtcpReceiverInfo(
            ssrc=self._source,
            fraction_lost=statistics.fraction_lost,
            packets_lost=statistics.packets_lost,
            highest_sequence=statistics.max_seq or 0,
            jitter=statistics.jitter,
            lsr=0,
            dlsr=0,
        )
        room = pack_remb_fci(BITRATE, [self._source])
        remb = RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=ours, media_ssrc=0, fci=room)
        return [bytes(RtcpRrPacket(ssrc=ours, reports=[info])), bytes(remb)]


class LightClient:
    """One stream. `connect`, then read `film.sent_at` and `meter.came_back`; `close` ends it."""

    def __init__(
        self,
        packets: list[bytes],
        codec: str,
        phase: float,
        configuration: RTCConfiguration | None = None,
        on_picture: Callable[[int, Pixels], None] | None = None,
    ) -> None:
        self.film = Film(packets, phase)
        self.meter = Meter(codec, self.film, len(packets), on_picture)
        self._connection = RTCPeerConnection(configuration or RTCConfiguration(iceServers=[]))
        self._connection.addTrack(self.film)
        wanted = [each for each in RTCRtpSender.getCapabilities("video").codecs if codec.upper() in each.mimeType]
        (transceiver,) = self._connection.getTransceivers()
        transceiver.setCodecPreferences(wanted)
        self._receiver = transceiver.receiver
        put_meter(self._receiver, self.meter)
        self._connection.createDataChannel("tryon")  # as every page does; what comes there is not looked at
        self._reporting: asyncio.Task[None] | None = None

    async def connect(self, offer: Offer) -> None:
        await self._connection.setLocalDescription(await self._connection.createOffer())
        answer = await offer(self._connection.localDescription.sdp)
        await self._connection.setRemoteDescription(RTCSessionDescription(sdp=answer, type="answer"))
        self._reporting = asyncio.create_task(self._report())

    async def _report(self) -> None:
        ours = secrets.randbits(32)
        while True:
            await asyncio.sleep(REPORT_EVERY)
            for report in self.meter.reports(ours):
                with suppress(ConnectionError):  # not connected yet, or not any more
                    await self._receiver.transport._send_rtp(report)

    async def close(self) -> None:
        if self._reporting:
            self._reporting.cancel()
            await asyncio.gather(self._reporting, return_exceptions=True)
        self.film.stop()
        await self._connection.close()


def put_meter(receiver: RTCRtpReceiver, meter: Meter) -> None:
    """From now on the receiver's packets go to the meter alone."""
    replaced: Any = receiver
    replaced._handle_rtp_packet = meter.take
