"""Running signaling as a process: by itself, or with media workers as its children (`lacquer serve`)."""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
import ssl
import sys
import time
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import structlog
import typer
from aiohttp import web

from protocol import tracing
from protocol.redis_url import without_password
from signaling.access_log import AccessLog
from signaling.app import create_app
from signaling.lan import Lan, LanPlan, listening, words
from signaling.launcher import Launcher
from signaling.prompt_runner import PromptRunner
from signaling.qr import shows_qr
from signaling.rates import Counter, LocalCounter
from signaling.redis_counter import RedisCounter
from signaling.redis_router import RedisRouter
from signaling.routing import LocalRouter, Router
from signaling.settings import Settings, signing_key

log = structlog.get_logger(__name__)

SHUTDOWN_TIMEOUT = 3.0
"""Seconds that open requests and sockets have to finish."""


LOCAL_PORT = 8000
"""With `--lan`, where plain HTTP listens for this machine's own browsers."""


class PortTaken(OSError):
    """Another program listens there already."""


@dataclass(frozen=True)
class Door:
    """A way in: a bound socket, with TLS or without."""

    listener: socket.socket
    tls: ssl.SSLContext | None = None

    @property
    def port(self) -> int:
        port: int = self.listener.getsockname()[1]
        return port


async def serve_embedded(settings: Settings, workers: int, plan: LanPlan | None = None) -> None:
    """Everything on one machine, until SIGINT or SIGTERM; with a `plan`, for phones in the same network too.

    Raises PortTaken or WorkerFailed.
    """
    assert settings.worker_secret is not None, "embedded workers need a secret, or anybody on this machine is served"
    doors = _lan_doors(plan) if plan else [Door(listen(settings.host, settings.port))]
    lan = listening(plan, doors[-1].port) if plan else None
    router = LocalRouter(secret=settings.worker_secret)
    typer.echo(f"Starting {workers} media worker{'s' if workers > 1 else ''} …", err=True)
    ice_addresses = plan.addresses if plan else ()
    async with Launcher(workers, settings.worker_secret, router.add_worker, router.remove_worker, ice_addresses):
        await _serve(settings, router, doors, lan)


async def serve_signaling(settings: Settings) -> None:
    """Signaling alone, with the workers in Redis or at `settings.worker_url`, until SIGINT or SIGTERM.

    Raises PortTaken.
    """
    door = Door(listen(settings.host, settings.port))
    async with AsyncExitStack() as stack:
        counter = None
        if settings.redis_url is not None:
            key = await asyncio.to_thread(signing_key, settings)
            instead = LocalCounter(time.monotonic)
            counter = await stack.enter_async_context(RedisCounter(settings.redis_url, key, instead))
        await _serve(settings, _router(settings), [door], counter=counter)


def _router(settings: Settings) -> Router:
    if settings.redis_url is not None:
        log.info("workers are found in Redis", redis=without_password(settings.redis_url), region=settings.region)
        return RedisRouter(settings.redis_url, region=settings.region, secret=settings.worker_secret)
    return LocalRouter(settings.worker_urls, region=settings.region, secret=settings.worker_secret)


def _lan_doors(plan: LanPlan) -> list[Door]:
    """Plain HTTP for browsers on this machine, which take it for secure; last, HTTPS for phones. Raises PortTaken."""
    phones = Door(listen(plan.host, plan.port), plan.certificate.context())
    return [Door(_listen_here(taken=phones.port, any_port=plan.port == 0)), phones]


def _listen_here(*, taken: int, any_port: bool) -> socket.socket:
    """On loopback, at the usual port or, where another program has it, at a free one."""
    if any_port or taken == LOCAL_PORT:
        return listen("127.0.0.1", 0)
    try:
        return listen("127.0.0.1", LOCAL_PORT)
    except PortTaken:
        return listen("127.0.0.1", 0)


async def _serve(
    settings: Settings,
    router: Router,
    doors: Sequence[Door],
    lan: Lan | None = None,
    counter: Counter | None = None,
) -> None:
    """Through all doors, until it is told to stop. The first is the one to tell people of."""
    stop = _stop_event()
    tracing.configure("lacquer-signaling")
    async with AsyncExitStack() as stack:
        stack.push_async_callback(tracing.close)
        runner = PromptRunner(
            create_app(settings, router, lan=lan, counter=counter),
            handler_cancellation=True,
            shutdown_timeout=SHUTDOWN_TIMEOUT,
            access_log_class=AccessLog,
        )
        stack.push_async_callback(runner.cleanup)
        if not await _unless_stopped(stop, runner.setup()):  # which waits for a database that is away
            return
        for door in doors:
            await web.SockSite(runner, door.listener, ssl_context=door.tls).start()
        typer.echo(f"Lacquer is ready: {_address(settings, doors[0].listener)}   (Ctrl-C stops it)", err=True)
        if lan is not None:
            typer.echo(f"\n{words(lan, terminal=shows_qr(sys.stderr))}\n", err=True)
        await stop.wait()
        typer.echo("Stopping …", err=True)


async def _unless_stopped(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """False where we were told to stop before the work was done; it is cancelled then."""
    working, stopped = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({working, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            await working
        return working.done()
    finally:
        working.cancel()
        stopped.cancel()
        await asyncio.gather(working, stopped, return_exceptions=True)


def listen(host: str, port: int) -> socket.socket:
    """A bound socket, before anything slow is started. Raises PortTaken with a sentence for people."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(f"port {port} is taken by another program; choose one with --port") from error
        raise OSError(f"cannot listen on {host} port {port}: {error.strerror or error}") from error


def _address(settings: Settings, listener: socket.socket) -> str:
    if settings.public_url:
        return settings.public_url
    host, port = listener.getsockname()[:2]
    # Cameras work on localhost without HTTPS, and only there.
    return f"http://{'localhost' if host in ('0.0.0.0', '127.0.0.1', '::', '::1') else host}:{port}"


def _stop_event() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop
