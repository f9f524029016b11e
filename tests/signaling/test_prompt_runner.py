"""Raw sockets against the server as `lacquer serve` runs it: silence, slowness, and what is not quite HTTP."""

from __future__ import annotations

import asyncio
import random
import re
import resource
import time
from collections.abc import AsyncIterator
from ipaddress import ip_network
from pathlib import Path

import pytest
import structlog
from aiohttp import web

from signaling import prompt_runner
from signaling.app import create_app
from signaling.prompt_runner import PromptRunner, PromptServer, allow_open_files
from signaling.routing import LocalRouter
from signaling.settings import Settings
from tests.signaling.conftest import SECRET_KEY, SESSIONS

GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
JSON = b"Host: localhost\r\nContent-Type: application/json\r\n"


MOST = 300
"""Connections that one address may have here."""


class Server:
    def __init__(self, runner: PromptRunner, port: int) -> None:
        self.runner, self.port = runner, port

    async def answer(self, request: bytes, within: float = 5, source: str = "127.0.0.1") -> bytes:
        """All that comes back before the server closes, or falls silent for 0.3 s."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, local_addr=(source, 0))
        answer = b""
        try:
            writer.write(request)
            while data := await asyncio.wait_for(reader.read(65536), 0.3 if answer else within):
                answer += data
        except (TimeoutError, ConnectionError):
            pass
        finally:
            writer.close()
        return answer


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    # No proxy is trusted, or connections of this machine would not be counted.
    settings = Settings(
        data_dir=tmp_path, secret_key=SECRET_KEY, sweep_interval=3600, rate_connections=MOST, trusted_proxies=()
    )
    app = await asyncio.to_thread(create_app, settings, LocalRouter(["http://127.0.0.1:9"]))
    runner = PromptRunner(app, handler_cancellation=True, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield Server(runner, runner.addresses[0][1])
    await runner.cleanup()


def statuses(answer: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", answer)]


async def closed_after(server: Server, first: bytes, then: bytes = b"") -> float:
    """Seconds until the server hangs up on who sends `first` and then one byte of `then` every 20 ms."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    began = time.monotonic()
    writer.write(first)
    reading = asyncio.create_task(reader.read())
    for at in range(len(then)):
        if reading.done():
            break
        writer.write(then[at : at + 1])
        await asyncio.sleep(0.02)
    await asyncio.gather(asyncio.wait_for(reading, 5), return_exceptions=True)
    assert reading.done()
    writer.close()
    return time.monotonic() - began


@pytest.mark.parametrize("first", [b"", b"GET /healthz HTTP/1.1\r\nX-Slow: "])
async def test_who_does_not_finish_a_first_request_is_hung_up_on(
    server: Server, first: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompt_runner, "FIRST_REQUEST_TIMEOUT", 0.3)
    assert 0.2 < await closed_after(server, first, b"x" * 150 if first else b"") < 2


async def test_later_requests_have_a_time_limit_too(server: Server) -> None:
    server.runner.server._kwargs["keepalive_timeout"] = 0.4  # type: ignore[union-attr]
    assert 0.3 < await closed_after(server, GET + b"GET /healthz HTTP/1.1\r\nX-Slow: ", b"x" * 200) < 2


async def test_a_quick_client_may_stay(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prompt_runner, "FIRST_REQUEST_TIMEOUT", 0.1)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    for _ in range(3):
        writer.write(GET)
        assert (await reader.readuntil(b"}")).startswith(b"HTTP/1.1 200")
        await asyncio.sleep(0.15)
    writer.close()


async def test_only_so_many_may_wait(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prompt_runner, "MAX_CONNECTIONS", 5)
    silent = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(5)]
    await asyncio.sleep(0.05)
    assert await server.answer(GET) == b""
    for _, writer in silent:
        writer.close()
    await asyncio.sleep(0.05)
    assert statuses(await server.answer(GET)) == [200]


