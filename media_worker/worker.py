"""The worker as a process: binds its port, serves until it is told to stop, drains, and leaves.

lacquer worker --port 8001        or, as a child of `lacquer serve`:  python -m media_worker
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import structlog
from aiohttp import web

from media_worker import memory
from media_worker.pipeline import load_networks
from media_worker.server import WorkerApi
from media_worker.settings import WorkerSettings
from media_worker.vision import models
from protocol.errors import LacquerError

new_event_loop: Callable[[], asyncio.AbstractEventLoop]
try:
    import uvloop
except ImportError:  # there is none for Windows
    new_event_loop = asyncio.new_event_loop
else:
    new_event_loop = uvloop.new_event_loop

log = structlog.get_logger(__name__)


def run(settings: WorkerSettings, ready: Callable[[str], None], *, until_stdin_ends: bool = False) -> None:
    """`serve` on the cheapest event loop there is: uvloop takes 0.1 ms less a frame than asyncio's own."""
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(serve(settings, ready, until_stdin_ends=until_stdin_ends))


async def serve(settings: WorkerSettings, ready: Callable[[str], None], *, until_stdin_ends: bool = False) -> None:
    """Runs until SIGTERM or SIGINT (or, for a child, until its parent is gone). `ready` gets the URL once it listens.

    Raises ModelUnavailable without a hand model, OSError where the port cannot be bound.
    """
    model_path = models.find(settings.hand_model)
    memory.limit_heaps()
    cv2.setNumThreads(1)  # one stream's OpenCV must not take the other streams' cores
    api = WorkerApi(settings, model_path)
    runner = web.AppRunner(api.app(), handler_cancellation=True, shutdown_timeout=2)
    await runner.setup()
    try:
        site = web.TCPSite(runner, settings.worker_host, settings.worker_port)
        await site.start()
        url = f"http://{settings.worker_host}:{runner.addresses[0][1]}"
        log.info("worker listens", url=url, worker=settings.worker_id, capacity=settings.worker_capacity)
        ready(url)
        # Beside the first guest, who may be on the way already: a worker that was started again has some waiting.
        loading = asyncio.create_task(_load(model_path))
        await _told_to_stop(until_stdin_ends)
        await loading
        await api.sessions.drain(settings.drain_seconds)
    finally:
        await runner.cleanup()


async def _load(model_path: Path) -> None:
    try:
        await asyncio.to_thread(load_networks, model_path)
    except LacquerError as error:
        log.error("networks not loaded; each session will try again", error=str(error))


async def _told_to_stop(until_stdin_ends: bool) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if until_stdin_ends:
        # The parent holds the other end of this pipe and never writes: readable means closed, so the parent is gone.
        loop.add_reader(sys.stdin.fileno(), stop.set)
    await stop.wait()
    if until_stdin_ends:
        loop.remove_reader(sys.stdin.fileno())


def announce(url: str) -> None:
    """Tells the parent process where this worker listens: one line of JSON on stdout."""
    print(json.dumps({"url": url}), flush=True)
