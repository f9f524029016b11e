"""Work that must not stop half-way when the client that asked for it hangs up.

aiohttp cancels the handler of a request whose client is gone. That is right for most work, but a session that is
marked as ended must also be taken off its worker, and a stored picture must get its row.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import structlog

Answer = TypeVar("Answer")

log = structlog.get_logger()


class Unbroken:
    """Runs such work to its end, and waits for all of it on close."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    async def run(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """The work's answer. Where the caller is cancelled, the work goes on without it."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(_log_failure)
            raise

    def start(self, work: Coroutine[Any, Any, object]) -> None:
        """For work that nobody waits for."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(_log_failure)

    async def close(self) -> None:
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _log_failure(task: asyncio.Task[Any]) -> None:
    """Nobody waits for this answer any more, so the log is the only place that its failure can go."""
    if not task.cancelled() and (error := task.exception()):
        log.error("unattended work failed", exc_info=error)
