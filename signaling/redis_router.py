"""The `Router` of many signaling processes on many machines: who serves whom is in Redis (`protocol/registry.py`).

The process keeps nothing that another one would miss. What it remembers (the workers it saw last, owners it heard of)
is used only while Redis is away, so that people whose sessions it knows go on; new sessions are refused then.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Literal, Self, TypeVar

import structlog

from protocol.errors import AtCapacity, LacquerError, NotFound, RegistryUnavailable, WorkerUnavailable
from protocol.registry import HEARTBEAT_INTERVAL, USUAL, Listed, Placed, Refusal, Registry, Timing
from signaling.placement import BACK_AFTER, WorkerView
from signaling.routing import COMES_BACK, POLL_INTERVAL
from signaling.worker_client import WorkerClient

RECONNECT_INTERVAL = 0.5
"""Seconds between two looks for Redis while it is away. In between nobody waits for it."""

ASK_AGAIN = 0.2
"""Seconds between two tries to place a session while a worker is expected back."""

SECOND_LOOK = 0.04
"""Seconds after which workers that looked full are looked at once more, and not again: turning a person away is not
cheap, and somebody may just have left. Workers say that within 20 ms (registration.py), and a refusal is due within
100 ms; whoever is refused asks again by themselves (Retry-After)."""

BACK_GRACE = 1.5 * HEARTBEAT_INTERVAL
"""Seconds after Redis came back in which it may not know all: it may have lost its memory, and workers speak every
2 s."""

MAX_REMEMBERED = 20_000
"""Owners, and releases still to be told."""

MAX_ASKED = 64
"""Workers that are asked for their sessions while Redis is away, every POLL_INTERVAL at most."""

ASKED_FOR = 1.0
"""Seconds that they have to say so: one that hangs holds up nobody's connection."""

Answer = TypeVar("Answer")

log = structlog.get_logger()


