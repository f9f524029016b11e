"""Camera track in, processed track out: the newest frame is worked on, the newest result is handed out.

    camera track → _drain → mailbox → _transform (in the session's engine) → mailbox → recv() → encoder
                                                                                        └ next recv(): sent → _tell

aiortc queues decoded frames without a bound, so one task always drains the track, and `recv` never works itself:
slow vision costs frames, never delay. What is said about a frame is written when it has left, so that no frame waits
for it, and so that it can tell how long encoding and sending took.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import cast

import av
import cv2
import structlog
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from media_worker import i420, images
from media_worker.capture_clock import CaptureClock
from media_worker.channel import metadata_of
from media_worker.load import Load
from media_worker.mailbox import Mailbox, MailboxClosed
from media_worker.pipeline import Pipeline, Processed
from media_worker.session import Session
from media_worker.stage_times import Journey, hang, journey_of
from media_worker.stats import MESSAGES_DROPPED
from media_worker.taking_turns import Turn
from media_worker.vision.patience import Overrun
from media_worker.vision.schedule import Retreat
from protocol import limits
from protocol.errors import LacquerError, SessionEnded

log = structlog.get_logger(__name__)


DEADLINE = 0.1
"""Seconds since a frame was complete: of an older one, whose turn came so late, nails are only followed."""

TURN = Turn()
"""Vision of one stream at a time: Python's lock lets no two of them get on, and where many threads want it they mostly
wait for each other. Five streams in one process lose an eighth of their frames instead of a fifth."""

UNTOLD = 8
"""Frames that left and whose `metadata` is not written yet; more than one or two mean that the loop is far behind."""


@dataclass(frozen=True, slots=True)
class Arrived:
    frame: av.VideoFrame
    number: int
    at: float
    """Monotonic seconds."""


@dataclass(frozen=True, slots=True)
class Leaving:
    frame: av.VideoFrame
    number: int
    journey: Journey
    processed: Processed | None
    """None where vision failed, and the frame goes through as it came."""
    sent_at: float | None = None
    """Unix seconds; None for frames that a newer one replaced."""


class TransformTrack(MediaStreamTrack):
    """The processed picture of a camera track, with the camera's timestamps."""

    kind = "video"

    def __init__(
        self,
        session: Session,
        source: MediaStreamTrack,
        on_fault: Callable[[], None],
        capture_clock: CaptureClock | None = None,
    ) -> None:
        """`on_fault` is called when the work ends by a fault of ours, so that a frozen picture does not look alive."""
        super().__init__()
        self._capture_clock = capture_clock or CaptureClock()
        self._session = session
        self._source = source
        self._load = Load(time.monotonic())
        session.statistics.retreated(self._load.retreat)
        self._in: Mailbox[Arrived] = Mailbox(lambda arrived: self._lost("superseded"))
        self._out: Mailbox[Leaving] = Mailbox(self._replaced)
        self._on_the_way: Leaving | None = None
        self._untold: asyncio.Queue[Leaving] = asyncio.Queue(UNTOLD)
        self._on_fault = on_fault
        session.viewers.publisher_came()
        self._shows = True
        self._tasks = [asyncio.create_task(job) for job in (self._drain(), self._work(), self._tell())]
        for task in self._tasks:
            task.add_done_callback(self._check)

    async def recv(self) -> av.VideoFrame:
        """The newest processed frame, once there is one that was not handed out yet.

        A sender asks when all packets of the frame before have left: aiortc 1.16 encodes and sends one after the other.
        """
        self._sent()
        try:
            self._on_the_way = await self._out.take()
        except MailboxClosed:
            self.stop()
            raise MediaStreamError from None
        return self._on_the_way.frame

    async def close(self) -> None:
        """Stops all tasks and ends the track. Idempotent."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._in.close()
        self._out.close()
        self._session.statistics.retreated(None)
        if self._shows:
            self._shows = False
            self._session.viewers.publisher_left()
        self.stop()

    def _check(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            log.error("transform failed", session=self._session.id, exc_info=error)
            self._on_fault()

    # --- in --------------------------------------------------------------------------------------------------------
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
            elif self._load.retreat >= Retreat.FRAMES and number % 2:
                statistics.dropped("retreat")
            else:
                self._in.put(Arrived(frame, number, time.monotonic()))
            number += 1

    # --- work ------------------------------------------------------------------------------------------------------
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
                self._session.notice(error)
                self._out.put(Leaving(arrived.frame, arrived.number, journey_of(arrived.frame), None))
                self._show_unpainted(arrived.frame)

    async def _process(self, arrived: Arrived) -> None:
        job = partial(_transform, arrived.frame, int(arrived.at * 1000), self._load.retreat)
        frame, processed, late = await self._session.run(job)
        self._out.put(Leaving(frame, arrived.number, journey_of(frame), processed))
        self._session.viewers.show(processed.image, frame.pts, frame.time_base)
        self._judge(processed, late)
        to_rgb = partial(cv2.cvtColor, processed.image, cv2.COLOR_YUV2RGB_I420)
        self._session.keep(processed, frame.width, frame.height, to_rgb)

    def _show_unpainted(self, frame: av.VideoFrame) -> None:
        if self._session.viewers:
            self._session.viewers.show(i420.planes_of(frame), frame.pts, frame.time_base)

    def _judge(self, processed: Processed, late: bool) -> None:
        statistics, trouble = self._session.statistics, processed.trouble
        if late:
            statistics.followed("late")
        elif trouble:
            statistics.followed("overrun" if isinstance(trouble, Overrun) else trouble.code)
            self._session.notice(trouble)
        self._load.worked(time.monotonic(), (processed.stages["vision"] + processed.stages["render"]) / 1000)
        statistics.retreated(self._load.retreat)

    def _lost(self, reason: str) -> None:
        """A newer frame took the place of one."""
        self._session.statistics.dropped(reason)
        self._load.lost(time.monotonic())

    # --- out -------------------------------------------------------------------------------------------------------
    def _replaced(self, leaving: Leaving) -> None:
        self._lost("backpressure")
        self._left(leaving)

    def _sent(self) -> None:
        leaving, self._on_the_way = self._on_the_way, None
        if leaving:
            leaving.journey.note("send")
            self._left(replace(leaving, sent_at=time.time()))

    def _left(self, leaving: Leaving) -> None:
        """Counts it; its `metadata` is written a moment later, while the next frame is already encoded."""
        if leaving.processed is None:
            return
        stages = leaving.journey.stages
        stages["total"] = leaving.journey.total
        self._session.statistics.finished(stages, leaving.frame.width, leaving.frame.height)
        try:
            self._untold.put_nowait(leaving)
        except asyncio.QueueFull:
            MESSAGES_DROPPED.inc()

    async def _tell(self) -> None:
        while True:
            leaving = await self._untold.get()
            assert leaving.processed, "or it had not been queued"
            size = (leaving.frame.width, leaving.frame.height)
            captured_at = self._capture_clock.captured_at(leaving.journey.rtp_timestamp)
            metadata = metadata_of(
                *(self._session, leaving.processed, leaving.number, size, leaving.journey.stages),
                rtp_timestamp=leaving.frame.pts,
                captured_at=_milliseconds(captured_at),
                sent_at=_milliseconds(leaving.sent_at),
            )
            self._session.tell(metadata)


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)


def _transform(
    frame: av.VideoFrame, timestamp_ms: int, retreat: Retreat, pipeline: Pipeline
) -> tuple[av.VideoFrame, Processed, bool]:
    """The frame painted, as I420 all the way, and whether it was late; runs in the engine's thread."""
    journey = journey_of(frame)
    with TURN.taken():
        journey.note("queue")
        late = journey.age > DEADLINE
        pipeline.retreat(retreat)
        processed = pipeline.process_i420(i420.planes_of(frame), timestamp_ms, hurry=late)
    painted = i420.frame_of(processed.image)
    painted.pts, painted.time_base = frame.pts, frame.time_base
    hang(journey, painted)
    journey.skip_to_now(processed.stages)
    return painted, processed, late
