"""Counting in this process and in Redis: one suite for both, then what only many processes and a real Redis show."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

import aiohttp
import pytest
from structlog.testing import capture_logs

from signaling import redis_counter
from signaling.buckets import Rate, Verdict
from signaling.rates import Counter, Limit, LocalCounter
from signaling.redis_counter import RedisCounter
from tests.protocol import test_redis_url
from tests.redis_server import RedisServer
from tests.scale.parts import Parts
from tests.signaling.conftest import SECRET_KEY, Clock

ICE_SERVERS = "/api/try-on/ice-servers/"
ANSWERS_WITHIN = 0.4
"""Seconds on a machine that is busy with other things, for what takes PATIENCE."""


class Counting(Protocol):
    counter: Counter

    async def pass_time(self, seconds: float) -> None: ...


class Local:
    def __init__(self) -> None:
        self.clock = Clock()
        self.counter: Counter = LocalCounter(self.clock)

    async def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)


class InRedis:
    """Buckets are made older, rather than waited for."""

    def __init__(self, server: RedisServer, counter: Counter) -> None:
        self.server, self.counter = server, counter

    async def pass_time(self, seconds: float) -> None:
        for key in keys(self.server):
            full_at = self.server.command("GET", key)
            assert isinstance(full_at, bytes)
            self.server.command("SET", key, int(full_at) - round(seconds * 1e6), "KEEPTTL")


def keys(server: RedisServer) -> list[str]:
    found = server.command("KEYS", "*")
    assert isinstance(found, list)
    return [key.decode() for key in found]


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a busy machine does not make anybody count alone."""
    monkeypatch.setattr(redis_counter, "PATIENCE", 5.0)


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """One that tests may stop."""
    with RedisServer(tmp_path) as server:
        yield server


@pytest.fixture(params=["local", "redis"])
async def counting(request: pytest.FixtureRequest, patient: None) -> AsyncIterator[Counting]:
    if request.param == "local":
        yield Local()
        return
    server: RedisServer = request.getfixturevalue("redis_server")
    async with process(request.getfixturevalue("redis_url")) as counter:
        yield InRedis(server, counter)


@asynccontextmanager
async def process(url: str, secret: str = SECRET_KEY, instead: Counter | None = None) -> AsyncIterator[RedisCounter]:
    """One of several that share a Redis."""
    async with RedisCounter(url, secret, instead or LocalCounter(time.time)) as counter:
        yield counter


def limit(count: int, seconds: float = 60.0, name: str = "uploads") -> Limit:
    return Limit(name, Rate(count, seconds), "pictures")


async def allowed(counter: Counter, it: Limit, times: int, key: str = "a") -> int:
    return sum([(await counter.take(it, key)).allowed for _ in range(times)])


# --- both -----------------------------------------------------------------------------------------------------------
async def test_all_at_once_or_bit_by_bit(counting: Counting) -> None:
    assert await allowed(counting.counter, limit(6), 10) == 6
    await counting.pass_time(31)
    assert await allowed(counting.counter, limit(6), 10) == 3
    await counting.pass_time(1000)
    assert await allowed(counting.counter, limit(6), 10) == 6, "no more than a bucket full"


async def test_a_verdict_tells_what_is_left_and_how_long_to_wait(counting: Counting) -> None:
    assert [(await counting.counter.take(limit(2), "a")).remaining for _ in range(2)] == [1, 0]
    await counting.pass_time(10)
    refused = await counting.counter.take(limit(2), "a")
    assert (refused.allowed, refused.remaining) == (False, 0)
    assert 15 < refused.wait < 20.1, "a busy machine takes seconds off"
    await counting.pass_time(refused.wait + 0.001)
    assert (await counting.counter.take(limit(2), "a")).allowed


async def test_asking_too_early_does_not_make_the_wait_longer(counting: Counting) -> None:
    assert await allowed(counting.counter, limit(1), 50) == 1
    await counting.pass_time(60)
    assert await allowed(counting.counter, limit(1), 50) == 1


async def test_neither_keys_nor_limits_share(counting: Counting) -> None:
    for name, key in (("uploads", "a"), ("uploads", "b"), ("offers", "a")):
        assert await allowed(counting.counter, limit(1, name=name), 2, key) == 1


async def test_who_only_asks_takes_nothing(counting: Counting) -> None:
    for _ in range(5):
        assert await counting.counter.take(limit(1), "a", 0) == Verdict(allowed=True, remaining=1, wait=0)
    assert await allowed(counting.counter, limit(1), 2) == 1
    assert not (await counting.counter.take(limit(1), "a", 0)).allowed


async def test_zero_is_no_limit(counting: Counting) -> None:
    assert await allowed(counting.counter, limit(0), 100) == 100


async def test_a_clock_set_back_locks_nobody_out(counting: Counting) -> None:
    assert await allowed(counting.counter, limit(2), 2) == 2
    await counting.pass_time(-3600)
    await allowed(counting.counter, limit(2), 5)
    await counting.pass_time(31)
    assert await allowed(counting.counter, limit(2), 5) == 1


