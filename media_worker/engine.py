"""The vision of one session in a thread of its own: hand models are not thread-safe and must not block the loop.

A job that hangs must not freeze the stream. After `PATIENCE` frames go on without vision; after `HANG` the thread is
left to itself and another one, with a pipeline of its own, takes its place.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

import structlog

from media_worker import memory
from media_worker.job_thread import JobThread
from media_worker.pipeline import Pipeline
from media_worker.vision.hangs import HANGS
from protocol.errors import LacquerError, VisionFailed

log = structlog.get_logger(__name__)
T = TypeVar("T")

PATIENCE = 2.0
"""Seconds that a frame waits for vision. A live pipeline waits half a second for each model, so this is no slow model,
but a fault of ours, or one that holds what all others wait for."""

HANG = 5.0
"""Seconds after which a job is taken for one that never ends."""

LOAD_TIMEOUT = 20.0
"""Seconds for the models to load, from a cold disk. Frames wait that long."""

CLOSE_TIMEOUT = 5.0
"""Seconds for the frame in progress to finish. A model that hangs longer is abandoned with its thread."""


class Hung(VisionFailed):
    """Vision seems never to answer, and begins anew. Said once for each hang."""


class Engine:
    """Runs jobs on a session's `Pipeline`, one after the other, off the event loop."""

    def __init__(self, build: Callable[[], Pipeline]) -> None:
        """Starts loading the model at once, so that it is ready when ICE and DTLS are.

        A failing `build` shows in the first `run`.
        """
        self._build = build
        self._closing: asyncio.Task[None] | None = None
        self._reported = float("-inf")
        self._begin()

    def _begin(self) -> None:
        self._thread = JobThread("vision")
        self._pipeline = built = Future[Pipeline]()
        build = self._build
        self._loading = self._thread.run(lambda: _build(build, built))
        self._overdue: asyncio.Future[Any] | None = None
        """The job that nobody waits for any more, and when it was given to the thread."""
        self._since = 0.0

    async def run(self, job: Callable[[Pipeline], T], *, keep: bool = False) -> T:
        """The job's result. LacquerErrors pass; anything else becomes VisionFailed and is logged.

        Raises VisionFailed, too, where vision does not answer within PATIENCE, and until it does; of all jobs refused
        meanwhile one gets `Hung`. A job to `keep` is done all the same as soon as vision answers.
        """
        if self._overdue and not self._overdue.done():
            self._give_up_in_time()
            if not keep:
                raise VisionFailed("vision does not answer")
        pipeline = self._pipeline
        try:
            return await self._in_time(self._thread.run(lambda: job(pipeline.result())))
        except LacquerError:
            raise
        except Exception as error:
            self._report(error)
            raise VisionFailed from error

    async def _in_time(self, work: asyncio.Future[T]) -> T:
        began = time.monotonic()
        try:
            if not self._loading.done():
                await asyncio.wait({self._loading}, timeout=LOAD_TIMEOUT)
            await asyncio.wait({work}, timeout=PATIENCE)
        except asyncio.CancelledError:
            work.cancel()
            raise
        if work.done():
            return work.result()
        work.add_done_callback(_forget)
        if self._overdue is None or self._overdue.done():
            self._overdue, self._since = work, began
        raise VisionFailed("vision does not answer")

    def _give_up_in_time(self) -> None:
        """Begins anew, and raises Hung, where the job has taken too long."""
        assert self._overdue
        if time.monotonic() - self._since < (HANG if self._pipeline.done() else LOAD_TIMEOUT):
            return
        log.error("vision hangs; its thread is abandoned, another one begins anew")
        self._abandon()
        self._begin()
        raise Hung("vision hung and begins anew; until then the picture goes on unpainted")

    def _abandon(self) -> None:
        HANGS.add(self._thread.is_alive)
        self._thread.close()

    def _report(self, error: Exception) -> None:
        """Logs the failure, but at most once a second: a broken model fails on every frame."""
        now = time.monotonic()
        if now - self._reported >= 1:
            self._reported = now
            log.error("vision failed", exc_info=error)

    async def close(self) -> None:
        """Frees model and thread. Idempotent; later callers await the first."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close())
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await self._thread.run(self._close_pipeline)
        except TimeoutError:
            log.error("vision did not finish in time; its thread is abandoned", seconds=CLOSE_TIMEOUT)
            self._abandon()
        else:
            await asyncio.to_thread(memory.give_back)
        finally:
            self._thread.close()

    def _close_pipeline(self) -> None:
        if self._pipeline.exception() is None:
            self._pipeline.result().close()


def _forget(work: asyncio.Future[Any]) -> None:
    """What comes of a job that nobody waits for any more; an error of it has been told as one that did not answer."""
    if not work.cancelled():
        work.exception()


def _build(build: Callable[[], Pipeline], built: Future[Pipeline]) -> None:
    """No method: the traceback of what fails would keep the engine, and with it its thread, when nobody else does."""
    try:
        built.set_result(build())
    except BaseException as error:
        built.set_exception(error)
