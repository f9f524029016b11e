"""The one place where aiortc's video receiver is bent to live video: buffer, retransmissions, bandwidth estimate.

Seams: aiortc 1.16's `RTCRtpReceiver` makes its parts from module-level names of `aiortc.rtcrtpreceiver`, and
`RTCPeerConnection` makes receivers from that name in its own module; `install` replaces them.
`tests/media_worker/test_aiortc_seams.py` fails when an upgrade changes what this relies on.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextvars import copy_context
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import structlog
from aiortc import RTCRtpReceiver, rtcpeerconnection, rtcrtpreceiver
from aiortc.jitterbuffer import JitterBuffer as AiortcJitterBuffer
from aiortc.jitterbuffer import JitterFrame
from aiortc.rate import (
    MIN_FRAME_PERIOD_HISTORY_LENGTH,
    AimdRateControl,
    OveruseEstimator,
    RemoteBitrateEstimator,
)
from aiortc.rtcrtpparameters import RTCRtpCodecParameters, RTCRtpReceiveParameters
from av.frame import Frame

from media_worker import codecs, jitter, nacks, payloads

if TYPE_CHECKING:
    from aiortc.rtcdtlstransport import RTCDtlsTransport

log = structlog.get_logger(__name__)

Task = tuple[RTCRtpCodecParameters, JitterFrame]
Tasks = queue.Queue[Task | None]

UPLINK_FLOOR = 300_000
"""bit/s that REMB never goes below: enough for a moving 480x360 picture. aiortc's estimate can fall to a few kbit/s
when the picture stands still, and the camera then needs half a minute to come back."""

UPLINK_CEILING = 4_000_000
"""bit/s that REMB never goes beyond: enough for 720p. A camera that follows it to the letter, as aiortc's, would else
grow until its packets are more than a peer may send (`datagrams.MEDIA_PACE`), and none of its frames is whole."""

UPLINK_GROWTH = 1.3
"""Growth of the estimate per second while nothing is overused; 300 kbit/s become 1.1 Mbit/s in 5 s. libwebrtc's 1.08
takes 17 s. What overuses the link is still found by its delay, and cut to 85 % of what came through."""


LOOK_EVERY = 0.02
"""Seconds between two looks for packets that were asked for in vain, as in libwebrtc."""


class LiveRateControl(AimdRateControl):
    """libwebrtc's AIMD with a floor, and with growth that lets a camera recover within seconds."""

    def _multiplicative_rate_increase(self, new_bitrate: int, last_ms: int, now_ms: int) -> int:
        seconds = min(now_ms - last_ms, 1000) / 1000
        return int(new_bitrate * (UPLINK_GROWTH**seconds - 1))

    def _clamp_bitrate(self, new_bitrate: int, estimated_throughput: int) -> int:
        return min(max(super()._clamp_bitrate(new_bitrate, estimated_throughput), UPLINK_FLOOR), UPLINK_CEILING)


class RateCounter:
    """In the place of aiortc's, which has a bucket for each of the last thousand milliseconds, and empties them one by
    one. Rates are the same."""

    def __init__(self, window: int = 1000) -> None:
        """`window` is in ms."""
        self._window = window
        self._bytes: deque[tuple[int, int]] = deque()
        self.reset()

    def reset(self) -> None:
        self._bytes.clear()
        self._total = 0
        self._since: int | None = None

    def add(self, value: int, now_ms: int) -> None:
        if self._since is None:
            self._since = now_ms
        self._forget(now_ms)
        self._bytes.append((now_ms, value))
        self._total += value

    def rate(self, now_ms: int) -> int | None:
        """bit/s; None where nothing came within the window, or only just now."""
        if self._since is None:
            return None
        self._forget(now_ms)
        milliseconds = now_ms - self._since + 1
        return round(8000 * self._total / milliseconds) if self._bytes and milliseconds > 1 else None

    def _forget(self, now_ms: int) -> None:
        assert self._since is not None
        if now_ms < self._since:  # the clock was set back: what is kept would never be old enough to go
            self.reset()
            self._since = now_ms
        self._since = max(self._since, now_ms - self._window + 1)
        while self._bytes and self._bytes[0][0] < self._since:
            self._total -= self._bytes.popleft()[1]


class LiveOveruseEstimator(OveruseEstimator):
    def update_min_frame_period(self, ts_delta: float) -> float:
        """As aiortc's, with its loop in C."""
        history = self.ts_delta_hist
        if len(history) >= MIN_FRAME_PERIOD_HISTORY_LENGTH:
            history.pop(0)
        history.append(ts_delta)
        return min(history)


class LiveBitrateEstimator(RemoteBitrateEstimator):
    def __init__(self) -> None:
        super().__init__()
        self.rate_control = LiveRateControl()
        self.estimator = LiveOveruseEstimator()
        self.incoming_bitrate = RateCounter()  # type: ignore[assignment]


class LiveReceiver(RTCRtpReceiver):
    """aiortc's looks for what is missing when a packet comes; this one also while none does."""

    def __init__(self, kind: str, transport: RTCDtlsTransport) -> None:
        super().__init__(kind, transport)
        self._asking: asyncio.Task[None] | None = None

    async def receive(self, parameters: RTCRtpReceiveParameters) -> None:
        await super().receive(parameters)
        generator = self._RTCRtpReceiver__nack_generator  # type: ignore[attr-defined]
        if generator and self._asking is None:
            generator.needed_from = self._RTCRtpReceiver__jitter_buffer.needed_from  # type: ignore[attr-defined]
            self._asking = asyncio.create_task(self._ask_again(generator))

    async def stop(self) -> None:
        await super().stop()
        if self._asking:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    async def _ask_again(self, generator: nacks.NackGenerator) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            if generator.look() and generator.ssrc is not None:
                await self._send_rtcp_nack(generator.ssrc, sorted(generator.missing))


