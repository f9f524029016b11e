"""What RedisRouter does beyond every Router: several processes that agree, and a Redis that goes away."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from protocol.errors import AtCapacity, RegistryUnavailable, WorkerUnavailable
from signaling.redis_router import RedisRouter
from tests.redis_server import HURRIED, RedisServer
from tests.signaling.conftest import SESSIONS, Start, refused
from tests.signaling.fake_worker import FakeWorker
from tests.signaling.fleets import QUICK, SECRET, registered
from tests.signaling.test_routing import stream

DESIGN = {"mode": "explore", "post_id": 1}


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """One that tests may stop."""
    with RedisServer(tmp_path) as server:
        yield server


def router(redis: RedisServer) -> RedisRouter:
    return RedisRouter(redis.url, secret=SECRET, timing=QUICK)


async def known(one: RedisRouter, *workers: FakeWorker) -> None:
    async with asyncio.timeout(4):
        urls = {worker.url for worker in workers}
        while one.checks()["redis"] != "ok" or {view.url for view in await one.workers()} != urls:
            await asyncio.sleep(0.02)


# --- several processes ----------------------------------------------------------------------------------------------
async def test_two_processes_see_the_same_and_never_place_too_many(redis: RedisServer) -> None:
    async with FakeWorker(capacity=5) as a, FakeWorker(capacity=5) as b, AsyncExitStack() as stack:
        for worker in (a, b):
            await stack.enter_async_context(registered(redis.url, worker))
        one, two = [await stack.enter_async_context(router(redis)) for _ in range(2)]
        await known(one, a, b)
        calls = [each.place(f"s{number}-{name}") for number in range(8) for name, each in (("1", one), ("2", two))]
        placed = await asyncio.gather(*calls, return_exceptions=True)
        assert Counter(url for url in placed if isinstance(url, str)) == {a.url: 5, b.url: 5}
        assert Counter(type(refusal) for refusal in placed if not isinstance(refusal, str)) == {AtCapacity: 6}
        (first,) = [url for url in placed[:1] if isinstance(url, str)]
        assert await two.owner("s0-1") == first
        await two.release("s0-1")
        assert await one.owner("s0-1") is None


async def test_one_process_leads_the_others_follow(redis: RedisServer) -> None:
    async with router(redis) as one, router(redis) as two:
        assert [await one.leads(5), await two.leads(5), await one.leads(5)] == [True, False, True]


# --- full -----------------------------------------------------------------------------------------------------------
async def test_a_full_fleet_refuses_within_a_tenth_of_a_second(redis: RedisServer, start: Start) -> None:
    async with FakeWorker(capacity=0) as worker, registered(redis.url, worker):
        one = router(redis)
        lacquer = await start(router=one)
        await known(one, worker)
        seconds = []
        for _ in range(15):
            began = time.monotonic()
            await refused(await lacquer.client.post(SESSIONS, json=DESIGN), 503, "at_capacity")
            seconds.append(time.monotonic() - began)
            began = time.monotonic()
            with pytest.raises(AtCapacity):
                await one.place("s1")
            seconds.append(time.monotonic() - began)
        assert statistics.median(seconds) < 0.1


async def test_a_place_that_is_free_a_moment_later_is_found(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signaling.redis_router.SECOND_LOOK", 0.5)  # on a busy machine, a worker may speak late
    async with FakeWorker(capacity=1) as worker, registered(redis.url, worker), router(redis) as one:
        stream(worker, "s1")
        await known(one, worker)
        while await one.free_slots():
            pass
        waiting = asyncio.create_task(one.place("s2"))
        await asyncio.sleep(0.05)
        worker.sessions.clear()
        assert await waiting == worker.url


# --- Redis away -----------------------------------------------------------------------------------------------------
async def test_while_redis_is_away_known_sessions_go_on_and_new_ones_are_refused(redis: RedisServer) -> None:
    async with FakeWorker() as worker, AsyncExitStack() as stack:
        registration = registered(redis.url, worker)
        await stack.enter_async_context(registration)
        one = await stack.enter_async_context(router(redis))
        await known(one, worker)
        assert await one.place("s1") == worker.url
        assert one.checks() == {"redis": "ok"}
        await asyncio.to_thread(redis.stop)

        assert await one.owner("s1") == worker.url
        assert await one.place("s1") == worker.url
        assert await one.claim("s1", worker.url)
        assert not await one.claim("s1", "http://elsewhere:1")
        assert await one.any_worker() == worker.url
        assert [view.url for view in await one.workers()] == [worker.url]
        assert await one.leads(5)
        await one.accepted("s1")
        await one.silent(worker.url)
        for call in (one.place("s2"), one.owner("s2"), one.free_slots(), one.place("s1", avoid=[worker.url])):
            with pytest.raises(RegistryUnavailable) as refusal:
                await call
            assert refusal.value.retry_after
        assert one.checks()["redis"].startswith("does not answer")
        await one.release("s1")  # told later

        await asyncio.to_thread(redis.start)
        began = time.monotonic()
        await known(one, worker)
        assert await one.place("s2") == worker.url
        assert time.monotonic() - began < 5
        assert one.checks() == {"redis": "ok"}


async def test_what_another_process_placed_is_learnt_from_the_workers(redis: RedisServer) -> None:
    async with FakeWorker() as worker, registered(redis.url, worker), router(redis) as one, router(redis) as two:
        await known(two, worker)
        two._remember("s0", "http://gone:1")  # it moved from there through the other process
        for session_id in ("s0", "s1"):
            await one.place(session_id)
            stream(worker, session_id)
        await asyncio.to_thread(redis.stop)
        assert [await two.owner("s0"), await two.owner("s1")] == [worker.url, worker.url]
        with pytest.raises(RegistryUnavailable):
            await two.owner("s2")


async def test_a_worker_that_hangs_holds_up_what_others_say_only_for_a_moment(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signaling.redis_router.ASKED_FOR", 0.3)
    async with (
        FakeWorker() as a,
        FakeWorker() as b,
        registered(redis.url, a),
        registered(redis.url, b),
        router(redis) as one,
    ):
        await known(one, a, b)
        stream(a, "s1")
        b.delay = 10
        await asyncio.to_thread(redis.stop)
        async with asyncio.timeout(2):
            assert await one.owner("s1") == a.url


async def test_what_was_released_meanwhile_is_released_afterwards(redis: RedisServer, hurried: None) -> None:
    async with FakeWorker() as worker, registered(redis.url, worker), router(redis) as one:
        await known(one, worker)
        await one.place("s1")
        await asyncio.to_thread(redis.pause)
        await one.release("s1")
        await asyncio.to_thread(redis.go_on)
        async with asyncio.timeout(4):
            while one.checks() != {"redis": "ok"} or await one.owner("s1"):
                await asyncio.sleep(0.05)


async def test_a_redis_that_hangs_costs_everybody_little(redis: RedisServer, hurried: None) -> None:
    async with FakeWorker() as worker, registered(redis.url, worker), router(redis) as one:
        await known(one, worker)
        await one.place("s1")
        await asyncio.to_thread(redis.pause)
        try:
            began = time.monotonic()
            with pytest.raises(RegistryUnavailable):
                await one.free_slots()
            assert time.monotonic() - began < 2 * HURRIED + 0.3
            began = time.monotonic()
            for _ in range(50):
                assert await one.owner("s1") == worker.url
            assert time.monotonic() - began < 0.5  # it is known to be away
        finally:
            await asyncio.to_thread(redis.go_on)


async def test_it_starts_without_redis(tmp_path: Path) -> None:
    redis = RedisServer(tmp_path)
    async with router(redis) as one:
        with pytest.raises(RegistryUnavailable):
            await one.place("s1")
        with pytest.raises(WorkerUnavailable):
            await one.any_worker()
        await asyncio.to_thread(redis.start)
        async with asyncio.timeout(3):
            while one.checks() != {"redis": "ok"}:
                await asyncio.sleep(0.05)
        await asyncio.to_thread(redis.stop)


async def test_people_are_told_to_come_back(start: Start, redis: RedisServer) -> None:
    """Over REST: a session of before streams on, a new one gets 503, and readyz says why."""
    async with FakeWorker() as worker, registered(redis.url, worker):
        lacquer = await start(router=router(redis))
        assert isinstance(lacquer.router, RedisRouter)
        await known(lacquer.router, worker)
        created = await lacquer.create()
        socket = await lacquer.connect(created["session_id"])
        await asyncio.to_thread(redis.stop)

        response = await lacquer.client.post(SESSIONS, json={"mode": "explore", "post_id": 1})
        await refused(response, 503, "registry_unavailable")
        assert int(response.headers["Retry-After"]) > 0
        readiness = await (await lacquer.client.get("/readyz")).json()
        assert readiness["checks"]["redis"].startswith("does not answer")
        assert (readiness["status"], readiness["free_slots"]) == ("not_ready", 0)
        assert (await lacquer.client.get("/healthz")).status == 200

        await socket.send_str("still here")
        assert await socket.receive_str() == "still here"
        await socket.close()
        again = await lacquer.connect(created["session_id"])
        await again.close()
        await lacquer.sweep()
        path = f"{SESSIONS}{created['session_id']}/"
        assert (await lacquer.get(path))["status"] == "created"
        assert (await lacquer.client.post(f"{path}extend/")).status == 200
        assert (await lacquer.client.delete(path)).status == 204
        assert worker.ended == [(created["session_id"], "ended")]

        await asyncio.to_thread(redis.start)
        async with asyncio.timeout(5):
            while (await lacquer.client.get("/readyz")).status != 200:
                await asyncio.sleep(0.1)
        assert (await (await lacquer.client.get("/readyz")).json())["checks"]["redis"] == "ok"
        await lacquer.create()
