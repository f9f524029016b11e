from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from fractions import Fraction

import av
import numpy as np
import pytest
from aiortc.codecs import get_decoder
from aiortc.codecs.h264 import h264_depayload
from aiortc.codecs.vpx import vp8_depayload
from aiortc.jitterbuffer import JitterFrame
from aiortc.rtcrtpparameters import RTCRtpCodecParameters

from media_worker.encoded_track import Encoded
from media_worker.outlet import Outlet
from media_worker.rate_control import Target
from media_worker.sending import KEYFRAME_INTERVAL
from media_worker.shared_encoder import JOIN_INTERVAL, JoinGate, Picture, SharedEncoder

VP8 = RTCRtpCodecParameters(mimeType="video/VP8", clockRate=90000, payloadType=97)
H264 = RTCRtpCodecParameters(mimeType="video/H264", clockRate=90000, payloadType=99)
GREY = np.full((240 * 3 // 2, 320), 128, np.uint8)


@pytest.fixture
async def encoder(request: pytest.FixtureRequest) -> AsyncIterator[SharedEncoder]:
    made = SharedEncoder(getattr(request, "param", VP8), lambda: None)
    yield made
    made.close()


async def shown(encoder: SharedEncoder, count: int, *outlets: Outlet) -> list[list[Encoded]]:
    """What each of them gets of `count` pictures."""
    got: list[list[Encoded]] = [[] for _ in outlets]
    for n in range(count):
        encoder.show(Picture(GREY, 3000 * (n + 1)))
        for outlet, kept in zip(outlets, got, strict=True):
            frame = await asyncio.wait_for(outlet.take(), 5)
            assert frame
            kept.append(frame)
    return got


@pytest.mark.parametrize("encoder", [VP8, H264], indirect=True, ids=["vp8", "h264"])
async def test_all_get_the_very_same_frames(encoder: SharedEncoder) -> None:
    first, second = await shown(encoder, 3, encoder.join(), encoder.join())
    assert all(a is b for a, b in zip(first, second, strict=True))
    assert [frame.keyframe for frame in first] == [True, False, False]
    assert [frame.timestamp for frame in first] == [3000, 6000, 9000]


@pytest.mark.parametrize(("codec", "depayload"), [(VP8, vp8_depayload), (H264, h264_depayload)])
async def test_who_joins_late_can_decode_what_comes_first(
    codec: RTCRtpCodecParameters, depayload: Callable[[bytes], bytes]
) -> None:
    encoder = SharedEncoder(codec, lambda: None)
    try:
        await shown(encoder, 2, encoder.join())
        await asyncio.sleep(JOIN_INTERVAL)
        late = encoder.join()
        encoder.show(Picture(GREY, 60_000))
        frame = await asyncio.wait_for(late.take(), 5)
        assert frame and frame.keyframe
        data = b"".join(map(depayload, frame.payloads))
        (picture,) = get_decoder(codec).decode(JitterFrame(data, frame.timestamp))
        assert isinstance(picture, av.VideoFrame) and picture.width == 320
    finally:
        encoder.close()


async def test_the_upper_median_of_links_decides(encoder: SharedEncoder) -> None:
    for bitrate in (200_000, 300_000, 2_000_000):
        encoder.join().target = Target(bitrate, Fraction(1))
    assert encoder._target().bitrate == 300_000
    encoder.join().target = Target(2_500_000, Fraction(1))
    assert encoder._target().bitrate == 2_000_000


async def test_a_picture_for_smaller_links_is_smaller(encoder: SharedEncoder) -> None:
    viewer = encoder.join()
    viewer.target = Target(200_000, Fraction(1, 2))
    ((frame,),) = await shown(encoder, 1, viewer)
    (picture,) = get_decoder(VP8).decode(JitterFrame(b"".join(map(vp8_depayload, frame.payloads)), 0))
    assert isinstance(picture, av.VideoFrame)
    assert (picture.width, frame.pixels) == (160, 320 * 240)


async def test_closing_lets_everybody_go() -> None:
    encoder = SharedEncoder(VP8, lambda: None)
    viewer = encoder.join()
    encoder.close()
    assert await viewer.take() is None
    assert encoder.outlets == 0


async def test_a_fault_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = asyncio.Event()
    encoder = SharedEncoder(VP8, failed.set)
    monkeypatch.setattr(encoder, "_encode", lambda *_: 1 / 0)
    encoder.show(Picture(GREY, 0))
    await asyncio.wait_for(failed.wait(), 5)
    encoder.close()


def test_requests_are_coalesced_and_limited_but_who_joins_hardly_waits() -> None:
    gate = JoinGate()
    made = []
    for n in range(300):
        now = n / 100
        if now < 1.8 * KEYFRAME_INTERVAL:
            gate.request()  # as eight viewers that lose packets all the time
        if n == 215:
            gate.request()
        if n in (250, 252):
            gate.join()
        if gate.due(now):
            made.append(now)
    every = KEYFRAME_INTERVAL
    assert made == pytest.approx([0, every, 2 * every, 2.15, 2.5, 2.5 + JOIN_INTERVAL], abs=0.02)
