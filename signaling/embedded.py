"""Running signaling as a process: by itself, or with media workers as its children (`lacquer serve`)."""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
from contextlib import AsyncExitStack

import structlog
import typer
from aiohttp import web

from signaling.app import create_app
from signaling.launcher import Launcher
from signaling.routing import LocalRouter
from signaling.settings import Settings

log = structlog.get_logger(__name__)

SHUTDOWN_TIMEOUT = 3.0
"""Seconds that open requests and sockets have to finish."""


class PortTaken(OSError):
    """Another program listens there already."""


async def serve_embedded(settings: Settings, workers: int) -> None:
    """Everything on one machine, until SIGINT or SIGTERM. Raises PortTaken or WorkerFailed."""
    assert settings.worker_secret is not None, "embedded workers need a secret, or anybody on this machine is served"
    listener = listen(settings.host, settings.port)
    router = LocalRouter()
    typer.echo(f"Starting {workers} media worker{'s' if workers > 1 else ''} …", err=True)
    async with Launcher(workers, settings.worker_secret, router.add_worker, router.remove_worker):
        await _serve(settings, router, listener)


async def serve_signaling(settings: Settings) -> None:
    """Signaling alone, with the worker at `settings.worker_url`, until SIGINT or SIGTERM. Raises PortTaken."""
    listener = listen(settings.host, settings.port)
    await _serve(settings, LocalRouter([settings.worker_url]), listener)


async def _serve(settings: Settings, router: LocalRouter, listener: socket.socket) -> None:
    stop = _stop_event()
    async with AsyncExitStack() as stack:
        runner = web.AppRunner(
            create_app(settings, router), handler_cancellation=True, shutdown_timeout=SHUTDOWN_TIMEOUT
        )
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.SockSite(runner, listener).start()
        typer.echo(f"Lacquer is ready: {_address(settings, listener)}   (Ctrl-C stops it)", err=True)
        await stop.wait()
        typer.echo("Stopping …", err=True)


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
