"""Who serves whom, where several processes on several machines must agree: `registry.lua` on a Redis server, called.

Workers write themselves in (`media_worker/registration.py`), signaling places sessions (`signaling/redis_router.py`).
Every step is one script, so none is ever seen half-done.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Collection, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from redis.exceptions import NoScriptError, RedisError

from protocol import redis_url
from protocol.errors import RegistryUnavailable

HEARTBEAT_INTERVAL = 2.0
"""Seconds between two signs of life of a worker."""

DEAD_AFTER = 6.0
"""A worker not heard of for so long is gone: three signs of life in a row were missed."""

RESERVATION_TIMEOUT = 15.0
"""A placement that is neither confirmed nor released by then was forgotten. Connecting takes 5 s at most."""

SILENT_FOR = 3.0
"""A worker that a call did not find is avoided for so long at least, and until it is heard of again."""

TOTAL_TIMEOUT = 2 * redis_url.CALL_TIMEOUT
"""Seconds for any call: finding a connection, connecting and asking included."""

SCRIPT = Path(__file__).with_suffix(".lua").read_text("utf-8")
_SHA = hashlib.sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()  # as Redis names scripts
KEYS = tuple(f"{{lacquer}}:{name}" for name in ("heard", "open", "room", "owners", "totals"))


@dataclass(frozen=True)
class Timing:
    """Seconds; tests hurry."""

    dead_after: float = DEAD_AFTER
    reservation: float = RESERVATION_TIMEOUT
    silent_for: float = SILENT_FOR

    def in_ms(self) -> tuple[int, int, int]:
        return round(self.dead_after * 1000), round(self.reservation * 1000), round(self.silent_for * 1000)


USUAL = Timing()


@dataclass(frozen=True)
class Heartbeat:
    """A worker's sign of life."""

    url: str
    """Where signaling reaches it; its name here."""
    worker_id: str
    run: str
    """Of this process alone: a worker that was started again at the same address holds nothing of the last one's."""
    capacity: int
    used: int
    region: str
    status: Literal["ok", "draining"]
    held: tuple[str, ...] = ()
    """Sessions with a connection."""


class Refusal(StrEnum):
    FULL = "full"
    NONE = "none"


@dataclass(frozen=True)
class Placed:
    """Where a session goes, or why nowhere."""

    url: str | None
    refusal: Refusal | None = None
    left: float | None = None
    """With a refusal, seconds since the last worker went, if one did."""


@dataclass(frozen=True)
class Listed:
    """A worker as the registry knows it."""

    url: str
    worker_id: str
    region: str
    live: bool
    """False where a call did not find it."""
    draining: bool
    capacity: int
    load: int


class Registry:
    """An async context manager; every call is bounded in time and raises RegistryUnavailable where Redis fails."""

    def __init__(self, url: str, timing: Timing = USUAL) -> None:
        """Raises ValueError for a URL that cannot be used."""
        self._address = redis_url.parse(url)
        self._timing = timing.in_ms()
        self._client: redis_url.Client | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self._client = await self._stack.enter_async_context(redis_url.connected(self._address))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client = None
        await self._stack.aclose()

    # --- workers ----------------------------------------------------------------------------------------------------
    async def heartbeat(self, beat: Heartbeat, sampled_at: int) -> int:
        """The server's time in ms. `sampled_at` is when the worker counted, by that clock, or earlier: see `Moment`."""
        about = (beat.url, beat.worker_id, beat.run, beat.capacity, beat.used, beat.region, beat.status)
        return int(await self._call("heartbeat", *about, sampled_at, *beat.held))

    async def leave(self, url: str, run: str) -> None:
        await self._call("leave", url, run)

    async def set_status(self, url: str, status: Literal["ok", "draining"]) -> None:
        """What a worker was just told; it says so itself with its next heartbeat."""
        await self._call("status", url, status)

    async def silent(self, url: str) -> None:
        """A call did not find the worker."""
        await self._call("silent", url)

    async def view(self) -> list[Listed]:
        return [
            Listed(url, worker_id, region, live, status != "ok", capacity, load)
            for url, worker_id, region, live, status, capacity, load in json.loads(await self._call("view"))
        ]

    async def any_open(self) -> str | None:
        """The least loaded worker that takes sessions."""
        return await self._call("any") or None

    async def free_slots(self) -> int:
        return int(await self._call("free"))

    # --- sessions ---------------------------------------------------------------------------------------------------
    async def place(self, session_id: str, region: str, avoid: Collection[str]) -> Placed:
        outcome, detail = await self._call("place", session_id, region, *avoid)
        if outcome == "ok":
            return Placed(detail)
        return Placed(None, Refusal(outcome), detail / 1000 if detail >= 0 else None)

    async def accepted(self, session_id: str) -> None:
        await self._call("accepted", session_id)

    async def release(self, session_id: str, url: str | None) -> None:
        """Where `url` is given, only if that worker owns the session."""
        await self._call("release", session_id, url or "")

    async def claim(self, session_id: str, url: str) -> bool:
        return bool(await self._call("claim", session_id, url))

    async def owner(self, session_id: str) -> str | None:
        return await self._call("owner", session_id) or None

    # --- among processes --------------------------------------------------------------------------------------------
    async def lead(self, name: str, seconds: float) -> bool:
        """Whether the process of this name does, for so long, what only one shall do."""
        return bool(await self._call("lead", name, round(seconds * 1000)))

    async def _call(self, operation: str, *arguments: str | int) -> Any:
        assert self._client is not None, "enter the registry first"
        asked = (*KEYS, operation, *self._timing, *arguments)
        with _cancellable():
            try:
                async with asyncio.timeout(TOTAL_TIMEOUT):
                    try:
                        return await self._client.evalsha(_SHA, len(KEYS), *asked)
                    except NoScriptError:  # a server that was started just now
                        return await self._client.eval(SCRIPT, len(KEYS), *asked)
            except (RedisError, OSError, TimeoutError) as error:
                raise RegistryUnavailable from error


@contextmanager
def _cancellable() -> Iterator[None]:
    """redis-py 8.1 swallows a cancellation that comes while it greets the server on a new connection: the call goes on,
    and whoever cancelled a task that never ends by itself would wait for ever."""
    task = asyncio.current_task()
    assert task is not None
    before = task.cancelling()
    try:
        yield
    finally:
        if task.cancelling() > before:
            raise asyncio.CancelledError


class Moment:
    """The Redis server's time as a worker knows it: never ahead of the real one, so that a heartbeat does not claim to
    have counted what came later. Zero before the first answer."""

    def __init__(self) -> None:
        self._said = 0
        self._heard_at = 0.0

    def heard(self, server_ms: int, now: float) -> None:
        """The server said so; the answer came at `now`, in seconds of a monotonic clock."""
        self._said, self._heard_at = server_ms, now

    def at(self, now: float) -> int:
        return self._said + int((now - self._heard_at) * 1000) if self._said else 0
