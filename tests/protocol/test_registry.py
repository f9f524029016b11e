"""The script in Redis: what the tests of routers, which see it from outside, cannot tell apart."""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from protocol.errors import RegistryUnavailable
from protocol.registry import KEYS, SCRIPT, Heartbeat, Moment, Placed, Refusal, Registry, Timing
from tests.redis_server import HURRIED, RedisServer

QUICK = Timing(dead_after=0.3, reservation=0.2, silent_for=0.2)
A = Heartbeat("http://a:8001", "a", "run-1", capacity=2, used=0, region="", status="ok")
B = replace(A, url="http://b:8001", worker_id="b")


@pytest.fixture
async def registry(redis_url: str) -> AsyncIterator[Registry]:
    async with Registry(redis_url, QUICK) as one:
        yield one


async def test_a_forgotten_reservation_ends_by_itself(registry: Registry) -> None:
    now = await registry.heartbeat(A, 0)
    await registry.place("s1", "", ())
    await registry.heartbeat(A, now)
    assert await registry.free_slots() == 1
    await asyncio.sleep(QUICK.reservation)
    await registry.heartbeat(A, now)
    assert await registry.free_slots() == 2


async def test_what_a_worker_counted_before_it_accepted_ends_no_reservation(registry: Registry) -> None:
    before = await registry.heartbeat(A, 0)
    await registry.place("s1", "", ())
    await asyncio.sleep(0.005)
    await registry.accepted("s1")
    after = await registry.heartbeat(A, before)
    assert await registry.free_slots() == 1
    await registry.heartbeat(A, after + 1)
    assert await registry.free_slots() == 2


async def test_a_session_that_a_worker_holds_is_not_counted_twice(registry: Registry) -> None:
    await registry.heartbeat(A, 0)
    await registry.place("s1", "", ())
    await registry.heartbeat(replace(A, used=1, held=("s1",)), 0)
    assert await registry.free_slots() == 1


async def test_held_sessions_are_claimed_but_not_taken_away(registry: Registry) -> None:
    """So that all is known again soon after Redis lost its memory, and a session that moved stays where it went."""
    await registry.heartbeat(replace(A, used=1, held=("s1",)), 0)
    await registry.heartbeat(replace(B, used=1, held=("s1", "s2")), 0)
    assert (await registry.owner("s1"), await registry.owner("s2")) == (A.url, B.url)


async def test_a_worker_started_again_at_the_same_address_owns_nothing(registry: Registry) -> None:
    await registry.heartbeat(A, 0)
    await registry.place("s1", "", ())
    await registry.silent(A.url)
    again = replace(A, run="run-2")
    await registry.heartbeat(again, 0)
    assert await registry.owner("s1") is None
    assert await registry.free_slots() == 2
    await registry.leave(A.url, A.run)  # the late farewell of the last one
    assert len(await registry.view()) == 1
    await registry.leave(A.url, again.run)
    assert await registry.view() == []


async def test_a_worker_in_another_region_is_found_there_alone(registry: Registry) -> None:
    await registry.heartbeat(replace(A, region="eu"), 0)
    await registry.heartbeat(replace(A, region="us"), 0)
    await registry.heartbeat(replace(B, region="eu", used=1), 0)
    assert (await registry.place("s1", "eu", ())).url == B.url
    assert (await registry.place("s2", "us", ())).url == A.url


async def test_a_silent_worker_is_heard_again_only_after_a_while(registry: Registry) -> None:
    """One that signaling cannot reach may still reach Redis."""
    await registry.heartbeat(A, 0)
    await registry.silent(A.url)
    await registry.heartbeat(A, 0)
    refused = await registry.place("s1", "", ())
    assert (refused.refusal, [each.live for each in await registry.view()]) == (Refusal.NONE, [False])
    assert refused.left is not None
    assert 0 <= refused.left < 0.2
    await asyncio.sleep(QUICK.silent_for + 0.01)
    assert (await registry.place("s1", "", ())).url is None  # time alone does not do
    await registry.heartbeat(A, 0)
    assert await registry.place("s1", "", ()) == Placed(A.url)


async def test_the_dead_are_buried_with_all_they_owned(registry: Registry, redis_server: RedisServer) -> None:
    await registry.heartbeat(A, 0)
    for number in range(3):
        await registry.place(f"s{number}", "", ())
        await registry.claim(f"idle-{number}", A.url)
    await asyncio.sleep(QUICK.dead_after)
    assert await registry.owner("s1") is None
    assert await registry.free_slots() == 0
    assert redis_server.command("KEYS", "*") == [b"{lacquer}:totals"]


