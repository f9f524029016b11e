"""Processes that stop answering: a real worker and a real signaling process, frozen and killed under a stream."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import numpy as np
import psutil
import pytest
from aiohttp.test_utils import TestServer

from media_worker.server import WorkerApi
from media_worker.settings import WorkerSettings
from signaling.routing import LocalRouter
from tests.benchmarks.streams import worker as worker_process
from tests.control_groups import Group, deflate, memory_group
from tests.faults.signaling_process import signaling_process
from tests.media_worker.fakes import NO_MODEL
from tests.rtc_client import RtcClient
from tests.signaling.conftest import SESSIONS, Start, eventually, refused

pytestmark = pytest.mark.media

STALL = 0.3
"""Of the worker's watchdog, which ends it after 1.5 s of stall, and after 4.5 s at the latest."""

FROZEN = 2.0
FRAMES = [np.full((48, 64, 3), shade, np.uint8) for shade in (60, 90)]
OFFER = {"Content-Type": "application/sdp"}


@pytest.fixture(scope="module")
def real_worker() -> Iterator[tuple[str, psutil.Process]]:
    with worker_process(4, LACQUER_STALL_SECONDS=str(STALL)) as started:
        yield started


@asynccontextmanager
async def stream(http: aiohttp.ClientSession, base: str = "") -> AsyncIterator[tuple[RtcClient, str]]:
    """Somebody who sees the own picture come back, and the session."""
    async with http.post(f"{base}{SESSIONS}", json={"mode": "explore", "post_id": 1}) as response:
        session_id = (await response.json())["session_id"]

    async def offer(sdp: str) -> str:
        async with http.post(f"{base}{SESSIONS}{session_id}/webrtc/", data=sdp, headers=OFFER) as response:
            assert response.status == 201, await response.text()
            return await response.text()

    async with RtcClient(FRAMES, codec="VP8", fps=20) as client:
        await client.connect(offer)
        await client.until(lambda: client.pictures and client.of("metadata"), 20)
        yield client, session_id


async def goes_on(client: RtcClient, more: int = 10) -> None:
    seen = len(client.pts)
    await client.until(lambda: len(client.pts) >= seen + more, 10)


@pytest.mark.outage
async def test_a_frozen_worker_gets_nobody_and_goes_on_when_it_thaws(
    real_worker: tuple[str, psutil.Process], start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("DEAD_AFTER", 1.0), ("BACK_AFTER", 1)):
        monkeypatch.setattr(f"signaling.placement.{name}", value)
    for name, value in (("POLL_INTERVAL", 0.2), ("POLL_TIMEOUT", 0.3)):
        monkeypatch.setattr(f"signaling.routing.{name}", value)
    url, process = real_worker
    lacquer = await start(router=LocalRouter([url]))
    async with stream(lacquer.client.session, str(lacquer.client.make_url("")).rstrip("/")) as (client, session_id):
        process.suspend()
        try:
            began = time.monotonic()
            newcomer = (await lacquer.create())["session_id"]
            await asyncio.sleep(FROZEN)
            asked = time.monotonic()
            path = f"{SESSIONS}{newcomer}/webrtc/"
            async with lacquer.client.post(path, data="v=0\r\n", headers=OFFER) as response:
                assert response.status == 503, await response.text()
            assert time.monotonic() - asked < 1, "nobody waits for it"
            assert (await lacquer.client.get("/readyz")).status == 503
            assert time.monotonic() - began < STALL * 15, "or this test is too slow for its own watchdog"
        finally:
            process.resume()
        await goes_on(client)
        assert process.is_running(), "a process that was stopped did not stall"
        async with asyncio.timeout(5):
            while (await lacquer.client.get("/readyz")).status != 200:
                await asyncio.sleep(0.05)
        assert (await lacquer.get(f"{SESSIONS}{session_id}/"))["session_id"] == session_id


async def test_streams_outlive_signaling_that_is_killed_and_the_next_one_knows_them(
    real_worker: tuple[str, psutil.Process], start: Start, tmp_path: Path
) -> None:
    url, _ = real_worker
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as http:
        signaling = signaling_process(tmp_path, url)
        base, process = await asyncio.to_thread(signaling.__enter__)
        async with stream(http, base) as (client, session_id):
            process.send_signal(signal.SIGKILL)
            await asyncio.to_thread(signaling.__exit__, None, None, None)
            await goes_on(client)
            lacquer = await start(router=LocalRouter([url]))  # the same folder, the same key
            await lacquer.sweep()
            again = str(lacquer.client.make_url(f"{SESSIONS}{session_id}/"))
            async with http.get(again) as response:
                assert (response.status, (await response.json())["status"]) == (200, "active")
            async with http.delete(again) as response:
                assert response.status == 204
            await client.until(lambda: any(each["event"] == "ended" for each in client.of("session")))


async def test_people_are_told_where_all_workers_are_short_of_memory(start: Start) -> None:
    """The reserve is set above all that this machine has, so a worker is short from its start."""
    api = WorkerApi(WorkerSettings(memory_reserve=1e9), NO_MODEL)
    async with TestServer(api.app()) as server:
        await eventually(lambda: api.memory.short)
        lacquer = await start(router=LocalRouter([str(server.make_url("")).rstrip("/")]))
        body = {"mode": "explore", "post_id": 1}
        await refused(await lacquer.client.post(SESSIONS, json=body), 503, "at_capacity")


@pytest.fixture
def confined() -> Iterator[tuple[str, Group]]:
    """A real worker in a control group of 700 MB, which is nobody else's, and wants 300 MB to be left."""
    with memory_group(700) as group, worker_process(4, group.enter(), LACQUER_MEMORY_RESERVE="300") as (url, _):
        yield url, group


@pytest.mark.long
async def test_a_worker_in_a_group_that_is_short_of_memory_takes_nobody_in(confined: tuple[str, Group]) -> None:
    """Memory is really taken, in a real control group; the kernel kills nobody."""
    url, group = confined
    async with aiohttp.ClientSession() as http:

        async def capacity() -> int:
            async with http.get(f"{url}/health") as response:
                return int((await response.json())["capacity"])

        async def becomes(wanted: int) -> None:
            async with asyncio.timeout(15):
                while await capacity() != wanted:
                    await asyncio.sleep(0.1)

        await becomes(4)
        balloon = await asyncio.to_thread(group.inflate, 300)
        try:
            await becomes(0)
        finally:
            await asyncio.to_thread(deflate, balloon)
        await becomes(4)