async def test_one_address_cannot_take_all_connections(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real flood of sockets that say nothing, or one byte; people elsewhere are answered all the while."""
    monkeypatch.setattr(prompt_runner, "FIRST_REQUEST_TIMEOUT", 2.0)
    flood = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(MOST + 200)]
    for _, writer in flood[::2]:
        writer.write(b"G")
    others = [reader for reader, _ in flood if not reader.at_eof()]
    async with asyncio.timeout(5):
        while len(others) > MOST:
            await asyncio.sleep(0.02)
            others = [reader for reader in others if not reader.at_eof()]
    assert len(others) == MOST, "those above are hung up on"
    began = time.monotonic()
    assert statuses(await server.answer(GET, source="127.0.0.2")) == [200]
    assert time.monotonic() - began < 2
    assert await server.answer(GET) == b"", "this address has to wait"
    async with asyncio.timeout(10):
        await asyncio.gather(*(reader.read() for reader in others))  # silent ones go by themselves
    assert statuses(await server.answer(GET)) == [200], "and then may come again"
    for _, writer in flood:
        writer.close()


@pytest.mark.parametrize(("proxies", "counted"), [(("10.0.0.0/8",), True), (("127.0.0.0/8", "10.0.0.0/8"), False)])
async def test_a_trusted_proxys_connections_are_of_many_people(
    server: Server, proxies: tuple[str, ...], counted: bool
) -> None:
    served = server.runner.server
    assert isinstance(served, PromptServer)
    served._proxies = [ip_network(proxy) for proxy in proxies]
    served._held.most = 2
    over = [served.let_in(("127.0.0.1", port)) for port in range(1000, 1004)]
    assert [each is None for each in over] == [False, False, counted, counted]
    assert served.let_in("") is not None, "a Unix socket"
    v6 = [served.let_in((f"2001:db8::{port}", port, 0, 0)) for port in range(4)]
    assert [each is None for each in v6] == [False, False, True, True], "one /64 is one client"


def test_more_files_may_be_open() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (512, before[1]))
        allow_open_files()
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 512
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


# --- not quite HTTP -------------------------------------------------------------------------------------------------
SMUGGLED = b"GET /api/schema HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST " + SESSIONS.encode() + b" HTTP/1.1\r\n" + JSON


@pytest.mark.parametrize(
    "request_",
    [
        POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
        POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + SMUGGLED,
        POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello" + SMUGGLED,
        POST + b"Content-Length: 5, 5\r\n\r\nhello" + SMUGGLED,
        POST + b"Content-Length: +5\r\n\r\nhello" + SMUGGLED,
        POST + b"Content-Length: 0x5\r\n\r\nhello" + SMUGGLED,
        POST + b"Content-Length : 5\r\n\r\nhello" + SMUGGLED,
        POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
        POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + SMUGGLED,
        POST + b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
        POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + SMUGGLED,
        POST + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n" + SMUGGLED,
        POST + b"Transfer-Encoding: chunked\r\n\r\n5;\nhello\r\n0\r\n\r\n" + SMUGGLED,
        POST + b"X: a\rContent-Length: 5\r\n\r\nhello" + SMUGGLED,
        POST + b"X: a\0b\r\nContent-Length: 5\r\n\r\nhello" + SMUGGLED,
        b"GET /healthz HTTP/1.1\r\n Host: localhost\r\n\r\n" + SMUGGLED,
    ],
)
async def test_requests_that_two_servers_may_read_in_two_ways_are_read_in_none(server: Server, request_: bytes) -> None:
    """A proxy may see one request where we see two; so what is unclear is refused, and the connection closed."""
    answer = await server.answer(request_)
    assert all(400 <= status < 500 for status in statuses(answer)), answer[:300]
    assert b"openapi" not in answer


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + b"X" * 200_000,
    ],
    ids=["path", "field", "fields", "name"],
)
async def test_headers_have_a_limit(server: Server, head: bytes) -> None:
    answer = await server.answer(head)
    assert statuses(answer) == [400], answer[:200]
    assert b'"code":"bad_request"' in answer and b"XXX" not in answer and b"aaa" not in answer


async def test_a_scanner_fills_no_log(server: Server) -> None:
    with structlog.testing.capture_logs() as lines:
        for _ in range(30):
            assert statuses(await server.answer(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")) == [400]
    assert sum(line["event"] == "requests not understood" for line in lines) == len(lines) <= 6


async def test_pipelined_requests_do_not_pile_up(server: Server) -> None:
    """Ten thousand at once, from one who does not read: a few are worked on, the others wait in the kernel."""
    _, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1024)
    writer.write(GET * 20_000)
    await asyncio.sleep(0.3)
    (handler,) = server.runner.server.connections  # type: ignore[union-attr]
    assert len(handler._messages) <= 200
    writer.transport.abort()
    await asyncio.sleep(0)
    assert statuses(await server.answer(GET)) == [200], "others are served meanwhile"


async def test_whatever_bytes_come_the_answer_is_http_or_none(server: Server) -> None:
    chance = random.Random(4)
    for number in range(150):
        request = bytearray(POST + b"Content-Length: 2\r\nAuthorization: Bearer x\r\nCookie: a=b\r\n\r\n{}")
        for _ in range(chance.randrange(1, 6)):
            at = chance.randrange(len(request))
            request[at : at + chance.randrange(2)] = chance.randbytes(chance.randrange(3))
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(bytes(request))
        writer.write_eof()
        answer = await asyncio.wait_for(reader.read(), 3)
        writer.close()
        assert not answer or answer.startswith(b"HTTP/1."), (number, request)
        assert not answer.startswith(b"HTTP/1.1 5"), (number, request, answer)
