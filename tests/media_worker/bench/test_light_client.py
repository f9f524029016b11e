from __future__ import annotations

import asyncio
from functools import partial

import pytest
from aiohttp.test_utils import TestServer
from aiortc.codecs import get_encoder
from aiortc.codecs.base import Encoder
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtp import RTCP_PSFB_APP, RtcpPacket, RtcpPsfbPacket, RtcpRrPacket, RtpPacket, unpack_remb_fci

from media_worker.bench import camera, echo
from media_worker.bench.camera import FPS
from media_worker.bench.film import BITRATE, TICKS, Film, encode
from media_worker.bench.hub import echo_offer
from media_worker.bench.light_client import LightClient, Meter

ORIGIN = (1 << 32) - 10 * TICKS
"""Of the returned timestamps: they wrap after ten frames."""


@pytest.fixture(scope="module")
def clips() -> dict[str, list[bytes]]:
    """Two seconds of the drawn hand in both codecs."""
    frames = [rgb for rgb, _ in zip(camera.numbered(None), range(2 * FPS), strict=False)]
    return {codec: encode(frames, codec) for codec in ("h264", "vp8")}


def encoder_of(codec: str) -> Encoder:
    return get_encoder(RTCRtpCodecParameters(mimeType=f"video/{codec.upper()}", clockRate=90000, payloadType=96))


class Server:
    """Sends a film's frames back as they are, from timestamps of its own."""

    def __init__(self, codec: str, film: Film, meter: Meter) -> None:
        self._encoder, self._film, self._meter = encoder_of(codec), film, meter
        self._sequence = 65530

    async def pass_on(self, *, lost: bool = False, behind: int = 0) -> None:
        """One frame. `behind`: so many further ones are sent before it is back, and are lost."""
        payloads, timestamp = self._encoder.pack(await self._film.recv())
        for _ in range(behind):
            await self._film.recv()
        if lost:
            return
        for index, payload in enumerate(payloads):
            marker = int(index == len(payloads) - 1)
            stamp = (timestamp + ORIGIN) % (1 << 32)
            packet = RtpPacket(96, marker, self._sequence, stamp, ssrc=77, payload=payload)
            self._sequence = (self._sequence + 1) % (1 << 16)
            await self._meter.take(packet, arrival_time_ms=0)


def is_keyframe(codec: str, data: bytes) -> bool:
    """An IDR slice (H.264, 7.3.1), or the inverse flag of a VP8 frame tag (RFC 6386, 9.1)."""
    return b"\0\0\1\x65" in data if codec == "h264" else data[0] & 1 == 0


def test_every_frame_is_a_packet_and_a_keyframe_is_never_far(clips: dict[str, list[bytes]]) -> None:
    for codec, packets in clips.items():
        assert len(packets) == 2 * FPS
        assert [number for number, data in enumerate(packets) if is_keyframe(codec, data)] == [0, FPS]
        assert sum(map(len, packets)) * 8 / 2 < 1.5 * BITRATE


@pytest.mark.parametrize("codec", ["h264", "vp8"])
async def test_frames_are_told_by_their_timestamps(clips: dict[str, list[bytes]], codec: str) -> None:
    film = Film(clips[codec], 0)
    meter = Meter(codec, film, len(clips[codec]))
    server = Server(codec, film, meter)
    for number in range(25):
        await server.pass_on(lost=number in (7, 12))
    assert len(meter.came_back) == 25 - 1 - 2, "the first tells where timestamps start, two were lost"
    assert all(0 <= lag < 0.5 for _, lag in meter.came_back)
    sent = [at - lag for at, lag in meter.came_back]
    assert sent == pytest.approx([film.sent_at[number] for number in range(1, 25) if number not in (7, 12)])


async def test_a_first_picture_that_takes_longer_than_the_clip_spoils_nothing(clips: dict[str, list[bytes]]) -> None:
    """As of a server that loads its networks on a busy machine."""
    film = Film(clips["vp8"][:8], 0)
    meter = Meter("vp8", film, 8)
    server = Server("vp8", film, meter)
    await server.pass_on(behind=19)
    for _ in range(10):
        await server.pass_on()
    sent = [at - lag for at, lag in meter.came_back]
    assert sent == pytest.approx(film.sent_at[20:])


async def test_reports_say_what_a_browser_on_a_good_line_would(clips: dict[str, list[bytes]]) -> None:
    film = Film(clips["vp8"], 0)
    meter = Meter("vp8", film, len(clips["vp8"]))
    assert meter.reports(5) == []
    await Server("vp8", film, meter).pass_on()
    receiver_report, remb = (RtcpPacket.parse(report)[0] for report in meter.reports(5))
    assert isinstance(receiver_report, RtcpRrPacket)
    assert (receiver_report.reports[0].ssrc, receiver_report.reports[0].packets_lost) == (77, 0)
    assert isinstance(remb, RtcpPsfbPacket)
    assert remb.fmt == RTCP_PSFB_APP
    rate, sources = unpack_remb_fci(remb.fci)
    assert sources == [77]
    assert rate == pytest.approx(BITRATE, rel=0.001)


@pytest.mark.media
@pytest.mark.parametrize("codec", ["h264", "vp8"])
async def test_the_stock_echo_answers_a_light_client(clips: dict[str, list[bytes]], codec: str) -> None:
    server = TestServer(echo.application())
    await server.start_server()
    client = LightClient(clips[codec], codec, 0)
    try:
        await client.connect(partial(echo_offer, str(server.make_url("")).rstrip("/")))
        async with asyncio.timeout(15):
            while len(client.meter.came_back) < 15:
                await asyncio.sleep(0.05)
        assert all(0 < lag < 2 for _, lag in client.meter.came_back)
    finally:
        await client.close()
        await server.close()
