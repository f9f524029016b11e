"""How a worker leaves. `tests/scale` sees it as a process."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time

import pytest
from aiohttp import web

from media_worker.admission import Sessions
from media_worker.shelf import Shelf
from media_worker.vision.hangs import Hangs
from media_worker.watchdog import EXIT_CODE
from media_worker.worker import MOST_HANGS, _drain, _leave_when_unfit, _runner
from protocol.internal import SessionSpec
from tests.media_worker.fakes import NO_MODEL, FakeConnection

pytestmark = pytest.mark.usefixtures("fake_vision")


async def occupied() -> tuple[Sessions, FakeConnection]:
    sessions, connection = Sessions(4, NO_MODEL, Shelf()), FakeConnection()
    spec = SessionSpec(session_id="s-1", design_id=1, expires_at=time.time() + 600)
    await sessions.open(spec).attach(connection)
    return sessions, connection


async def free(sessions: Sessions, connection: FakeConnection) -> None:
    await sessions.get("s-1").detach(connection)


async def test_it_leaves_when_the_last_one_is_gone() -> None:
    sessions, connection = await occupied()
    leaving = asyncio.create_task(_drain(sessions, 60, asyncio.Event(), child=False))
    await asyncio.sleep(0.1)
    assert not leaving.done()
    await free(sessions, connection)
    await asyncio.wait_for(leaving, 1)


async def test_told_once_more_it_leaves_at_once() -> None:
    sessions, connection = await occupied()
    told = asyncio.Event()
    told.set()  # the first time
    leaving = asyncio.create_task(_drain(sessions, 60, told, child=False))
    await asyncio.sleep(0.1)
    assert not leaving.done()
    told.set()
    await asyncio.wait_for(leaving, 1)
    await free(sessions, connection)


async def test_a_child_is_told_twice_by_one_ctrl_c() -> None:
    sessions, connection = await occupied()
    told = asyncio.Event()
    leaving = asyncio.create_task(_drain(sessions, 0.3, told, child=True))
    await asyncio.sleep(0.05)
    told.set()
    await asyncio.sleep(0.1)
    assert not leaving.done()
    await asyncio.wait_for(leaving, 1)
    assert connection.closed_with


async def test_a_drain_that_goes_wrong_is_not_kept_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(self: Sessions, within: float) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(Sessions, "drain", broken)
    with pytest.raises(RuntimeError, match="broken"):
        await _drain(Sessions(4, NO_MODEL, Shelf()), 1, asyncio.Event(), child=False)


async def test_too_many_hangs_drain_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    hangs, told = Hangs(), asyncio.Event()
    monkeypatch.setattr("media_worker.worker.HANGS", hangs)
    monkeypatch.setattr("media_worker.worker.LOOK_INTERVAL", 0.01)
    watching = asyncio.create_task(_leave_when_unfit(told))
    for _ in range(MOST_HANGS):
        await asyncio.sleep(0.03)
        assert not told.is_set()
        hangs.add(lambda: True)
    await asyncio.wait_for(told.wait(), 3)
    await watching


@pytest.mark.parametrize("said", [b"", b"GET /health HTTP/1.1\r\nX-Slow: "])
async def test_connections_that_ask_nothing_are_closed(said: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("media_worker.worker.IDLE_TIMEOUT", 0.3)
    runner = _runner(web.Application())
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        reader, writer = await asyncio.open_connection(*runner.addresses[0])
        writer.write(said)
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
    finally:
        await runner.cleanup()


LEAVES_A_HANGING_THREAD = """
import threading
from concurrent.futures import ThreadPoolExecutor
from media_worker import worker
from media_worker.settings import WorkerSettings
from media_worker.vision.hangs import HANGS

hanging = ThreadPoolExecutor(1).submit(threading.Event().wait)

async def serve(*arguments, **options):
    HANGS.add(lambda: not hanging.done())

worker.serve = serve
worker.run(WorkerSettings(), print)
"""


def test_a_worker_with_threads_that_hang_ends_all_the_same() -> None:
    """Python would wait for them for ever, and no supervisor would start another worker."""
    done = subprocess.run([sys.executable, "-c", LEAVES_A_HANGING_THREAD], timeout=30, check=False)
    assert done.returncode == EXIT_CODE
