"""What `REDIS_URL` may say, and the client that it asks for.

redis://[user:password@]host:port/db       one server          rediss:// the same over TLS
unix:///run/redis.sock?db=0                one server, on this machine
redis+sentinel://host:port,host2:port/service/db    the master that Sentinel names      rediss+sentinel://
redis+cluster://host:port,host2:port       a Redis Cluster, by some of its nodes        rediss+cluster://
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff

CALL_TIMEOUT = 1.0
"""Seconds that Redis has to take a connection, and to answer."""

MAX_CONNECTIONS = 32
"""To one server; more calls at once wait for one of them, at most CALL_TIMEOUT."""

DEFAULT_PORT, SENTINEL_PORT = 6379, 26379

_PLAIN = ("redis", "rediss", "unix")
_FORM = re.compile(r"[a-z+]+://")
_MANY = re.compile(r"(?P<tls>rediss?)\+(?P<kind>sentinel|cluster)")


class Client(Protocol):
    """As much of redis-py's clients as is used here; they share no type of their own."""

    def evalsha(self, sha: str, numkeys: int, *keys_and_args: Any) -> Awaitable[Any]: ...

    def eval(self, script: str, numkeys: int, *keys_and_args: Any) -> Awaitable[Any]: ...


@dataclass(frozen=True)
class RedisUrl:
    """`REDIS_URL`, read."""

    url: str
    kind: str
    """`server`, `sentinel` or `cluster`."""
    hosts: tuple[tuple[str, int], ...] = ()
    username: str | None = None
    password: str | None = None
    tls: bool = False
    service: str = ""
    db: int = 0

    def __repr__(self) -> str:
        return f"RedisUrl({without_password(self.url)!r})"


def parse(url: str) -> RedisUrl:
    """Raises ValueError, in words for the operator and without the password."""
    parts = urlsplit(url)
    if parts.scheme in _PLAIN and _FORM.match(url):
        return _plain(url)
    scheme = _MANY.fullmatch(parts.scheme)
    if scheme is None:
        raise ValueError("should start with redis://, rediss://, unix://, redis+sentinel:// or redis+cluster://")
    credentials, _, places = parts.netloc.rpartition("@")
    username, _, password = credentials.partition(":")
    kind = scheme["kind"]
    default_port = SENTINEL_PORT if kind == "sentinel" else DEFAULT_PORT
    service, _, db = parts.path.strip("/").partition("/")
    if kind == "sentinel" and not service:
        raise ValueError("redis+sentinel:// needs the service's name: redis+sentinel://host:26379/mymaster/0")
    if kind == "cluster" and parts.path.strip("/"):
        raise ValueError("a Redis Cluster has no numbered databases: redis+cluster://host:6379,host2:6379")
    return RedisUrl(
        url=url,
        kind=kind,
        hosts=tuple(_host(place, default_port) for place in places.split(",")),
        username=unquote(username) or None,
        password=unquote(password) or None,
        tls=scheme["tls"] == "rediss",
        service=service,
        db=_number(db or "0", "the database"),
    )


def _plain(url: str) -> RedisUrl:
    parts = urlsplit(url)
    if parts.scheme == "unix":
        if not parts.path.strip("/"):
            raise ValueError("unix:// needs the socket's path: unix:///run/redis/redis.sock")
        return RedisUrl(url=url, kind="server")
    try:
        port = parts.port or DEFAULT_PORT
    except ValueError:
        raise ValueError("the port should be a number up to 65535") from None
    if not parts.hostname:
        raise ValueError("names no host: redis://host:6379/0")
    if parts.path.strip("/"):
        _number(parts.path.strip("/"), "the database")
    return RedisUrl(url=url, kind="server", hosts=((parts.hostname, port),))


def _host(text: str, default_port: int) -> tuple[str, int]:
    found = re.fullmatch(r"(?:\[(?P<v6>[^\]]+)\]|(?P<name>[^:]+))(?::(?P<port>\d{1,5}))?", text)
    if found is None:
        raise ValueError(f"{text!r} is no host:port")
    return found["v6"] or found["name"], int(found["port"] or default_port)


def _number(text: str, what: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise ValueError(f"{what} should be a number, not {text!r}")
    return int(text)


def without_password(url: str) -> str:
    """For logs."""
    return re.sub(r"(?<=://)[^@/]*@", "…@", url)


@asynccontextmanager
async def connected(address: RedisUrl) -> AsyncIterator[Client]:
    """A client that connects when it is first used, and again whenever it must. Every step is bounded in time.

    One repetition without a pause: connections that broke while nobody used them are no failure.
    """
    bounds: dict[str, Any] = {
        "socket_timeout": CALL_TIMEOUT,
        "socket_connect_timeout": CALL_TIMEOUT,
        "retry": Retry(NoBackoff(), 1),
        "driver_info": None,  # redis-py 8 would look its own version up on the disk for every connection
    }
    options: dict[str, Any] = {"decode_responses": True, **bounds}
    if address.kind != "server":
        options |= {"username": address.username, "password": address.password, "ssl": address.tls}
    clients: list[Any]
    if address.kind == "server":
        limits = {"max_connections": MAX_CONNECTIONS, "timeout": CALL_TIMEOUT}
        clients = [Redis.from_pool(BlockingConnectionPool.from_url(address.url, **limits, **options))]
    elif address.kind == "cluster":
        clients = [RedisCluster(startup_nodes=[ClusterNode(host, port) for host, port in address.hosts], **options)]
    else:
        sentinel: Any = Sentinel(list(address.hosts), sentinel_kwargs=bounds)  # type: ignore[no-untyped-call]
        clients = [sentinel.master_for(address.service, db=address.db, **options), *sentinel.sentinels]
    async with AsyncExitStack() as stack:
        for client in clients:
            stack.push_async_callback(client.aclose)
        yield clients[0]
