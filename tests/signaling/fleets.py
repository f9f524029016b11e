"""Workers and a router over them, of either kind, for the tests that both must pass."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Protocol, Self

from media_worker.registration import Registration, State
from protocol.registry import DEAD_AFTER, Registry, Timing
from signaling.redis_router import RedisRouter
from signaling.routing import COMES_BACK, LocalRouter, Router
from tests.signaling.conftest import Clock
from tests.signaling.fake_worker import FakeWorker

SECRET = "worker-secret"

QUICK = Timing(dead_after=0.5, reservation=1.0, silent_for=0.3)
"""What takes seconds in production and cannot be had by moving a clock."""

QUICK_INTERVAL = 0.02
"""Seconds between signs of life."""


class Fleet(Protocol):
    """An async context manager."""

    @property
    def router(self) -> Router: ...

    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *exception: object) -> None: ...

    async def join(self, *workers: FakeWorker) -> None:
        """They are known, and live, when this returns."""

    async def leave(self, worker: FakeWorker) -> None:
        """It is gone for good, and says so."""

    async def die(self, worker: FakeWorker) -> None:
        """It is gone without a word, and that has been noticed when this returns."""

    async def wait_long(self) -> None:
        """Until nobody expects a worker back that has left."""

    async def counted(self) -> None:
        """Workers have said what they hold by now."""


class LocalFleet:
    def __init__(self, region: str = "") -> None:
        self.clock = Clock()
        self.router = LocalRouter(region=region, secret=SECRET, clock=self.clock)

    async def __aenter__(self) -> Self:
        await self.router.__aenter__()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.router.__aexit__(None, None, None)

    async def join(self, *workers: FakeWorker) -> None:
        for worker in workers:
            self.router.add_worker(worker.url)
        await self.counted()

    async def leave(self, worker: FakeWorker) -> None:
        self.router.remove_worker(worker.url)

    async def die(self, worker: FakeWorker) -> None:
        await worker.stop()
        self.clock.advance(DEAD_AFTER)
        await self.counted()  # the others answer

    async def wait_long(self) -> None:
        self.clock.advance(COMES_BACK)

    async def counted(self) -> None:
        self.clock.advance(0.001)  # no two moments are the same
        await self.router._poll()


class RedisFleet:
    def __init__(self, url: str, region: str = "") -> None:
        self.url = url
        self.router = RedisRouter(url, region=region, secret=SECRET, timing=QUICK)
        self._stack = AsyncExitStack()
        self._speaking: dict[str, Registration] = {}

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.router)
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._stack.aclose()

    async def join(self, *workers: FakeWorker) -> None:
        for worker in workers:
            registration = registered(self.url, worker)
            await self._stack.enter_async_context(registration)
            self._speaking[worker.url] = registration
        await self.counted()

    async def leave(self, worker: FakeWorker) -> None:
        await self._speaking.pop(worker.url).__aexit__(None, None, None)

    async def die(self, worker: FakeWorker) -> None:
        await worker.stop()
        await hush(self._speaking.pop(worker.url))
        await asyncio.sleep(QUICK.dead_after + QUICK_INTERVAL)

    async def wait_long(self) -> None:
        await asyncio.sleep(0.01)  # the test made COMES_BACK shorter than that

    async def counted(self) -> None:
        await asyncio.sleep(10 * QUICK_INTERVAL)


def registered(url: str, worker: FakeWorker) -> Registration:
    """What makes this worker known in Redis; enter it."""

    def state() -> State:
        held = frozenset(session_id for session_id, each in worker.sessions.items() if each.connections)
        return State(worker.capacity, worker.used, "draining" if worker.draining else "ok", held)

    registry = Registry(url, QUICK)
    return Registration(
        registry, state, url=worker.url, worker_id=worker.worker_id, region=worker.region, interval=QUICK_INTERVAL
    )


async def hush(registration: Registration) -> None:
    """As if its process was killed: no farewell."""
    assert registration._speaker
    registration._speaker.cancel()
    await asyncio.gather(registration._speaker, return_exceptions=True)
