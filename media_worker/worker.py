"""The worker as a process: binds its port, serves until it is told to stop, drains, and leaves.

lacquer worker --port 8001        or, as a child of `lacquer serve`:  python -m media_worker
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import cv2
import structlog
from aiohttp import web

from media_worker import memory, watchdog
from media_worker.admission import Sessions
from media_worker.pipeline import load_networks
from media_worker.registration import Registration, State, advertised_url
from media_worker.server import WorkerApi
from media_worker.settings import WorkerSettings
from media_worker.vision import models
from media_worker.vision.hangs import HANGS
from protocol import tracing
from protocol.errors import LacquerError
from protocol.redis_url import without_password
from protocol.registry import Registry

new_event_loop: Callable[[], asyncio.AbstractEventLoop]
try:
    import uvloop
except ImportError:  # there is none for Windows
    new_event_loop = asyncio.new_event_loop
else:
    new_event_loop = uvloop.new_event_loop

log = structlog.get_logger(__name__)

LOOK_INTERVAL = 1.0
IDLE_TIMEOUT = 60.0
"""Seconds that a connection of the internal API may go without a whole request; aiohttp itself gives an hour. Signaling
keeps one for 15 s."""

MOST_HANGS = 3
"""Threads that hang before the worker leaves. One or two do no harm; more of them wait for what will not come back."""


def run(settings: WorkerSettings, ready: Callable[[str], None], *, until_stdin_ends: bool = False) -> None:
    """`serve` on the cheapest event loop there is: uvloop takes 0.1 ms less a frame than asyncio's own."""
    tracing.configure("lacquer-worker", settings.worker_id)
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(serve(settings, ready, until_stdin_ends=until_stdin_ends))
    if HANGS.count():  # Python would wait for them for ever
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(watchdog.EXIT_CODE)


async def serve(settings: WorkerSettings, ready: Callable[[str], None], *, until_stdin_ends: bool = False) -> None:
    """Runs until SIGTERM or SIGINT (or, for a child, until its parent is gone). `ready` gets the URL once it listens.

    Raises ModelUnavailable without a hand model, OSError where the port cannot be bound.
    """
    model_path = models.find(settings.hand_model)
    memory.limit_heaps()
    cv2.setNumThreads(1)  # one stream's OpenCV must not take the other streams' cores
    api = WorkerApi(settings, model_path)
    runner = _runner(api.app())
    await runner.setup()
    try:
        site = web.TCPSite(runner, settings.worker_host, settings.worker_port)
        await site.start()
        url = f"http://{settings.worker_host}:{runner.addresses[0][1]}"
        log.info("worker listens", url=url, worker=settings.worker_id, capacity=settings.worker_capacity)
        async with watchdog.watched(settings.stall_seconds), _registered(api, settings, runner.addresses[0][1]):
            ready(url)
            # Beside the first guest, who may be on the way already: a worker that was started again has some waiting.
            loading = asyncio.create_task(_load(model_path))
            told = _stop_event(until_stdin_ends)
            fit = asyncio.create_task(_leave_when_unfit(told))
            await told.wait()
            fit.cancel()
            await asyncio.gather(fit, return_exceptions=True)
            await loading
            await _drain(api.sessions, settings.drain_seconds, told, child=until_stdin_ends)
    finally:
        await runner.cleanup()
        await tracing.close()


def _runner(app: web.Application) -> web.AppRunner:
    return web.AppRunner(app, handler_cancellation=True, shutdown_timeout=2, keepalive_timeout=IDLE_TIMEOUT)


@asynccontextmanager
async def _registered(api: WorkerApi, settings: WorkerSettings, port: int) -> AsyncIterator[None]:
    """Known to all signaling processes through Redis, where there is one. Raises NoAddress."""
    if settings.redis_url is None:
        yield
        return

    def state() -> State:
        sessions = api.sessions
        status: Literal["ok", "draining"] = "draining" if sessions.draining else "ok"
        return State(sessions.capacity, sessions.used, status, sessions.held())

    advertise, host, redis = settings.worker_advertise, settings.worker_host, settings.redis_url
    url = await asyncio.to_thread(advertised_url, advertise, host, port, redis)
    log.info("worker registers", redis=without_password(redis), url=url, region=settings.region)
    async with Registration(Registry(redis), state, url=url, worker_id=settings.worker_id, region=settings.region):
        yield


async def _drain(sessions: Sessions, seconds: float, told: asyncio.Event, *, child: bool) -> None:
    """Until everybody has left or the time is up; told to stop once more, at once. Children of `lacquer serve` are told
    twice by one Ctrl-C, and wait all the same."""
    told.clear()
    draining = asyncio.create_task(sessions.drain(seconds))
    again = asyncio.create_task(asyncio.sleep(seconds + 1) if child else told.wait())
    done, _ = await asyncio.wait({draining, again}, return_when=asyncio.FIRST_COMPLETED)
    for task in (draining, again):
        task.cancel()
    await asyncio.gather(draining, again, return_exceptions=True)
    if draining in done:
        draining.result()


async def _load(model_path: Path) -> None:
    try:
        await asyncio.to_thread(load_networks, model_path)
    except LacquerError as error:
        log.error("networks not loaded; each session will try again", error=str(error))


async def _leave_when_unfit(told: asyncio.Event) -> None:
    """Sets `told` when too many threads hang: another process begins without them."""
    while HANGS.count() < MOST_HANGS:  # noqa: ASYNC110  # threads that hang set no event
        await asyncio.sleep(LOOK_INTERVAL)
    log.error(
        "too many models or encoders hang; this worker drains and leaves, to be started anew", threads=HANGS.count()
    )
    told.set()


def _stop_event(until_stdin_ends: bool) -> asyncio.Event:
    """Set by SIGTERM, SIGINT or, for a child, when its parent is gone."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if until_stdin_ends:
        # The parent holds the other end of this pipe and never writes: readable means closed, so the parent is gone.
        def parent_gone() -> None:
            loop.remove_reader(sys.stdin.fileno())
            stop.set()

        loop.add_reader(sys.stdin.fileno(), parent_gone)
    return stop


def announce(url: str) -> None:
    """Tells the parent process where this worker listens: one line of JSON on stdout."""
    print(json.dumps({"url": url}), flush=True)
