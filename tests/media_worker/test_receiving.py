from __future__ import annotations

import asyncio
import fractions
import queue
import random
import threading
from collections.abc import Callable

import av
import psutil
import pytest
import structlog
from aiortc.codecs import depayload
from aiortc.jitterbuffer import JitterBuffer as AiortcJitterBuffer
from aiortc.jitterbuffer import JitterFrame
from aiortc.rate import BandwidthUsage, RemoteBitrateEstimator
from aiortc.rtcrtpparameters import RTCRtpCodecParameters

from media_worker import codecs, jitter, receiving, stage_times
from tests.media_worker.packets import H264, TICKS, VP8, Receiver, clip, encoded


def test_the_uplink_recovers_within_seconds_and_is_never_starved() -> None:
    control = receiving.LiveRateControl()
    control.set_estimate(300_000, 0)

    estimate = None
    for now in range(500, 5500, 500):
        estimate = control.update(BandwidthUsage.NORMAL, control.current_bitrate, now)
    assert estimate is not None
    assert estimate > 900_000
    for now in range(6000, 8000, 500):
        estimate = control.update(BandwidthUsage.OVERUSING, 20_000, now)
    assert estimate == receiving.UPLINK_FLOOR


def test_the_uplink_is_not_invited_to_send_more_than_is_taken() -> None:
    control = receiving.LiveRateControl()
    control.set_estimate(3_000_000, 0)
    for now in range(500, 20_000, 500):
        estimate = control.update(BandwidthUsage.NORMAL, control.current_bitrate, now)
    assert estimate == receiving.UPLINK_CEILING


def test_an_estimate_follows_what_came_through_when_a_link_is_overused() -> None:

    control = receiving.LiveRateControl()
    control.set_estimate(2_000_000, 0)
    assert control.update(BandwidthUsage.OVERUSING, 1_000_000, 500) == 850_000


def test_estimates_are_those_of_aiortc() -> None:
    """Ours count and remember in a cheaper way; pauses, bursts and packets that come too late included."""
    chance = random.Random(5)
    ours, theirs = receiving.LiveBitrateEstimator(), RemoteBitrateEstimator()
    theirs.rate_control = receiving.LiveRateControl()
    told = []
    sent, arrived = 0.0, 10_000.0
    for number in range(4000):
        sent += chance.choice((0.2, 0.2, 1, 25)) if number % 500 else 2500
        arrived = max(arrived, 10_000 + sent) + chance.choice((0, 0, 1, 30))
        packet = (round(arrived), round(sent * 262.144) % (1 << 24), chance.randrange(200, 1200), 7)
        told.append(ours.add(*packet))
        assert told[-1] == theirs.add(*packet)
        assert ours.estimator.offset() == theirs.estimator.offset()
    assert len({estimate for each in told if each for estimate in each[:1]}) > 20


def test_a_clock_that_is_set_back_neither_piles_packets_up_nor_ends_the_estimate() -> None:
    counter = receiving.RateCounter()
    for now in range(70_000, 75_000, 10):
        counter.add(1000, now)
    for now in range(10_000, 40_000, 10):
        counter.add(1000, now)
    assert len(counter._bytes) <= 100  # those of one second
    assert counter.rate(40_000) == pytest.approx(800_000, rel=0.02)


async def test_frames_that_came_together_are_decoded_one_by_one() -> None:
    """A retransmission completes the first frame of nine; the decoder's thread sees all nine, in order."""
    whole, receiver = clip(H264, keyframes=(0,), first_timestamp=(1 << 32) - 2 * TICKS), Receiver()
    gap = whole.of(0)[1]
    receiver.take([each for i, each in enumerate(whole.packets) if i != gap])
    receiver.now += 1
    _, frame = receiver.buffer.add(whole.packets[gap])
    assert frame is not None
    assert len(frame.later) == 11
    frame.timestamp = 77  # as aiortc maps it
    tasks: receiving.Tasks = queue.Queue()
    tasks.put((H264, frame))
    tasks.put(None)
    pictures: asyncio.Queue[av.VideoFrame | None] = asyncio.Queue()
    await asyncio.to_thread(receiving.decode, asyncio.get_running_loop(), tasks, pictures, threading.Event())
    stamps = []
    while (picture := await pictures.get()) is not None:
        stamps.append(picture.pts)
    assert stamps == [77 + number * TICKS for number in range(12)], "across the wrap of 32 bits, too"


