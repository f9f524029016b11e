"""A real PostgreSQL that goes away under load, as in a crash, and comes back: what people notice of it.

The long one is behind the marker `outage`: `make test-outage`.
"""

from __future__ import annotations

import asyncio
import base64
import signal
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest

from protocol import framing
from protocol.errors import StoreUnavailable
from signaling import database
from signaling.database import Database, make_engine
from signaling.store import open_store
from tests.postgres import Postgres
from tests.serving import UNLIMITED
from tests.signaling.conftest import RESULTS, SESSIONS, Lacquer, Start, eventually, refused
from tests.signaling.fake_worker import FakeWorker, picture

LENGTHS = [
    pytest.param(1.0, id="a second"),
    pytest.param(60.0, id="a minute", marks=[pytest.mark.outage, pytest.mark.timeout(300)]),
]

REFUSED_WITHIN = database.TRANSACTION_TIMEOUT + 2
RECOVERED_WITHIN = 5.0


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """One that may be stopped. Each test leaves it running."""
    server = Postgres()
    try:
        server.start()
        yield server
    finally:
        server.close()


@dataclass
class Noticed:
    """What one kind of visitor saw, by time."""

    acknowledged: list[tuple[float, float]] = field(default_factory=list)
    """When each was asked for, and answered."""
    refused: list[float] = field(default_factory=list)
    slowest: float = 0.0

    def add(self, began: float, *, good: bool) -> None:
        now = time.monotonic()
        if good:
            self.acknowledged.append((began, now))
        else:
            self.refused.append(now)
        self.slowest = max(self.slowest, now - began)

    @property
    def good(self) -> list[float]:
        return [answered for _, answered in self.acknowledged]

    def longest_gap(self) -> float:
        return max(later - earlier for earlier, later in zip(self.good, self.good[1:], strict=False))


@pytest.mark.parametrize("seconds", LENGTHS)
async def test_streams_go_on_and_nothing_acknowledged_is_lost(
    seconds: float, server: Postgres, start: Start, worker: FakeWorker, capsys: pytest.CaptureFixture[str]
) -> None:
    # A clock that stands still gives nothing back.
    unlimited = {name.removeprefix("LACQUER_").lower(): 0 for name in UNLIMITED}
    lacquer = await start(worker, database_url=await server.create(), sweep_interval=0.2, **unlimited)
    session_id = (await lacquer.create())["session_id"]
    streamed, captured, created = Noticed(), Noticed(), Noticed()
    kept: list[str] = []
    async with (
        in_background(stream(lacquer, session_id, streamed)),
        in_background(capture(lacquer, session_id, captured, kept)),
        in_background(create(lacquer, created)),
    ):
        await eventually(lambda: len(kept) >= 4 and len(streamed.good) >= 4, within=20)
        await asyncio.to_thread(server.stop, signal.SIGQUIT)
        away = time.monotonic()
        await asyncio.sleep(seconds)
        assert (await lacquer.client.get("/healthz")).status == 200
        assert (await lacquer.client.get("/readyz")).status == 503
        await check_socket_refused(lacquer, session_id)
        metrics = await (await lacquer.client.get("/metrics")).text()
        assert "lacquer_database_up 0.0" in metrics
        still_away = time.monotonic()
        await asyncio.to_thread(server.start)  # it serves already when this returns
        back = time.monotonic()
        async with asyncio.timeout(RECOVERED_WITHIN):
            while not (captured.good[-1] > back and created.good[-1] > back):
                await asyncio.sleep(0.02)
    during = [it for it in streamed.good if away < it < back]
    recovery = min(it for it in captured.good if it > back) - back
    with capsys.disabled():
        print(
            f"\nthe database was away for {back - away:.1f} s: {len(during)} frames came through meanwhile, longest "
            f"gap {streamed.longest_gap() * 1000:.0f} ms; {len(captured.refused)} captures and {len(created.refused)} "
            f"sessions refused, slowest answer {max(captured.slowest, created.slowest) * 1000:.0f} ms; captures again "
            f"{recovery * 1000:.0f} ms after it was back; {len(kept)} captures acknowledged"
        )
    assert len(during) > 10 * seconds and streamed.longest_gap() < 1
    assert captured.refused and created.refused
    assert not [answered for asked, answered in captured.acknowledged if away < asked and answered < still_away], (
        "kept where?"
    )
    assert max(captured.slowest, created.slowest) < REFUSED_WITHIN
    assert recovery < RECOVERED_WITHIN
    await check_kept(lacquer, kept)
    with capsys.disabled():
        print("none of them is lost")
    await check_tasks_survived(lacquer, session_id)


