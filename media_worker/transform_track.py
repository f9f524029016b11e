"""Camera track in, processed track out: the newest frame is worked on, the newest result is handed out.

    camera track → _drain → mailbox → _transform (in the session's engine) → mailbox → recv() → encoder

aiortc queues decoded frames without a bound, so one task always drains the track, and `recv` never works itself:
slow vision costs frames, never delay.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import cast

import av
import cv2
import numpy as np
import structlog
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from media_worker import images
from media_worker.channel import metadata_of
from media_worker.mailbox import Mailbox, MailboxClosed
from media_worker.pipeline import Pipeline, Processed
from media_worker.session import Session
from protocol import limits
from protocol.errors import LacquerError, SessionEnded

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Arrived:
    frame: av.VideoFrame
    number: int
    at: float
    """Monotonic seconds."""


class TransformTrack(MediaStreamTrack):
    """The processed picture of a camera track, with the camera's timestamps."""

    kind = "video"

    def __init__(self, session: Session, source: MediaStreamTrack, on_fault: Callable[[], None]) -> None:
        """`on_fault` is called when the work ends by a fault of ours, so that a frozen picture does not look alive."""
        super().__init__()
        self._session = session
        self._source = source
        drop = session.statistics.dropped
        self._in: Mailbox[Arrived] = Mailbox(lambda arrived: drop("superseded"))
        self._out: Mailbox[av.VideoFrame] = Mailbox(lambda frame: drop("backpressure"))
        self._on_fault = on_fault
        self._tasks = [asyncio.create_task(self._drain()), asyncio.create_task(self._work())]
        for task in self._tasks:
            task.add_done_callback(self._check)

    async def recv(self) -> av.VideoFrame:
        """The newest processed frame, once there is one that was not handed out yet."""
        try:
            return await self._out.take()
        except MailboxClosed:
            self.stop()
            raise MediaStreamError from None

    async def close(self) -> None:
        """Stops both tasks and ends the track. Idempotent."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._in.close()
        self._out.close()
        self.stop()

    def _check(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            log.error("transform failed", session=self._session.id, exc_info=error)
            self._on_fault()

    async def _drain(self) -> None:
        number = 0
        statistics = self._session.statistics
        while True:
            try:
                frame = cast(av.VideoFrame, await self._source.recv())
            except MediaStreamError:
                self._in.close()
                return
            statistics.received()
            if max(frame.width, frame.height) > images.MAX_SIDE or frame.width * frame.height > limits.MAX_FRAME_PIXELS:
                statistics.dropped("undecodable")
            elif self._session.settings.paused:
                statistics.dropped("paused")
            else:
                self._in.put(Arrived(frame, number, time.monotonic()))
            number += 1

    async def _work(self) -> None:
        while True:
            try:
                arrived = await self._in.take()
                await self._process(arrived)
            except (MailboxClosed, SessionEnded):
                self._out.close()
                return
            except LacquerError as error:
                # The picture goes on, unpainted: a failing model must not freeze the stream.
                self._session.statistics.dropped(error.code)
                self._out.put(arrived.frame)

    async def _process(self, arrived: Arrived) -> None:
        queued = time.monotonic()
        frame, processed = await self._session.run(partial(_transform, arrived.frame, int(arrived.at * 1000)))
        self._out.put(frame)
        done = time.monotonic()
        stages = {
            "queue": (queued - arrived.at) * 1000,
            **processed.stages,
            "total": (done - arrived.at) * 1000,
        }
        size = (frame.width, frame.height)
        self._session.statistics.finished(stages, *size)
        self._session.keep(processed, *size, partial(cv2.cvtColor, processed.image, cv2.COLOR_YUV2RGB_I420))
        self._session.tell(
            metadata_of(self._session, processed, arrived.number, size, stages, rtp_timestamp=arrived.frame.pts)
        )


def _transform(frame: av.VideoFrame, timestamp_ms: int, pipeline: Pipeline) -> tuple[av.VideoFrame, Processed]:
    """The frame painted, as I420 all the way; runs in the engine's thread."""
    if frame.width % 2 or frame.height % 2 or frame.format.name != "yuv420p":
        frame_even = frame.reformat(width=frame.width & ~1, height=frame.height & ~1, format="yuv420p")
        frame_even.pts, frame_even.time_base = frame.pts, frame.time_base
        frame = frame_even
    planes: np.ndarray = frame.to_ndarray()
    processed = pipeline.process_i420(planes, timestamp_ms)
    painted = av.VideoFrame.from_ndarray(processed.image, format="yuv420p")
    painted.pts, painted.time_base = frame.pts, frame.time_base
    return painted, processed