class RedisRouter:
    """Enter it before use. It starts without Redis, too, and finds it when it comes."""

    def __init__(
        self,
        url: str,
        *,
        region: str = "",
        secret: str | None = None,
        timing: Timing = USUAL,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Sessions go to workers of `region` first; `secret` is what workers ask of who drains them.

        Raises ValueError for a URL that cannot be used.
        """
        self._registry = Registry(url, timing)
        self._client = WorkerClient(secret)
        self._region = region
        self._clock = clock
        self._name = uuid.uuid4().hex
        self._away = ""
        """Why Redis cannot be asked, if so."""
        self._away_since = self._back_at = float("-inf")
        self._view: list[WorkerView] = []
        self._owners: OrderedDict[str, str] = OrderedDict()
        self._unreleased: OrderedDict[str, str | None] = OrderedDict()
        self._stack = AsyncExitStack()
        self._learning = asyncio.Lock()
        self._learnt_at = float("-inf")
        self._lost = asyncio.Event()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._registry)
            await stack.enter_async_context(self._client)
            await self._look()
            watcher = asyncio.create_task(self._watch(), name="router-watch")
            stack.push_async_callback(_stop, watcher)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    # --- sessions ---------------------------------------------------------------------------------------------------
    async def place(self, session_id: str, *, avoid: Collection[str] = ()) -> str:
        began, looked_twice = self._clock(), False
        while True:
            try:
                placed = await self._ask(lambda: self._registry.place(session_id, self._region, avoid))
            except RegistryUnavailable:
                # Its worker streams on without Redis, and takes this client in again.
                known = await self._remembered(session_id)
                if known is None or known in avoid:
                    raise
                return known
            if placed.url is not None:
                self._remember(session_id, placed.url)
                return placed.url
            if placed.refusal is Refusal.FULL:
                if looked_twice:
                    raise AtCapacity
                looked_twice = True
                await asyncio.sleep(SECOND_LOOK)
            elif self._clock() - began + ASK_AGAIN > self._patience(placed):
                raise WorkerUnavailable(retry_after=BACK_AFTER)
            else:
                await asyncio.sleep(ASK_AGAIN)

    def _patience(self, placed: Placed) -> float:
        """Seconds that are worth waiting, in all, where nobody takes sessions. A worker that went just now is most
        likely being started again; and workers write themselves in anew where Redis was."""
        went = COMES_BACK - placed.left if placed.left is not None else 0.0
        return max(went, BACK_GRACE if self._just_back() else 0.0)

    async def accepted(self, session_id: str) -> None:
        with contextlib.suppress(RegistryUnavailable):  # the reservation ends by itself
            await self._ask(lambda: self._registry.accepted(session_id))

    async def release(self, session_id: str, *, held_by: str | None = None) -> None:
        if held_by in (None, self._owners.get(session_id)):
            self._owners.pop(session_id, None)
        try:
            await self._ask(lambda: self._registry.release(session_id, held_by))
        except RegistryUnavailable:
            self._unreleased[session_id] = held_by
            _keep_within_bounds(self._unreleased)

    async def claim(self, session_id: str, url: str) -> bool:
        try:
            claimed = await self._ask(lambda: self._registry.claim(session_id, url))
        except RegistryUnavailable:
            return self._owners.get(session_id, url) == url
        if claimed:
            self._remember(session_id, url)
        return claimed

    async def owner(self, session_id: str) -> str | None:
        try:
            url = await self._ask(lambda: self._registry.owner(session_id))
        except RegistryUnavailable:
            if known := await self._remembered(session_id):
                return known
            raise
        if url is not None:
            self._remember(session_id, url)
        return url or (self._owners.get(session_id) if self._just_back() else None)

    # --- workers ----------------------------------------------------------------------------------------------------
    async def any_worker(self) -> str:
        try:
            url = await self._ask(self._registry.any_open)
        except RegistryUnavailable:
            open_ones = [worker for worker in self._view if worker.live and not worker.draining]
            url = min(open_ones, key=lambda worker: worker.load).url if open_ones else None
        if url is None:
            raise WorkerUnavailable(retry_after=BACK_AFTER)
        return url

    async def free_slots(self) -> int:
        if free := await self._ask(self._registry.free_slots):
            return free
        await asyncio.sleep(SECOND_LOOK)  # as in `place`
        return await self._ask(self._registry.free_slots)

    async def workers(self) -> list[WorkerView]:
        if not self._away:
            await self._look()
        return self._view

    async def silent(self, url: str) -> None:
        with contextlib.suppress(RegistryUnavailable):
            await self._ask(lambda: self._registry.silent(url))

    async def drain(self, worker_id: str) -> None:
        url = await self._url_of(worker_id)
        await self._client.drain(url)
        await self._tell_status(url, "draining")

    async def undrain(self, worker_id: str) -> None:
        url = await self._url_of(worker_id)
        await self._client.undrain(url)
        await self._tell_status(url, "ok")

    async def _url_of(self, worker_id: str) -> str:
        """Raises NotFound."""
        for view in await self.workers():
            if view.worker_id == worker_id:
                return view.url
        raise NotFound(f"there is no worker {worker_id:.64}")

    async def _tell_status(self, url: str, status: Literal["ok", "draining"]) -> None:
        """So that the next placement knows; the worker's next heartbeat says the same."""
        with contextlib.suppress(RegistryUnavailable):
            await self._ask(lambda: self._registry.set_status(url, status))

    # --- this process among others ----------------------------------------------------------------------------------
    async def leads(self, seconds: float) -> bool:
        try:
            return await self._ask(lambda: self._registry.lead(self._name, seconds))
        except RegistryUnavailable:
            return True  # twice is better than not at all

    def checks(self) -> Mapping[str, str]:
        return {"redis": f"does not answer ({self._away})" if self._away else "ok"}

    # --- Redis, there or away ---------------------------------------------------------------------------------------
    async def _ask(self, call: Callable[[], Awaitable[Answer]]) -> Answer:
        """Raises RegistryUnavailable, at once where Redis is known to be away."""
        if self._away:
            raise RegistryUnavailable(retry_after=BACK_AFTER)
        try:
            return await call()
        except RegistryUnavailable as error:
            self._went_away(error)
            raise RegistryUnavailable(retry_after=BACK_AFTER) from error

    async def _look(self) -> None:
        """Sees which workers there are, and whether Redis is."""
        try:
            listed = await self._registry.view()
        except RegistryUnavailable as error:
            self._went_away(error)
            return
        if self._away:
            log.warning("redis is back", was=self._away)
            self._away, self._back_at = "", self._clock()
        self._view = list(map(_view_of, listed))
        while self._unreleased and not self._away:
            session_id, held_by = self._unreleased.popitem(last=False)
            await self.release(session_id, held_by=held_by)

    async def _watch(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._lost.wait(), POLL_INTERVAL)
            if self._away:
                await asyncio.sleep(RECONNECT_INTERVAL)
            self._lost.clear()
            await self._look()

    async def _remembered(self, session_id: str) -> str | None:
        """The session's worker, without Redis: as the workers themselves say, or else as this process knew it."""
        async with self._learning:
            if self._learnt_at < self._away_since or (
                session_id not in self._owners and self._clock() - self._learnt_at >= POLL_INTERVAL
            ):
                await self._learn_owners()
                self._learnt_at = self._clock()
        return self._owners.get(session_id)

    async def _learn_owners(self) -> None:
        """Asks the workers seen last what they hold: other processes may have moved sessions since this one looked.
        Where there are very many, only some: that has to do."""
        live = [worker.url for worker in self._view if worker.live][:MAX_ASKED]

        async def ask(url: str) -> None:
            with contextlib.suppress(LacquerError):
                for report in await self._client.reports(url):
                    if report.connections:
                        self._remember(report.session_id, url)

        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ASKED_FOR):
                await asyncio.gather(*map(ask, live))

    def _went_away(self, error: RegistryUnavailable) -> None:
        reason = type(error.__cause__).__name__
        if not self._away:
            self._away_since = self._clock()
            log.error("redis is away; running streams go on, new sessions are refused", error=str(error.__cause__))
        self._away = reason
        self._lost.set()

    def _just_back(self) -> bool:
        return self._clock() - self._back_at < BACK_GRACE

    def _remember(self, session_id: str, url: str) -> None:
        self._owners[session_id] = url
        self._owners.move_to_end(session_id)
        _keep_within_bounds(self._owners)


async def _stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _keep_within_bounds(remembered: OrderedDict[str, Answer]) -> None:
    while len(remembered) > MAX_REMEMBERED:
        remembered.popitem(last=False)


def _view_of(listed: Listed) -> WorkerView:
    return WorkerView(
        url=listed.url,
        live=listed.live,
        draining=listed.draining,
        capacity=listed.capacity if listed.live else 0,
        load=listed.load if listed.live else 0,
        worker_id=listed.worker_id,
        region=listed.region,
    )
