"""How late an event loop runs: the first sign that a process has too little CPU for what it does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

INTERVAL = 0.25
DECAY = 0.9
"""A spike halves in about two seconds."""


class LoopLag:
    """Sleeps a known time over and over, and keeps the recent worst lateness."""

    def __init__(self, told: Callable[[float], None]) -> None:
        """`told` hears it four times a second, in seconds."""
        self.recent_ms = 0.0
        self._told = told

    async def measure(self) -> None:
        """For ever; run it as a task."""
        while True:
            before = time.monotonic()
            await asyncio.sleep(INTERVAL)
            late_ms = (time.monotonic() - before - INTERVAL) * 1000
            self.recent_ms = max(late_ms, self.recent_ms * DECAY)
            self._told(self.recent_ms / 1000)