class OneByOne:
    """The decoder thread's queue: frames that became deliverable together are taken out one after the other."""

    def __init__(self, inner: Tasks) -> None:
        self._inner = inner
        self._waiting: deque[Task] = deque()

    def get(self) -> Task | None:
        if not self._waiting:
            task = self._inner.get()
            if task is None:
                return None
            self._waiting.extend(_with_later(*task))
        return self._waiting.popleft()


def _with_later(codec: RTCRtpCodecParameters, frame: JitterFrame) -> Iterator[Task]:
    """aiortc continued the first frame's 32-bit timestamp beyond its wrap; the others keep their distance from it."""
    yield codec, frame
    if isinstance(frame, jitter.Frame):
        for each in frame.later:
            each.timestamp = frame.timestamp + (each.rtp_timestamp - frame.rtp_timestamp) % (1 << 32)
            yield codec, each


def decode(
    loop: asyncio.AbstractEventLoop, tasks: Tasks, pictures: asyncio.Queue[Any], failed: threading.Event
) -> None:
    """In the place of aiortc's `decoder_worker`, which is what the decoder's thread runs, until `tasks` gives None.

    aiortc starts a task on the loop for every picture, only to put it into a queue that takes any number.
    """
    decoder, name = None, ""
    queued, complaint = OneByOne(tasks), Complaint()
    repair = Repair(failed)
    while task := queued.get():
        codec, frame = task
        if decoder is None or codec.name != name:
            decoder, name = rtcrtpreceiver.get_decoder(codec), codec.name  # type: ignore[attr-defined]
        if repair.waits_beyond(frame):
            continue
        try:
            _check_size(codec, frame)
            decoded = decoder.decode(frame)
            _check_whole(decoded)
        except Exception as error:  # a fault of FFmpeg's, or one beside it: this thread must outlive every frame
            complaint.about(error, name)  # the decoder stays: a new one needs a keyframe first
            repair.begin()
            continue
        for picture in decoded:
            loop.call_soon_threadsafe(pictures.put_nowait, picture)
    loop.call_soon_threadsafe(pictures.put_nowait, None)  # which ends the track


def _check_size(codec: RTCRtpCodecParameters, frame: JitterFrame) -> None:
    """Raises ValueError."""
    size = payloads.vp8_size(frame.data) if codec.name == "VP8" else None
    if size and size[0] * size[1] > codecs.MAX_PIXELS:
        raise ValueError(f"{size[0]}x{size[1]} pixels; {codecs.MAX_PIXELS:,} are taken")


def _check_whole(pictures: list[Frame]) -> None:
    """Raises ValueError where FFmpeg made up a part of a picture (H.264 alone: libvpx raises, or does not tell)."""
    if any(picture.is_corrupt for picture in pictures):
        raise ValueError("parts of a picture are missing")


class Repair:
    """From a frame that failed up to a keyframe nothing is decoded: a decoder would guess at what is missing, and show
    a picture that is mostly green. The keyframe is asked for, until it is there."""

    def __init__(self, failed: threading.Event) -> None:
        """`failed` is where aiortc looks with each packet, to send a PLI."""
        self._failed = failed
        self._goes_on, self._asked_at = False, float("-inf")

    def begin(self) -> None:
        self._goes_on = True
        self._ask()

    def waits_beyond(self, frame: JitterFrame) -> bool:
        """Whether to do without the frame."""
        if not isinstance(frame, jitter.Frame) or frame.keyframe:  # sound needs no other frame
            self._goes_on = False
        if self._goes_on:
            self._ask()
        return self._goes_on

    def _ask(self) -> None:
        if time.monotonic() - self._asked_at >= jitter.PLI_INTERVAL:
            self._asked_at = time.monotonic()
            self._failed.set()


class Complaint:
    """Frames that cannot be decoded, in the log: once a second at most, for there may be thirty."""

    def __init__(self) -> None:
        self._told_at, self._frames = float("-inf"), 0

    def about(self, error: Exception, codec: str) -> None:
        self._frames += 1
        if time.monotonic() - self._told_at >= 1:
            log.warning("frames could not be decoded", codec=codec, frames=self._frames, error=str(error))
            self._told_at, self._frames = time.monotonic(), 0


class DecoderThread(threading.Thread):
    """In the place of aiortc's plain one: works for whoever starts it, so that what it logs names their session."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._context = copy_context()

    def run(self) -> None:
        self._context.run(super().run)


def jitter_buffer(capacity: int, prefetch: int = 0, is_video: bool = False) -> jitter.JitterBuffer | AiortcJitterBuffer:
    """As `aiortc.jitterbuffer.JitterBuffer` is called; sound keeps aiortc's."""
    return jitter.JitterBuffer(capacity) if is_video else AiortcJitterBuffer(capacity, prefetch)


def install() -> None:
    """Makes every RTCRtpReceiver of this process that is created from now on receive as above. Idempotent."""
    parts = {
        **{"JitterBuffer": jitter_buffer, "depayload": payloads.read, "decoder_worker": decode},
        "threading": SimpleNamespace(Thread=DecoderThread, Event=threading.Event),
        "unwrap_rtx": nacks.unwrap,
        **{"NackGenerator": nacks.NackGenerator, "RemoteBitrateEstimator": LiveBitrateEstimator},
    }
    for name, part in parts.items():
        setattr(rtcrtpreceiver, name, part)
    rtcpeerconnection.RTCRtpReceiver = LiveReceiver  # type: ignore[attr-defined]
