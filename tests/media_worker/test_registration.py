"""How a worker makes itself known, with a real Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from media_worker.registration import NoAddress, Registration, State, advertised_url
from protocol.registry import Listed, Registry
from tests.redis_server import RedisServer

URL = "http://10.0.0.5:8001"
IDLE = State(capacity=4, used=0, status="ok", held=frozenset())


class Known:
    """A worker whose state tests change, and what Redis knows of it."""

    def __init__(self, registry: Registry, url: str) -> None:
        self.state = IDLE
        self.registry = registry
        self.registration = Registration(Registry(url), lambda: self.state, url=URL, worker_id="w", region="eu")

    async def until(self, expected: Listed | None, seconds: float = 1.0) -> None:
        async with asyncio.timeout(seconds):
            while await self.registry.view() != ([expected] if expected else []):
                await asyncio.sleep(0.02)


LISTED = Listed(URL, "w", "eu", live=True, draining=False, capacity=4, load=0)


@pytest.fixture
async def known(redis_url: str) -> AsyncIterator[Known]:
    async with Registry(redis_url) as registry:
        yield Known(registry, redis_url)


async def test_it_comes_changes_and_goes(known: Known) -> None:
    async with known.registration:
        await known.until(LISTED)
        known.state = State(4, 1, "ok", frozenset({"s1"}))
        await known.until(replace(LISTED, load=1))  # at once, not with the next beat
        assert await known.registry.owner("s1") == URL
        known.state = State(4, 1, "draining", frozenset({"s1"}))
        await known.until(replace(LISTED, load=1, draining=True))
    assert await known.registry.view() == []
    assert await known.registry.owner("s1") is None


async def test_it_starts_and_stops_without_redis_and_comes_back_with_it(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    async with Registry(server.url) as registry:
        known = Known(registry, server.url)
        async with known.registration:
            await asyncio.sleep(0.3)  # nobody is there
            await asyncio.to_thread(server.start)
            await known.until(LISTED, 3)
            known.state = replace(IDLE, used=1, held=frozenset({"s1"}))
            await asyncio.to_thread(server.stop)
            await asyncio.sleep(0.3)
            await asyncio.to_thread(server.start)  # it has forgotten all
            await known.until(replace(LISTED, load=1), 5)
            assert await registry.owner("s1") == URL
            await asyncio.to_thread(server.stop)


def test_the_address_that_signaling_is_told() -> None:
    near, far = "redis://127.0.0.1:6379", "redis://192.0.2.1:6379"  # RFC 5737: nobody's
    assert advertised_url("http://w:1/", "0.0.0.0", 8001, near) == "http://w:1"
    assert advertised_url(None, "10.1.2.3", 8001, near) == "http://10.1.2.3:8001"
    assert advertised_url(None, "fd00::1", 8001, near) == "http://[fd00::1]:8001"
    for host in ("0.0.0.0", "::"):
        for redis in (near, "unix:///run/redis.sock", "redis://no-such-host.invalid"):
            with pytest.raises(NoAddress, match="LACQUER_WORKER_ADVERTISE"):
                advertised_url(None, host, 8001, redis)
    try:
        derived = advertised_url(None, "0.0.0.0", 8001, far)
    except NoAddress:
        pytest.skip("this machine has no route to anywhere")
    assert derived.endswith(":8001")
    assert not derived.startswith(("http://0.", "http://127."))
