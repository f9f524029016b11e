"""A model of a live stream is waited for only so long: a frame that waits for ever is worse than one less look.

Each model works in a thread of its own while the frame's thread waits. When that gives up, the look goes on in vain;
until it ends the model is not asked again, and where it does not end, another thread takes its place.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import structlog

from media_worker.vision.hangs import HANGS
from protocol.errors import VisionFailed

log = structlog.get_logger(__name__)
T = TypeVar("T")

TIMES_USUAL = 3
"""A look may take so many times as long as looks usually do: on a busy machine all of them are slow…"""

LEAST, MOST = 0.1, 0.5
"""…but never less or more than this, seconds. At first, while the model still warms up, it is the most."""

MEMORY = 0.2
"""Share of each look in what is usual."""

HANG = 5.0
"""Seconds after which a look is taken for one that never ends: its thread is left to itself."""

CLOSE_TIMEOUT = 3.0
"""Seconds that a look in progress gets to end before its model is abandoned."""


class Overrun(VisionFailed):
    """The model did not answer in time, or still works on an earlier frame."""


class Hung(Overrun):
    """The model seems never to answer; from the next frame on another thread asks it. Said once for each hang."""


class Patience:
    """One model's. `ask` and `close` are called from one thread."""

    def __init__(self, name: str) -> None:
        """The thread's name, and the model's in the log."""
        self._name = name
        self._executor = self._thread()
        self._since = float("-inf")
        self._running: Future[Any] | None = None
        self._usual = MOST / TIMES_USUAL

    @property
    def limit(self) -> float:
        """Seconds that the next look may take."""
        return min(max(TIMES_USUAL * self._usual, LEAST), MOST)

    def ask(self, look: Callable[[], T]) -> T:
        """What `look` gives, from the model's thread. Raises Overrun, and what `look` raises."""
        if self._running and not self._running.done():
            if time.monotonic() - self._since > HANG:
                self._abandon(self._running)
                raise Hung(f"{self._name} hangs; another thread takes over")
            raise Overrun(f"{self._name} still works on an earlier frame")
        self._since = time.monotonic()
        self._running = answer = self._executor.submit(self._timed, look)
        try:
            return answer.result(self.limit)
        except TimeoutError:
            raise Overrun(f"{self._name} did not answer in time") from None

    def _thread(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"vision-{self._name}")

    def _abandon(self, running: Future[Any]) -> None:
        log.error("a model hangs; its thread is abandoned", model=self._name)
        HANGS.add(lambda: not running.done())
        self._executor.shutdown(wait=False)
        self._executor, self._running = self._thread(), None

    def _timed(self, look: Callable[[], T]) -> T:
        began = time.monotonic()
        try:
            return look()
        finally:
            self._usual += MEMORY * (time.monotonic() - began - self._usual)

    def close(self) -> None:
        """Waits for the look in progress, but not for ever. May be called twice."""
        running, self._running = self._running, None
        try:
            if running:
                running.exception(CLOSE_TIMEOUT)
        except TimeoutError:
            assert running, "or there had been nothing to wait for"
            self._abandon(running)
        self._executor.shutdown(wait=False)
