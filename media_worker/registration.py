"""The worker writes itself into Redis, so that every signaling process finds it: a sign of life every two seconds, and
at once when what it says changes. Streams need none of this: where Redis is away, it serves on and keeps trying.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import secrets
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

import structlog

from protocol import redis_url
from protocol.errors import RegistryUnavailable
from protocol.registry import HEARTBEAT_INTERVAL, Heartbeat, Moment, Registry

LOOK_INTERVAL = 0.02
"""Seconds between two looks at whether there is something new to say, each some microseconds. Signaling waits 40 ms for
a place that may just have been freed (redis_router.py), and refuses people then."""

RETRY_INTERVAL = 1.0
"""Seconds between two tries while Redis is away: it learns of every worker soon after it is back."""

log = structlog.get_logger(__name__)


class NoAddress(ValueError):
    """Nobody knows under which URL signaling reaches this worker."""


@dataclass(frozen=True)
class State:
    """What a worker says of itself."""

    capacity: int
    used: int
    status: Literal["ok", "draining"]
    held: frozenset[str]
    """Sessions with a connection."""


class Registration:
    """An async context manager: registers on the way in, deregisters on the way out, and speaks in between."""

    def __init__(
        self,
        registry: Registry,
        state: Callable[[], State],
        *,
        url: str,
        worker_id: str,
        region: str = "",
        interval: float = HEARTBEAT_INTERVAL,
    ) -> None:
        self._registry, self._state = registry, state
        self._url, self._worker_id, self._region, self._interval = url, worker_id, region, interval
        self._run = secrets.token_hex(8)
        self._server_time = Moment()
        self._said: State | None = None
        self._said_at = float("-inf")
        self._away = False
        self._speaker: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._registry.__aenter__()
        self._speaker = asyncio.create_task(self._keep_speaking(), name="registration")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._speaker is None:  # it has left already
            return
        speaker, self._speaker = self._speaker, None
        speaker.cancel()
        await asyncio.gather(speaker, return_exceptions=True)
        with contextlib.suppress(RegistryUnavailable):  # it learns from our silence, then
            await self._registry.leave(self._url, self._run)
        await self._registry.__aexit__(kind, error, trace)

    async def _keep_speaking(self) -> None:
        while True:
            if self._state() != self._said or time.monotonic() - self._said_at >= self._interval:
                await self._speak()
            await asyncio.sleep(RETRY_INTERVAL if self._away else min(LOOK_INTERVAL, self._interval))

    async def _speak(self) -> None:
        now, state = time.monotonic(), self._state()
        beat = Heartbeat(
            url=self._url,
            worker_id=self._worker_id,
            run=self._run,
            capacity=state.capacity,
            used=state.used,
            region=self._region,
            status=state.status,
            held=tuple(state.held),
        )
        try:
            server_ms = await self._registry.heartbeat(beat, self._server_time.at(now))
        except RegistryUnavailable as error:
            self._missed(error)
            return
        self._server_time.heard(server_ms, time.monotonic())
        self._said, self._said_at = state, now
        if self._away:
            self._away = False
            log.warning("redis is back; registered anew", worker=self._worker_id)

    def _missed(self, error: RegistryUnavailable) -> None:
        self._said = None
        if not self._away:
            self._away = True
            log.error("redis is away; streams go on, nobody new comes", error=str(error.__cause__))


def advertised_url(given: str | None, bound_host: str, port: int, redis: str) -> str:
    """Under which URL signaling reaches this worker. Raises NoAddress.

    A worker that listens on all addresses takes the one from which it reaches Redis, unless Redis is on this machine.
    """
    if given is not None:
        return given.rstrip("/")
    host = bound_host if not _is_any(bound_host) else _own_address(redis_url.parse(redis))
    if host is None:
        raise NoAddress(
            f"LACQUER_WORKER_ADVERTISE: this worker listens on {bound_host}, and no address of it can be told from "
            "REDIS_URL; say under which URL signaling reaches it, such as http://10.0.0.5:8001"
        )
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _is_any(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return not host


def _own_address(redis: redis_url.RedisUrl) -> str | None:
    """The one from which packets to Redis leave; none are sent. None for loopback: others mean themselves by that."""
    for host, port in redis.hosts:
        try:
            (family, kind, *_, address), *_ = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
            with socket.socket(family, kind) as probe:
                probe.connect(address)
                own = str(probe.getsockname()[0])
        except OSError:
            continue
        if not ipaddress.ip_address(own).is_loopback:
            return own
    return None
