"""Who serves whom. `Router` is what the rest of signaling sees; `LocalRouter` keeps it all in this process,
`redis_router.RedisRouter` where many processes see it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from types import TracebackType
from typing import Protocol, Self

import aiohttp
import structlog
from pydantic import ValidationError

from protocol.errors import AtCapacity, NotFound, WorkerUnavailable
from protocol.internal import WorkerHealth
from signaling.placement import Placement, WorkerView
from signaling.worker_client import WorkerClient

POLL_INTERVAL = 2.0
POLL_TIMEOUT = 1.5

SECOND_LOOK = 0.05
"""Seconds that workers have to say whether somebody left, before one more is turned away: idle ones take 5 ms. One that
is too busy to say so is no place for one more, and a refusal is due within 100 ms."""

COMES_BACK = 3.5
"""Seconds since the last worker was removed for which a placement waits for the next one: a child of `lacquer serve`
that died is up again after one or two. Less than what connecting may take (service.py)."""

log = structlog.get_logger()


class Router(Protocol):
    """Places sessions on workers and remembers where they are. Enter it before use; it closes itself on exit."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def place(self, session_id: str, *, avoid: Collection[str] = ()) -> str:
        """URL of the worker that is to serve the session, none of `avoid`; reserves a slot there.

        Follow up with `accepted` or `release`. Raises AtCapacity, WorkerUnavailable, RegistryUnavailable.
        """

    async def accepted(self, session_id: str) -> None:
        """The worker took the placed session in."""

    async def release(self, session_id: str, *, held_by: str | None = None) -> None:
        """Forgets who owns the session, and its reservation; where a worker is named, only if it is that one."""

    async def claim(self, session_id: str, url: str) -> bool:
        """Records that this worker holds the session; False where another one owns it."""

    async def owner(self, session_id: str) -> str | None:
        """URL of the live worker that owns the session. Raises RegistryUnavailable where that cannot be known."""

    async def any_worker(self) -> str:
        """URL of a worker for work outside any session. Raises WorkerUnavailable."""

    async def free_slots(self) -> int:
        """Sessions that could start to stream now, over all workers. Raises RegistryUnavailable."""

    async def workers(self) -> list[WorkerView]: ...

    async def silent(self, url: str) -> None:
        """A call did not find this worker: it gets nobody until it is heard of again."""

    async def leads(self, seconds: float) -> bool:
        """Whether, of all signaling processes, this one does for so long what only one needs to do."""

    def checks(self) -> Mapping[str, str]:
        """What it depends on: `ok`, or what is wrong in words."""

    async def drain(self, worker_id: str) -> None:
        """Tells a worker to take nobody in any more, and to ask its clients to connect elsewhere.

        Raises NotFound where no worker has this id, WorkerUnavailable where it does not answer.
        """

    async def undrain(self, worker_id: str) -> None:
        """Tells a worker to take people in again. Raises as `drain`."""


