"""One place for heavy work on single pictures: live streams come first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from protocol.errors import AtCapacity

T = TypeVar("T")


class Slot:
    """Runs one job at a time in a thread, and lets `places` of them wait, the one at work included. Close it when done.

    Threads cannot be cancelled. A job whose caller is gone runs to its end before the next one begins, for a second
    one beside it would take another stream's core; one that still waits never begins.
    """

    def __init__(self, name: str, places: int) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._places, self._taken = places, 0

    async def run(self, job: Callable[[], T]) -> T:
        """The job's result. Raises AtCapacity where too many wait."""
        if self._taken >= self._places:
            raise AtCapacity("this worker has too many pictures to look at; try again in a moment")
        self._taken += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, job)
        finally:
            self._taken -= 1

    async def close(self) -> None:
        """Waits for the job at work; those that wait are dropped."""
        await asyncio.to_thread(self._executor.shutdown, wait=True, cancel_futures=True)