async def decoded(tasks: list[tuple[RTCRtpCodecParameters, JitterFrame]], failed: threading.Event) -> list[int]:
    """The timestamps of the pictures that come out."""
    queued: receiving.Tasks = queue.Queue()
    for task in [*tasks, None]:
        queued.put(task)
    pictures: asyncio.Queue[av.VideoFrame | None] = asyncio.Queue()
    await asyncio.to_thread(receiving.decode, asyncio.get_running_loop(), queued, pictures, failed)
    stamps = []
    while (picture := await pictures.get()) is not None:
        assert picture.pts is not None
        stamps.append(picture.pts // TICKS)
    return stamps


@pytest.mark.parametrize("codec", [VP8, H264], ids=lambda codec: codec.name)
async def test_after_a_frame_that_cannot_be_decoded_nothing_is_shown_before_a_keyframe(
    codec: RTCRtpCodecParameters,
) -> None:
    """FFmpeg goes on with whatever it has in a missing frame's place: grey, green, or the wrong part of another."""
    whole, receiver = clip(codec, keyframes=(0, 8)), Receiver()
    receiver.take(whole.packets)
    receiver.frames[4].data = b"\x00" if codec is VP8 else b"\x00\x00\x00\x01\x41"
    failed = threading.Event()
    assert await decoded([(codec, frame) for frame in receiver.frames], failed) == [0, 1, 2, 3, 8, 9, 10, 11]
    assert failed.is_set(), "a keyframe is asked for"


async def test_a_picture_that_ffmpeg_made_up_in_part_is_not_shown() -> None:
    whole, receiver = clip(H264, keyframes=(0, 8)), Receiver()
    receiver.take(whole.packets)
    receiver.frames[4].data = receiver.frames[4].data[: len(receiver.frames[4].data) // 2]
    failed = threading.Event()
    assert await decoded([(H264, frame) for frame in receiver.frames], failed) == [0, 1, 2, 3, 8, 9, 10, 11]
    assert failed.is_set()


def test_a_keyframe_is_asked_for_at_a_limited_rate() -> None:
    failed = threading.Event()
    repair = receiving.Repair(failed)
    repair.begin()
    assert failed.is_set()
    failed.clear()
    assert repair.waits_beyond(jitter.Frame(b"", 0, 0, 0))
    assert not failed.is_set(), "the first request is hardly on its way"
    assert not repair.waits_beyond(jitter.Frame(b"", 0, 0, 0, keyframe=True))
    assert not repair.waits_beyond(jitter.Frame(b"", 0, 0, 0))


def test_sound_keeps_its_buffer() -> None:
    assert isinstance(receiving.jitter_buffer(16, prefetch=4), AiortcJitterBuffer)
    assert isinstance(receiving.jitter_buffer(512, is_video=True), jitter.JitterBuffer)


def vp8_bomb() -> bytes:
    """A keyframe that says 16383 by 16383."""
    frame = b"".join(depayload(VP8, part) for part in encoded("VP8", 2, (0,))[0])
    return frame[:6] + b"\xff\x3f\xff\x3f" + frame[10:]


def h264_bomb() -> bytes:
    """A picture of 4096 by 2304, all of one grey."""
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = 4096, 2304, "yuv420p"
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency"}
    frame = av.VideoFrame(4096, 2304, "yuv420p")
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])


@pytest.mark.parametrize(("codec", "bomb"), [(VP8, vp8_bomb), (H264, h264_bomb)], ids=["VP8", "H264"])
async def test_pictures_over_the_limit_are_not_decoded(codec: RTCRtpCodecParameters, bomb: Callable[[], bytes]) -> None:
    stage_times.install()
    tasks: receiving.Tasks = queue.Queue()
    frame, failed = await asyncio.to_thread(bomb), threading.Event()
    for number in range(40):
        tasks.put((codec, JitterFrame(frame, number * TICKS)))
    tasks.put(None)
    pictures: asyncio.Queue[av.VideoFrame | None] = asyncio.Queue()
    before = psutil.Process().memory_info().rss
    with structlog.testing.capture_logs() as lines:
        await asyncio.to_thread(receiving.decode, asyncio.get_running_loop(), tasks, pictures, failed)
    assert await pictures.get() is None, "nothing came out, and the track ended as ever"
    assert failed.is_set()
    assert psutil.Process().memory_info().rss - before < 100e6
    assert len([line for line in lines if line["event"] == "frames could not be decoded"]) <= 2


@pytest.mark.parametrize("codec", [VP8, H264], ids=lambda codec: codec.name)
async def test_1080p_is_decoded(codec: RTCRtpCodecParameters) -> None:
    encoder = codecs.live_encoder(codec)
    picture = av.VideoFrame(1920, 1080, "yuv420p")
    picture.pts, picture.time_base = 0, fractions.Fraction(1, 90000)
    parts, _ = await asyncio.to_thread(encoder.encode, picture, True)
    tasks: receiving.Tasks = queue.Queue()
    tasks.put((codec, JitterFrame(b"".join(depayload(codec, part) for part in parts), 0)))
    tasks.put(None)
    pictures: asyncio.Queue[av.VideoFrame | None] = asyncio.Queue()
    await asyncio.to_thread(receiving.decode, asyncio.get_running_loop(), tasks, pictures, threading.Event())
    decoded = await pictures.get()
    assert decoded is not None and (decoded.width, decoded.height) == (1920, 1080)
