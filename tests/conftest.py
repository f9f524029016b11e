"""Guards that every test runs under: no blocked event loop, nothing left behind. Fixtures that many tests share."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import threading
import time
import weakref
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

# One thread per numeric library, before any of them is imported: two cores, several processes.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest
from aiohttp import web_app
from aiortc import RTCConfiguration, RTCPeerConnection
from blockbuster import BlockBuster

from media_worker.vision import models
from protocol import logs
from tests.redis_server import HURRIED, RedisServer

BUSY_SECONDS = 0.5
"""CPU time that one callback on the event loop may take in a test, first imports and the test's own work included."""

SETTLE_SECONDS = 5.0
"""How long threads and tasks have to end after a test."""

ALLOWED_TO_BLOCK = [
    # aiortc joins a receiver's decoder thread on the loop when a peer closes (design: known traits).
    ("threading.Lock.acquire", "aiortc/rtcrtpreceiver.py", {"_RTCRtpReceiver__stop_decoder", "__stop_decoder"}),
    # A logged exception reads the source lines of its traceback.
    ("os.stat", "linecache.py", {"checkcache", "updatecache"}),
    ("io.BufferedReader.read", "linecache.py", {"updatecache"}),
    ("io.TextIOWrapper.read", "linecache.py", {"updatecache"}),
    # /proc is memory, not a disk.
    ("io.BufferedReader.read", "psutil/_common.py", {"cat"}),
    ("io.TextIOWrapper.read", "psutil/_common.py", {"cat"}),
    ("io.BufferedReader.read", "prometheus_client/process_collector.py", {"collect"}),
    ("os.listdir", "prometheus_client/process_collector.py", {"collect"}),
    # asyncpg looks for ~/.pgpass and ~/.postgresql with each new connection.
    *((call, "asyncpg/connect_utils.py", {"_parse_connect_dsn_and_args"}) for call in ("os.stat", "os.path.abspath")),
]

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"
_peers: weakref.WeakSet[RTCPeerConnection] = weakref.WeakSet()


def pytest_collection_finish() -> None:
    """What is imported and collected by now stays: no collection of garbage need walk through it, on an event loop."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _logs_as_in_production() -> None:
    logs.configure("console")


@pytest.fixture(autouse=True)
def _logs_go_where_they_went() -> Iterator[None]:
    """Commands that are called in this process send them to a stream of theirs, which is closed soon."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    if any(type(handler) is logging.StreamHandler and handler not in before for handler in root.handlers):
        root.handlers[:] = before
        root.setLevel(level)


@pytest.fixture(scope="session", autouse=True)
def _count_peers() -> Iterator[None]:
    original = RTCPeerConnection.__init__

    def counted(self: RTCPeerConnection, configuration: RTCConfiguration | None = None) -> None:
        original(self, configuration)
        _peers.add(self)

    patch = pytest.MonkeyPatch()
    patch.setattr(RTCPeerConnection, "__init__", counted)
    yield
    patch.undo()


@pytest.fixture(autouse=True)
def event_loop_is_never_blocked(request: pytest.FixtureRequest) -> Iterator[None]:
    """File, socket, sleep and lock calls on the event loop fail the test (`blockbuster`), and so does long work."""
    if not asyncio.iscoroutinefunction(getattr(request.node, "obj", None)):
        yield
        return
    guard = BlockBuster(scanned_modules=["media_worker", "signaling", "protocol"])
    for call, file, functions in ALLOWED_TO_BLOCK:
        guard.functions[call].can_block_in(file, functions)
    for function in guard.functions.values():  # Alembic loads its steps in a thread, on a loop with nothing else to do
        function.can_block_in("signaling/migrate.py", {"_upgrade"})
    guard.activate()
    try:
        with busy_callbacks() as busy:
            yield
    finally:
        guard.deactivate()
    assert not busy, f"kept the event loop busy for over {BUSY_SECONDS} s: {busy}"


@contextmanager
def busy_callbacks() -> Iterator[list[str]]:
    """Collects callbacks and task steps that compute for too long: what asyncio's slow-callback log is for.

    That log needs asyncio's debug mode, which slows media down several times, and measures wall time, which a busy
    machine stretches. This counts the thread's own CPU time, at the place where the debug mode does.
    """
    busy: list[str] = []
    run = asyncio.Handle._run

    def timed(handle: asyncio.Handle) -> None:
        began = time.thread_time()
        run(handle)
        if (spent := time.thread_time() - began) > BUSY_SECONDS:
            busy.append(f"{spent:.2f} s in {handle!r}")

    patch = pytest.MonkeyPatch()
    patch.setattr(asyncio.Handle, "_run", timed)
    try:
        yield busy
    finally:
        patch.undo()


@pytest.fixture(autouse=True)
async def nothing_is_left_behind() -> AsyncIterator[None]:
    """Tasks, threads and peer connections that a test starts must be gone soon after it."""
    async with nothing_left():
        yield


@asynccontextmanager
async def nothing_left() -> AsyncIterator[None]:
    """As the fixture says, for the event loop that this runs on."""
    threads, tasks = set(threading.enumerate()), asyncio.all_tasks()
    yield
    # aiohttp 3.14 keeps the last 1024 applications here, databases and all; collecting garbage took half a second then.
    web_app._cached_build_middleware.cache_clear()
    me = asyncio.current_task()

    def left() -> list[object]:
        return [
            *(task for task in asyncio.all_tasks() - tasks if task is not me and not task.done()),
            *(t for t in threading.enumerate() if t not in threads and not t.name.startswith("asyncio_")),
            *(peer for peer in _peers if peer.connectionState != "closed"),
        ]

    deadline = time.monotonic() + SETTLE_SECONDS
    while left() and time.monotonic() < deadline:
        gc.collect()  # what only waits to be collected, as a session that a test drops with its engine, is no leak
        await asyncio.sleep(0.02)
    leaked = left()
    _peers.clear()
    assert not leaked, f"left behind: {leaked}"


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One for all tests that leave it running; `redis_url` empties it first."""
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    redis_server.command("FLUSHALL")
    return redis_server.url


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Redis is given up sooner, by whoever is told of it after this."""
    monkeypatch.setattr("protocol.redis_url.CALL_TIMEOUT", HURRIED)
    monkeypatch.setattr("protocol.registry.TOTAL_TIMEOUT", 2 * HURRIED)


@pytest.fixture(scope="session")
def hand_model() -> Path:
    """The hand model that `make setup` fetched."""
    return models.find()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real photos and videos for measuring; never part of the project."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"needs the real hands in {SHARED_DATA}, which are not part of the project")
    return SHARED_DATA
