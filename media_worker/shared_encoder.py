"""One encoder for all viewers of a session who take the same codec.

    picture → mailbox (newest wins) → encoder's thread → an Outlet each → its viewer's sender

What is encoded follows the links of most viewers: of their rates the upper median counts, so that one slow viewer costs
the others nothing. Those whose link carries less miss frames (`outlet.py`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import structlog
from aiortc.mediastreams import VIDEO_TIME_BASE
from aiortc.rtcrtpparameters import RTCRtpCodecParameters

from media_worker import codecs, i420, payloads
from media_worker.encoded_track import UNKNOWN, Encoded
from media_worker.job_thread import JobThread
from media_worker.mailbox import Mailbox
from media_worker.outlet import Outlet
from media_worker.rate_control import Target
from media_worker.sending import ENCODER_PATIENCE, KeyframeGate, scaled
from media_worker.stats import SHARED_FRAMES, VIEWER_FRAMES_DROPPED
from media_worker.vision.arrays import Pixels

log = structlog.get_logger(__name__)

JOIN_INTERVAL = 0.1
"""Seconds between keyframes for viewers who have just joined: they see nothing yet, so they hardly wait."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A processed picture on its way to viewers."""

    i420: Pixels
    """uint8 (H·3/2, W); it does not change any more."""
    timestamp: int
    """In 1/90000 s, growing."""


class JoinGate(KeyframeGate):
    """Lets the first keyframe of a viewer through sooner than one more for those who see something already."""

    def __init__(self) -> None:
        super().__init__()
        self._joined = False

    def join(self) -> None:
        self._joined = True

    def due(self, now: float, round_trip: float = 0.0) -> bool:
        if self._joined and now - self._made >= JOIN_INTERVAL:
            self._wanted, self._made = True, float("-inf")
        if super().due(now, round_trip):
            self._joined = False
            return True
        return False


class SharedEncoder:
    """Runs from the start until `close`. `on_fault` is called when it ends by a fault of ours."""

    def __init__(self, codec: RTCRtpCodecParameters, on_fault: Callable[[], None]) -> None:
        self._name = codec.name
        self._codec = codec
        self._encoder = codecs.live_encoder(codec)
        self._thread = JobThread("viewers' encoder")
        self._pictures: Mailbox[Picture] = Mailbox()
        self._outlets: list[Outlet] = []
        self._gate = JoinGate()
        self._on_fault = on_fault
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(self._check)

    @property
    def outlets(self) -> int:
        return len(self._outlets)

    def show(self, picture: Picture) -> None:
        """A new picture; one that still waits is left out."""
        self._pictures.put(picture)

    def join(self) -> Outlet:
        """A new viewer, who gets a keyframe first."""
        outlet = Outlet(self._gate.request)
        self._outlets.append(outlet)
        self._gate.join()
        return outlet

    def leave(self, outlet: Outlet) -> None:
        """Idempotent."""
        outlet.close()
        if outlet in self._outlets:
            self._outlets.remove(outlet)

    def close(self) -> None:
        """Idempotent; the thread ends by itself after the frame that it works on."""
        self._task.cancel()
        self._thread.close()
        for outlet in list(self._outlets):
            self.leave(outlet)

    async def _run(self) -> None:
        while True:
            picture = await self._pictures.take()
            now = time.monotonic()
            target, keyframe = self._target(), self._gate.due(now)
            frame = await self._thread.run_in_time(partial(self._encode, picture, target, keyframe), ENCODER_PATIENCE)
            SHARED_FRAMES.labels(self._name).inc()
            if frame.payloads:
                self._hand_out(frame, time.monotonic())

    def _hand_out(self, frame: Encoded, now: float) -> None:
        for outlet in self._outlets:
            if not outlet.offer(frame, now):
                VIEWER_FRAMES_DROPPED.inc()

    def _encode(self, picture: Picture, target: Target, keyframe: bool) -> Encoded:
        """Runs in the encoder's thread."""
        frame = i420.frame_of(picture.i420)
        frame.pts, frame.time_base = picture.timestamp, VIDEO_TIME_BASE
        self._encoder.target_bitrate = target.bitrate  # type: ignore[attr-defined]
        made, _ = self._encoder.encode(scaled(frame, target), keyframe)
        opens = any(payloads.opens_keyframe(self._codec, payload) for payload in made)
        return Encoded(made, picture.timestamp, opens, frame.width * frame.height)

    def _target(self) -> Target:
        """The upper median of what the viewers' links carry."""
        targets = sorted((outlet.target for outlet in self._outlets), key=lambda target: target.bitrate)
        return targets[len(targets) // 2] if targets else UNKNOWN

    def _check(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            log.error("encoding for viewers failed", codec=self._name, exc_info=error)
            self._on_fault()