@pytest.mark.parametrize("count", [1, 3, 7, 60, 499])
async def test_all_of_a_bucket_is_there_whatever_the_numbers(counting: Counting, count: int) -> None:
    """The parts of a second that a token is worth are rarely whole."""
    assert await allowed(counting.counter, limit(count, 24 * 3600), count + 2) == count


# --- in Redis -------------------------------------------------------------------------------------------------------
async def test_processes_count_together_and_two_at_once_take_no_more(redis_url: str, patient: None) -> None:
    async with process(redis_url) as one, process(redis_url) as two:
        calls = [each.take(limit(10), "a") for _ in range(20) for each in (one, two)]
        assert sum(verdict.allowed for verdict in await asyncio.gather(*calls)) == 10


async def test_redis_holds_neither_addresses_nor_owners_and_forgets_full_buckets(
    redis_server: RedisServer, redis_url: str, patient: None
) -> None:
    async with process(redis_url) as counter:
        for number in range(50):
            await counter.take(limit(60), "203.0.113.77 \udcff" + "x" * number)
        kept = keys(redis_server)
        assert len(kept) == 50
        assert all(key.startswith("{lacquer}:rate:uploads:") and len(key) == 55 for key in kept)
        assert all(0 < int(str(redis_server.command("PTTL", key))) <= 1000 for key in kept), "one token: a second"
    async with process(redis_url, secret="another key") as stranger:
        await stranger.take(limit(60), "203.0.113.77 \udcff")
        assert len(keys(redis_server)) == 51, "nor can it be told by trying all addresses, without the key"


@pytest.fixture
def parts(redis: RedisServer, tmp_path: Path) -> Iterator[Parts]:
    """Two `lacquer signaling` that let an address ask for relays six times a minute, and no worker."""
    started = Parts(tmp_path, redis)
    try:
        started.signaling = [started.signaling_process(LACQUER_RATE_ICE_SERVERS="6") for _ in range(2)]
        yield started
    finally:
        started.kill()


@pytest.mark.long
async def test_two_real_processes_share_a_limit_and_each_has_its_own_without_redis(parts: Parts) -> None:
    async with aiohttp.ClientSession() as http:
        assert [await asked(http, parts, number) for number in range(12)] == [200] * 6 + [429] * 6
        await asyncio.to_thread(parts.redis.stop)
        assert [await asked(http, parts, number) for number in range(16)] == [200] * 12 + [429] * 4


async def asked(http: aiohttp.ClientSession, parts: Parts, number: int) -> int:
    """The status that one process after the other answers with."""
    async with http.get(parts.signaling[number % 2].url + ICE_SERVERS) as response:
        return response.status


cluster, sentinel = test_redis_url.cluster, test_redis_url.sentinel
"""Fixtures."""


async def test_a_cluster_takes_it(cluster: RedisServer, patient: None) -> None:
    await takes_it(f"redis+cluster://127.0.0.1:{cluster.port}", cluster)


async def test_the_master_that_sentinel_names_takes_it(
    sentinel: int, redis_server: RedisServer, redis_url: str, patient: None
) -> None:
    await takes_it(f"redis+sentinel://127.0.0.1:{sentinel}/nails/0", redis_server)


async def takes_it(url: str, server: RedisServer) -> None:
    async with process(url) as counter:
        assert await allowed(counter, limit(3), 5) == 3
    assert len(keys(server)) == 1


# --- Redis away -----------------------------------------------------------------------------------------------------
async def test_a_redis_that_hangs_holds_up_nobody_and_is_found_again(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_counter, "ASK_AGAIN", 0.2)
    async with process(redis.url) as counter:
        monkeypatch.setattr(redis_counter, "PATIENCE", 5.0)
        assert await allowed(counter, limit(3), 5) == 3
        monkeypatch.setattr(redis_counter, "PATIENCE", 0.05)
        await asyncio.to_thread(redis.pause)
        with capture_logs() as events:
            longest, counted = 0.0, 0
            for _ in range(20):
                began = time.monotonic()
                counted += (await counter.take(limit(3), "a")).allowed
                longest = max(longest, time.monotonic() - began)
                await asyncio.sleep(0.02)
        assert longest < ANSWERS_WITHIN
        assert counted == 3, "this process counts by itself"
        assert [event["event"] for event in events] == ["redis does not answer; each process counts by itself"]
        await asyncio.to_thread(redis.go_on)
        with capture_logs() as events:
            async with asyncio.timeout(10):
                while not events:
                    await counter.take(limit(3), "b")
                    await asyncio.sleep(0.05)
        assert "redis is back" in events[0]["event"]


async def test_without_redis_from_the_start_each_counts_by_itself(redis: RedisServer, patient: None) -> None:
    await asyncio.to_thread(redis.stop)
    async with process(redis.url) as counter:
        assert await allowed(counter, limit(3), 5) == 3


async def test_a_call_that_is_late_is_no_leak(redis: RedisServer, hurried: None) -> None:
    async with process(redis.url) as counter:
        await counter.take(limit(3), "a")
        await asyncio.to_thread(redis.pause)
        assert await allowed(counter, limit(3), 5, "c") == 3
        began = time.monotonic()
    assert time.monotonic() - began < 3