@asynccontextmanager
async def in_background(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    yield
    assert not task.done(), task
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def stream(lacquer: Lacquer, session_id: str, noticed: Noticed) -> None:
    """Twenty frames a second over the WebSocket."""
    socket, image = await lacquer.connect(session_id), picture()
    for number in range(1, 10**6):
        began = time.monotonic()
        await socket.send_bytes(framing.pack({"type": "frame", "frame_number": number, "timestamp": 0}, image))
        while (message := await socket.receive(timeout=10)).type is not aiohttp.WSMsgType.BINARY:
            assert message.type is aiohttp.WSMsgType.TEXT, message
        noticed.add(began, good=True)
        await asyncio.sleep(0.05)


async def capture(lacquer: Lacquer, session_id: str, noticed: Noticed, kept: list[str]) -> None:
    """By turns the stream's newest frame, and a picture that is sent along."""
    sent = base64.b64encode(picture()).decode()
    bodies = [{"session_id": session_id}, {"session_id": session_id, "processed_image": sent}]
    while True:
        bodies.reverse()
        began = time.monotonic()
        response = await lacquer.client.post(RESULTS, json=bodies[0])
        if response.status == 201:
            kept.append((await response.json())["result_id"])
        else:
            await check_refused(response)
        noticed.add(began, good=response.status == 201)
        await asyncio.sleep(0.05)


async def create(lacquer: Lacquer, noticed: Noticed) -> None:
    while True:
        began = time.monotonic()
        response = await lacquer.client.post(SESSIONS, json={"mode": "explore", "post_id": 1})
        if response.status != 201:
            await check_refused(response)
        noticed.add(began, good=response.status == 201)
        await asyncio.sleep(0.1)


async def check_refused(response: aiohttp.ClientResponse) -> None:
    await refused(response, 503, "store_unavailable")
    assert int(response.headers["Retry-After"]) > 0


async def check_socket_refused(lacquer: Lacquer, session_id: str) -> None:
    """Who connects anew meanwhile is told why not, and comes back later."""
    socket = await lacquer.client.ws_connect(f"/ws/tryon/{session_id}/")
    assert (await socket.receive_json())["code"] == "store_unavailable"
    await socket.receive()
    assert socket.close_code == 4503


async def check_kept(lacquer: Lacquer, kept: list[str]) -> None:
    for result_id in kept:
        response = await lacquer.client.get(f"{RESULTS}{result_id}/image")
        assert response.status == 200 and await response.read()


async def check_tasks_survived(lacquer: Lacquer, session_id: str) -> None:
    """The sweeper still expires what is due, and retention still deletes what was kept long enough."""
    lacquer.clock.advance(1800)
    await until(lacquer, f"{SESSIONS}{session_id}/", lambda text: '"status":"expired"' in text)
    lacquer.clock.advance(31 * 24 * 3600)
    await until(lacquer, f"{SESSIONS}{session_id}/", lambda text: '"not_found"' in text)


async def until(lacquer: Lacquer, path: str, condition: Callable[[str], bool]) -> None:
    async with asyncio.timeout(15):
        while not condition(await (await lacquer.client.get(path)).text()):
            await asyncio.sleep(0.1)


# --- at the start ---------------------------------------------------------------------------------------------------
async def test_a_store_that_is_opened_while_the_database_is_away_waits_for_it(
    server: Postgres, caplog: pytest.LogCaptureFixture
) -> None:
    url = await server.create()
    await asyncio.to_thread(server.stop)

    async def opened() -> None:
        async with open_store(url) as store:
            await store.ping()

    opening = asyncio.create_task(opened())
    await asyncio.sleep(0.8)
    assert not opening.done()
    await asyncio.to_thread(server.start)
    assert "waiting for the database" in caplog.text and "Connect call failed" in caplog.text
    assert "Traceback" not in caplog.text
    async with asyncio.timeout(10):
        await opening


# --- silence --------------------------------------------------------------------------------------------------------
async def test_a_database_that_says_nothing_is_given_up_on_in_bounded_time(
    server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As behind a cable that was pulled: the server is there, and answers nothing more."""
    monkeypatch.setattr(database, "TRANSACTION_TIMEOUT", 0.5)
    engine = await asyncio.to_thread(make_engine, await server.create())
    frozen = Database(engine)
    try:
        await frozen.ping()
        server.pause()
        began = time.monotonic()
        for _ in range(2):
            with pytest.raises(StoreUnavailable):
                await frozen.ping()
        assert time.monotonic() - began < 8
        server.resume()
        await frozen.ping()
    finally:
        server.resume()
        await engine.dispose()
