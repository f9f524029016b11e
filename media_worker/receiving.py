"""The one place where aiortc's video receiver is bent to live video: buffer, retransmissions, bandwidth estimate.

Seam: aiortc 1.16's `RTCRtpReceiver` makes its parts from module-level names of `aiortc.rtcrtpreceiver`, which `install`
replaces. `tests/media_worker/test_aiortc_seams.py` fails when an upgrade changes what this relies on.
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
from typing import Any

import structlog
from aiortc import rtcrtpreceiver
from aiortc.jitterbuffer import JitterBuffer as AiortcJitterBuffer
from aiortc.jitterbuffer import JitterFrame
from aiortc.rate import (
    MIN_FRAME_PERIOD_HISTORY_LENGTH,
    AimdRateControl,
    OveruseEstimator,
    RemoteBitrateEstimator,
)
from aiortc.rtcrtpparameters import RTCRtpCodecParameters

from media_worker import codecs, jitter, nacks, payloads

log = structlog.get_logger(__name__)

Task = tuple[RTCRtpCodecParameters, JitterFrame]
Tasks = queue.Queue[Task | None]

UPLINK_FLOOR = 300_000
"""bit/s that REMB never goes below: enough for a moving 480x360 picture. aiortc's estimate can fall to a few kbit/s
when the picture stands still, and the camera then needs half a minute to come back."""

UPLINK_GROWTH = 1.3
"""Growth of the estimate per second while nothing is overused; 300 kbit/s become 1.1 Mbit/s in 5 s. libwebrtc's 1.08
takes 17 s. What overuses the link is still found by its delay, and cut to 85 % of what came through."""


class LiveRateControl(AimdRateControl):
    """libwebrtc's AIMD with a floor, and with growth that lets a camera recover within seconds."""

    def _multiplicative_rate_increase(self, new_bitrate: int, last_ms: int, now_ms: int) -> int:
        seconds = min(now_ms - last_ms, 1000) / 1000
        return int(new_bitrate * (UPLINK_GROWTH**seconds - 1))

    def _clamp_bitrate(self, new_bitrate: int, estimated_throughput: int) -> int:
        return max(super()._clamp_bitrate(new_bitrate, estimated_throughput), UPLINK_FLOOR)


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
    while task := queued.get():
        codec, frame = task
        if decoder is None or codec.name != name:
            decoder, name = rtcrtpreceiver.get_decoder(codec), codec.name  # type: ignore[attr-defined]
        try:
            _check_size(codec, frame)
            decoded = decoder.decode(frame)
        except Exception as error:  # a fault of FFmpeg's, or one beside it: this thread must outlive every frame
            complaint.about(error, name)  # the decoder stays: a new one needs a keyframe first
            failed.set()
            continue
        for picture in decoded:
            loop.call_soon_threadsafe(pictures.put_nowait, picture)
    loop.call_soon_threadsafe(pictures.put_nowait, None)  # which ends the track


def _check_size(codec: RTCRtpCodecParameters, frame: JitterFrame) -> None:
    """Raises ValueError."""
    size = payloads.vp8_size(frame.data) if codec.name == "VP8" else None
    if size and size[0] * size[1] > codecs.MAX_PIXELS:
        raise ValueError(f"{size[0]}x{size[1]} pixels; {codecs.MAX_PIXELS:,} are taken")


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
        **{"NackGenerator": nacks.NackGenerator, "RemoteBitrateEstimator": LiveBitrateEstimator},
    }
    for name, part in parts.items():
        setattr(rtcrtpreceiver, name, part)
