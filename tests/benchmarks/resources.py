"""What a worker holds, seen from outside: what grows without an end shows here first."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass

import psutil
from aiohttp import ClientSession

from tests.benchmarks.streams import metrics

LOOK_AGAIN = 0.25


@dataclass(frozen=True)
class Resources:
    rss_mb: float
    tasks: int
    threads: int
    files: int
    sockets: int
    used: int
    """Slots."""
    heap_used_mb: float
    heap_free_mb: float
    """Of the C library's heaps: where memory grows, this tells a leak from holes. NaN where it does not say."""

    def left_beyond(self, before: Resources, *, threads: int = 0) -> dict[str, int]:
        """What there is more than before, memory apart; so many further threads are none of anybody's."""
        allowed = {"threads": threads}
        now, then = asdict(self), asdict(before)
        more = {name: now[name] - then[name] for name in ("tasks", "threads", "files", "sockets", "used")}
        return {name: count for name, count in more.items() if count > allowed.get(name, 0)}


async def taken(http: ClientSession, url: str, process: psutil.Process) -> Resources:
    async with http.get(f"{url}/health") as response:
        health = await response.json()
    told = await metrics(http, url)
    return Resources(
        rss_mb=round(process.memory_info().rss / 2**20, 1),
        tasks=int(told["lacquer_tasks", ""]),
        threads=process.num_threads(),
        files=process.num_fds(),
        sockets=len(process.net_connections("all")),
        used=health["used"],
        heap_used_mb=round(told["lacquer_heap_used_bytes", ""] / 2**20, 1),
        heap_free_mb=round(told["lacquer_heap_free_bytes", ""] / 2**20, 1),
    )


async def settled(
    look: Callable[[], Awaitable[Resources]], before: Resources, *, within: float, threads: int = 0
) -> Resources:
    """As soon as nothing is left beyond `before`, or what there is when the time is up."""
    deadline = time.monotonic() + within
    while (now := await look()).left_beyond(before, threads=threads) and time.monotonic() < deadline:
        await asyncio.sleep(LOOK_AGAIN)
    return now
