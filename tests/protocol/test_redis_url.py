"""REDIS_URL: what is understood, what is refused, and that each kind of server is reached."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from protocol import redis_url
from protocol.registry import Heartbeat, Registry
from tests.redis_server import RedisServer, answers, free_port

BEAT = Heartbeat("http://a:8001", "a", "run", capacity=2, used=0, region="eu", status="ok")


def test_lists_of_hosts_are_read() -> None:
    sentinel = redis_url.parse("redis+sentinel://user:p%40ss@s1:26380,[::1],s3/mymaster/2")
    assert sentinel.hosts == (("s1", 26380), ("::1", 26379), ("s3", 26379))
    assert (sentinel.kind, sentinel.service, sentinel.db) == ("sentinel", "mymaster", 2)
    assert (sentinel.username, sentinel.password, sentinel.tls) == ("user", "p@ss", False)
    cluster = redis_url.parse("rediss+cluster://n1:7000,n2")
    assert (cluster.kind, cluster.hosts, cluster.tls) == ("cluster", (("n1", 7000), ("n2", 6379)), True)
    assert redis_url.parse("redis://:secret@cache:6380/1").hosts == (("cache", 6380),)
    assert redis_url.parse("unix:///run/redis.sock").hosts == ()


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://redis:6379", "should start with"),
        ("redis:6379", "should start with"),
        ("redis://", "no host"),
        ("redis://host:port", "port"),
        ("redis://host/first", "number"),
        ("unix://", "path"),
        ("redis+sentinel://host:26379", "service"),
        ("redis+sentinel://host,/mymaster", "host:port"),
        ("redis+sentinel://host/mymaster/x", "number"),
        ("redis+cluster://host/0", "no numbered databases"),
    ],
)
def test_what_cannot_be_used_is_told_in_words(url: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        redis_url.parse(url)


def test_passwords_stay_out_of_logs() -> None:
    url = "redis://user:secret@cache:6379/0"
    assert redis_url.without_password(url) == "redis://…@cache:6379/0"
    assert "secret" not in repr(redis_url.parse(url))


async def works(url: str) -> None:
    async with Registry(url) as registry:
        await registry.heartbeat(BEAT, 0)
        assert (await registry.place("s1", "eu", ())).url == BEAT.url
        assert await registry.free_slots() == 1


async def test_a_socket_is_reached(redis_server: RedisServer, redis_url: str) -> None:
    await works(redis_server.socket_url)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path, "--cluster-enabled", "yes") as server:
        server.command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        deadline = time.monotonic() + 10
        while b"cluster_state:ok" not in _bytes(server.command("CLUSTER", "INFO")):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield server


async def test_a_cluster_takes_the_script(cluster: RedisServer) -> None:
    await works(f"redis+cluster://127.0.0.1:{cluster.port}")


@pytest.fixture
def sentinel(redis_server: RedisServer, tmp_path: Path) -> Iterator[int]:
    port, settings = free_port(), tmp_path / "sentinel.conf"
    settings.write_text(f"port {port}\nbind 127.0.0.1\nsentinel monitor nails 127.0.0.1 {redis_server.port} 1\n")
    process = subprocess.Popen(["redis-server", settings, "--sentinel"], cwd=tmp_path, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 10
    while not answers(port):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    yield port
    process.kill()
    process.wait()


async def test_sentinel_names_the_master(sentinel: int, redis_url: str) -> None:
    await works(f"redis+sentinel://127.0.0.1:{sentinel}/nails/0")


def _bytes(answer: object) -> bytes:
    assert isinstance(answer, bytes | str | dict), answer
    return answer if isinstance(answer, bytes) else str(answer).encode()
