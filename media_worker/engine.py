"""The vision of one session in a thread of its own: hand models are not thread-safe and must not block the loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

import structlog

from media_worker import memory
from media_worker.job_thread import JobThread
from media_worker.pipeline import Pipeline
from protocol.errors import LacquerError, VisionFailed

log = structlog.get_logger(__name__)
T = TypeVar("T")

CLOSE_TIMEOUT = 5.0
"""Seconds for the frame in progress to finish. A model that hangs longer is abandoned with its thread."""


class Engine:
    """Runs jobs on a session's `Pipeline`, one after the other, off the event loop."""

    def __init__(self, build: Callable[[], Pipeline]) -> None:
        """Starts loading the model at once, so that it is ready when ICE and DTLS are.

        A failing `build` shows in the first `run`.
        """
        self._thread = JobThread("vision")
        self._pipeline = built = Future[Pipeline]()
        self._thread.run(lambda: _build(build, built))
        self._closing: asyncio.Task[None] | None = None
        self._reported = float("-inf")

    async def run(self, job: Callable[[Pipeline], T]) -> T:
        """The job's result. LacquerErrors pass; anything else becomes VisionFailed and is logged."""
        try:
            return await self._thread.run(lambda: job(self._pipeline.result()))
        except LacquerError:
            raise
        except Exception as error:
            self._report(error)
            raise VisionFailed from error

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
        else:
            await asyncio.to_thread(memory.give_back)
        finally:
            self._thread.close()

    def _close_pipeline(self) -> None:
        if self._pipeline.exception() is None:
            self._pipeline.result().close()


def _build(build: Callable[[], Pipeline], built: Future[Pipeline]) -> None:
    """No method: the traceback of what fails would keep the engine, and with it its thread, when nobody else does."""
    try:
        built.set_result(build())
    except BaseException as error:
        built.set_exception(error)