class LocalRouter:
    """For one signaling process: workers known by URL, asked for their health every 2 s.

    `add_worker` and `remove_worker` may be called at any time, before it is entered too.
    """

    def __init__(
        self,
        urls: Iterable[str] = (),
        *,
        region: str = "",
        secret: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Sessions go to workers of `region` first; `secret` is what workers ask of who drains them."""
        self._placement = Placement(region)
        self._client = WorkerClient(secret)
        self._clock = clock
        self._http: aiohttp.ClientSession | None = None
        self._poller: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._polling = asyncio.Lock()
        self._asking: set[asyncio.Task[None]] = set()
        """Polls that somebody asked for who may not wait for them any more."""
        self._polled_at = float("-inf")
        self._removed_at = float("-inf")
        self._heard = asyncio.Event()
        """Set by each healthy answer."""
        for url in urls:
            self.add_worker(url)

    def add_worker(self, url: str) -> None:
        """Takes a worker in; it gets sessions from its first healthy answer on."""
        self._placement.add(url.rstrip("/"))
        self._wake.set()

    def remove_worker(self, url: str) -> None:
        """Forgets a worker and that it owned anything; its sessions are placed anew when clients reconnect."""
        self._placement.remove(url.rstrip("/"))
        self._removed_at = self._clock()

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=POLL_TIMEOUT))
        await self._client.__aenter__()
        await self._poll()  # so that the first request after start finds the workers
        self._poller = asyncio.create_task(self._keep_polling(), name="router-poll")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._poller is not None:
            jobs = (self._poller, *self._asking)
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)
        await self._client.__aexit__(kind, error, trace)
        if self._http is not None:
            await self._http.close()

    async def place(self, session_id: str, *, avoid: Collection[str] = ()) -> str:
        try:
            return self._placement.place(session_id, self._clock(), avoid)
        except AtCapacity:
            await self._ask_again()
            return self._placement.place(session_id, self._clock(), avoid)
        except WorkerUnavailable:
            if not await self._another_comes():
                raise
            return self._placement.place(session_id, self._clock(), avoid)

    async def _another_comes(self) -> bool:
        """Whether a worker answers in time, where one was removed just now and is most likely being started again."""
        left = self._removed_at + COMES_BACK - self._clock()
        if left <= 0:
            return False
        self._heard.clear()
        try:
            async with asyncio.timeout(left):
                await self._heard.wait()
        except TimeoutError:
            return False
        return True

    async def _ask_again(self) -> None:
        """The numbers may be 2 s old: someone may have left since. What comes too late helps who asks next."""
        asking = asyncio.create_task(self._poll(), name="router-asks-again")
        self._asking.add(asking)
        asking.add_done_callback(self._asking.discard)
        await asyncio.wait({asking}, timeout=SECOND_LOOK)

    async def accepted(self, session_id: str) -> None:
        self._placement.accepted(session_id, self._clock())

    async def release(self, session_id: str, *, held_by: str | None = None) -> None:
        self._placement.release(session_id, held_by)

    async def claim(self, session_id: str, url: str) -> bool:
        return self._placement.claim(session_id, url)

    async def owner(self, session_id: str) -> str | None:
        return self._placement.owner(session_id, self._clock())

    async def any_worker(self) -> str:
        return self._placement.any_open(self._clock())

    async def free_slots(self) -> int:
        if free := self._placement.free_slots(self._clock()):
            return free
        await self._ask_again()
        return self._placement.free_slots(self._clock())

    async def workers(self) -> list[WorkerView]:
        return self._placement.views(self._clock())

    async def silent(self, url: str) -> None:
        self._placement.silent(url)
        self._wake.set()

    async def leads(self, seconds: float) -> bool:
        return True

    def checks(self) -> Mapping[str, str]:
        return {}

    async def drain(self, worker_id: str) -> None:
        await self._client.drain(self._url_of(worker_id))
        await self._poll()

    async def undrain(self, worker_id: str) -> None:
        await self._client.undrain(self._url_of(worker_id))
        await self._poll()

    def _url_of(self, worker_id: str) -> str:
        """Raises NotFound."""
        for view in self._placement.views(self._clock()):
            if worker_id and view.worker_id == worker_id:
                return view.url
        raise NotFound(f"there is no worker {worker_id:.64}")

    async def _keep_polling(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), POLL_INTERVAL)
            self._wake.clear()
            await self._poll()

    async def _poll(self) -> None:
        """Asks every worker once. Callers that wait meanwhile share the answer of the next round."""
        wanted_at = self._clock()
        async with self._polling:
            if self._polled_at <= wanted_at:
                self._polled_at = self._clock()
                await asyncio.gather(*map(self._ask, self._placement.urls()))

    async def _ask(self, url: str) -> None:
        assert self._http is not None, "enter the router first"
        asked_at = self._clock()
        try:
            async with self._http.get(f"{url}/health") as response:
                response.raise_for_status()
                health = WorkerHealth.model_validate_json(await response.read())
        except (aiohttp.ClientError, TimeoutError, ValidationError) as error:
            log.debug("worker silent", worker=url, error=str(error) or type(error).__name__)
        else:
            self._placement.heard(url, health, asked_at=asked_at, now=self._clock())
            self._heard.set()
