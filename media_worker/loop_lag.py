"""How late the event loop runs: the first sign that a worker has too little CPU for its streams."""

from __future__ import annotations

import asyncio
import time

import prometheus_client

LAG = prometheus_client.Gauge("lacquer_loop_lag_seconds", "Lateness of the event loop's timers, recent maximum")
TASKS = prometheus_client.Gauge("lacquer_tasks", "Tasks of the event loop: what a leak shows in first")

INTERVAL = 0.25
DECAY = 0.9
"""A spike halves in about two seconds."""


class LoopLag:
    """Sleeps a known time over and over, and keeps the recent worst lateness."""

    def __init__(self) -> None:
        self.recent_ms = 0.0

    async def measure(self) -> None:
        """For ever; run it as a task."""
        while True:
            before = time.monotonic()
            await asyncio.sleep(INTERVAL)
            late_ms = (time.monotonic() - before - INTERVAL) * 1000
            self.recent_ms = max(late_ms, self.recent_ms * DECAY)
            LAG.set(self.recent_ms / 1000)
            TASKS.set(len(asyncio.all_tasks()))
