"""A thread that does jobs for an event loop, one after the other.

What an executor of one thread does, for less: `run_in_executor` makes two futures a job and chains them, with a lock
and a condition each, and every frame goes through it twice.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar

from media_worker.vision.hangs import HANGS

T = TypeVar("T")
Job = tuple[Callable[[], Any], asyncio.AbstractEventLoop, "asyncio.Future[Any]"]


class JobHung(Exception):
    """A job that seems never to end: its thread is given up."""


class JobThread:
    """Starts at once, and ends when it is closed or forgotten. It does not hold up the end of the process."""

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._end = weakref.finalize(self, self._jobs.put, None)
        # Who asks for it first is who it works for: its log lines name their session.
        work = partial(copy_context().run, _work, self._jobs)
        thread = threading.Thread(target=work, name=name, daemon=True)
        thread.start()
        self.is_alive = thread.is_alive
        """Whether it has not ended yet. Keeps nothing of this object alive."""

    def run(self, job: Callable[[], T]) -> asyncio.Future[T]:
        """What the job returns or raises. A job that nobody waits for any more when its turn comes is left out.

        Raises RuntimeError once closed.
        """
        if not self._end.alive:
            raise RuntimeError("this thread is closed")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._jobs.put((job, loop, done))
        return done

    async def run_in_time(self, job: Callable[[], T], seconds: float) -> T:
        """As `run`. Raises JobHung where the job takes longer; this thread is closed then, and one of HANGS."""
        try:
            async with asyncio.timeout(seconds) as limit:
                return await self.run(job)
        except TimeoutError as error:
            if not limit.expired():
                raise  # the job's own
            self.close()
            HANGS.add(self.is_alive)
            raise JobHung(f"not done within {seconds:g} s") from error

    def close(self) -> None:
        """Ends the thread after the jobs that wait, without waiting for it. Idempotent."""
        self._end()


def _work(jobs: SimpleQueue[Job | None]) -> None:
    while _did_one(jobs):
        pass


def _did_one(jobs: SimpleQueue[Job | None]) -> bool:
    """A function of its own, so that nothing of a job outlives it: it may hold an encoder, or a frame."""
    if (item := jobs.get()) is None:
        return False
    job, loop, done = item
    if done.cancelled():
        return True
    try:
        result, error = job(), None
    except BaseException as raised:
        result, error = None, raised
    with suppress(RuntimeError):  # the loop is closed
        loop.call_soon_threadsafe(_settle, done, result, error)
    return True


def _settle(done: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if done.done():
        return  # cancelled meanwhile
    if error is None:
        done.set_result(result)
    else:
        done.set_exception(error)
