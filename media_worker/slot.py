"""One place for heavy work on single pictures: live streams come first."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from media_worker.measures import PICTURE_JOBS
from protocol.errors import AtCapacity

T = TypeVar("T")

NICENESS = 10
"""Added to the process's own: a tenth of the processor time of a stream where both want the core."""

WEAKEST = 19
"""Linux knows no lower priority."""


class Slot:
    """Runs one job at a time in a thread, and lets `places` of them wait, the one at work included. Close it when done.

    Threads cannot be cancelled. A job whose caller is gone runs to its end before the next one begins, for a second
    one beside it would take another stream's core; one that still waits never begins.
    """

    def __init__(self, name: str, places: int) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name, initializer=_give_way)
        self._places, self._taken = places, 0
        self._jobs = PICTURE_JOBS.labels(name)

    async def run(self, job: Callable[[], T]) -> T:
        """The job's result. Raises AtCapacity where too many wait."""
        if self._taken >= self._places:
            raise AtCapacity("this worker has too many pictures to look at; try again in a moment")
        self._taken += 1
        self._jobs.inc()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, job)
        finally:
            self._taken -= 1
            self._jobs.dec()

    async def close(self) -> None:
        """Waits for the job at work; those that wait are dropped."""
        await asyncio.to_thread(self._executor.shutdown, wait=True, cancel_futures=True)


def _give_way() -> None:
    """Lets this thread, and those that it starts, work when no stream wants the core. Linux has a priority a thread;
    elsewhere one may set that of a process alone. Never raises a priority: that needs privileges."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, min(os.getpriority(os.PRIO_PROCESS, thread) + NICENESS, WEAKEST))