async def test_every_key_lies_in_one_slot_of_a_cluster(registry: Registry, redis_server: RedisServer) -> None:
    await registry.heartbeat(replace(A, region="eu"), 0)
    await registry.place("s1", "eu", ())
    await registry.lead("p1", 5)
    keys = redis_server.command("KEYS", "*")
    assert isinstance(keys, list)
    assert len(keys) > 6
    assert all(key.startswith(b"{lacquer}:") for key in [*keys, *(name.encode() for name in KEYS)])
    assert set(re.findall(r"'([^' ]*lacquer[^']*)'", SCRIPT)) == {"{lacquer}:", "{lacquer}:leader"}


async def test_one_process_leads(registry: Registry) -> None:
    assert await registry.lead("p1", 0.1)
    assert not await registry.lead("p2", 0.1)
    assert await registry.lead("p1", 0.1)
    await asyncio.sleep(0.12)
    assert await registry.lead("p2", 0.1)


async def test_no_worker_ever_holds_more_than_it_can(redis_url: str) -> None:
    """Ten placers at once, with sessions that are accepted, counted, given up and forgotten in between."""
    rng, workers = random.Random(7), [replace(A, url=f"http://w{n}:1", worker_id=f"w{n}") for n in range(5)]
    usual = Timing()
    held: dict[str, set[str]] = {worker.url: set() for worker in workers}
    async with Registry(redis_url, usual) as registry:

        async def speak() -> None:
            for worker in workers:
                sessions = held[worker.url]
                assert len(sessions) <= worker.capacity
                await registry.heartbeat(replace(worker, used=len(sessions), held=tuple(sessions)), 0)

        async def place(name: int) -> None:
            for number in range(40):
                session = f"s{name}-{number}"
                placed = await registry.place(session, "", ())
                if placed.url is None:
                    assert placed.refusal is Refusal.FULL
                    continue
                held[placed.url].add(session)
                assert len(held[placed.url]) <= A.capacity
                await registry.accepted(session)
                await asyncio.sleep(rng.random() / 200)
                held[placed.url].discard(session)
                await registry.release(session, placed.url)

        await speak()
        placers = [asyncio.create_task(place(name)) for name in range(10)]
        while not all(placer.done() for placer in placers):
            # Nobody tells the registry that a session left but `release`: what it counts is never too little.
            await asyncio.sleep(0.002)
        await asyncio.gather(*placers)
        await speak()
        assert await registry.free_slots() == 10
        loads = Counter(each.load for each in await registry.view())
        assert loads == {0: 5}


def test_a_workers_idea_of_the_servers_time_is_never_ahead() -> None:
    moment = Moment()
    assert moment.at(5.0) == 0
    moment.heard(1_000_000, now=10.0)
    assert moment.at(10.25) == 1_000_250


async def test_a_server_that_is_away_is_told_at_once() -> None:
    async with asyncio.timeout(1), Registry("redis://127.0.0.1:9/0") as registry:
        with pytest.raises(RegistryUnavailable):
            await registry.view()


async def test_a_server_that_hangs_costs_bounded_time(redis_server: RedisServer, redis_url: str, hurried: None) -> None:
    async with Registry(redis_url) as registry:
        await registry.view()
        redis_server.pause()
        try:
            async with asyncio.timeout(2 * HURRIED + 0.3):
                with pytest.raises(RegistryUnavailable):
                    await registry.view()
        finally:
            redis_server.go_on()


async def test_a_call_is_cancelled_even_while_it_connects(redis_server: RedisServer, redis_url: str) -> None:
    """redis-py 8.1 swallows most of these; see `_cancellable`."""
    async with AsyncExitStack() as stack:
        registries = [await stack.enter_async_context(Registry(redis_url)) for _ in range(40)]
        redis_server.pause()
        calls = [asyncio.create_task(registry.view()) for registry in registries]
        await asyncio.sleep(0.05)
        redis_server.go_on()
        cancelled = []
        for call in calls:
            await asyncio.sleep(0.0002)
            if call.cancel():
                cancelled.append(call)
        await asyncio.wait(calls, timeout=5)
        assert cancelled
        assert all(call.cancelled() for call in cancelled)
