"""Signaling on a real port, with fake workers and a clock that tests move."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from protocol.api import Problem
from signaling import migrate, retention, sweeper
from signaling.app import create_app
from signaling.context import CONTEXT, Context
from signaling.rates import Counter
from signaling.routing import LocalRouter, Router
from signaling.settings import Settings
from signaling.store import Store, open_store
from tests.postgres import Postgres
from tests.s3 import BUCKET, ENVIRONMENT, S3Server
from tests.signaling.fake_worker import FakeWorker

SECRET_KEY = "a key for tests that is long enough for HS256"
SESSIONS = "/api/try-on/sessions/"
RESULTS = "/api/try-on/results/"

Client = TestClient[web.Request, web.Application]


@dataclass
class Clock:
    """Unix time that only moves when told."""

    now: float = field(default_factory=time.time)

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@dataclass(frozen=True)
class Answer:
    status: int
    content_type: str
    headers: Mapping[str, str]
    body: bytes
    next_link: str


@dataclass
class Lacquer:
    """A running signaling service."""

    client: Client
    context: Context
    router: Router
    clock: Clock

    async def create(self, post_id: int = 1, **options: Any) -> dict[str, Any]:
        async with self.client.post(SESSIONS, json={"mode": "explore", "post_id": post_id}, **options) as response:
            assert response.status == 201, await response.text()
            answer: dict[str, Any] = await response.json()
            return answer

    async def get(self, path: str, **options: Any) -> Any:
        async with self.client.get(path, **options) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def follow(self, link: str, **options: Any) -> Answer:
        """An absolute link that an answer gave, read to its end. `TestClient` itself takes paths only."""
        async with self.client.session.get(link, **options) as response:
            next_link = str(response.links["next"]["url"]) if "next" in response.links else ""
            return Answer(response.status, response.content_type, response.headers, await response.read(), next_link)

    async def sweep(self) -> None:
        await sweeper.sweep(self.context)
        await retention.sweep(self.context)

    async def connect(self, session_id: str) -> aiohttp.ClientWebSocketResponse:
        """A legacy socket, past its `ready`."""
        socket = await self.client.ws_connect(f"/ws/tryon/{session_id}/")
        ready = await socket.receive_json()
        assert ready["type"] == "ready", ready
        return socket

    def stranger(self) -> aiohttp.ClientSession:
        """Another browser: no cookies shared. The caller closes it."""
        return aiohttp.ClientSession(self.client.make_url("/"), cookie_jar=aiohttp.CookieJar(unsafe=True))


Start = Callable[..., Awaitable[Lacquer]]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL for all tests; each of them gets databases of its own."""
    server = Postgres()
    try:
        server.start()
        with ThreadPoolExecutor(1) as elsewhere:  # the first test's event loop runs here already
            elsewhere.submit(lambda: asyncio.run(migrate.upgrade(server.url("template1")))).result()
        yield server
    finally:
        server.close()


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    """One S3-compatible server for all tests; each of them keeps to a prefix of its own."""
    server = S3Server()
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture(params=["sqlite", "postgresql"])
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """An empty database of either kind."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path}/deep/down/lacquer.db"
        return
    server: Postgres = request.getfixturevalue("postgres")
    url = await server.create("template1")
    yield url
    await server.drop(url)


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    async with open_store(database_url) as opened:
        yield opened


@pytest.fixture
async def worker() -> AsyncIterator[FakeWorker]:
    async with FakeWorker() as fake:
        yield fake


@pytest.fixture
async def many_machines(postgres: Postgres, s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    """Settings of where several signaling processes keep what they share: PostgreSQL and a bucket."""
    for name, value in {**ENVIRONMENT, "AWS_ENDPOINT_URL": s3.url}.items():
        monkeypatch.setenv(name, value)
    return {"database_url": await postgres.create("template1"), "blob_url": f"s3://{BUCKET}/{uuid.uuid4()}"}


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Starts signaling with these workers and settings; stops it after the test."""
    async with contextlib.AsyncExitStack() as stack:

        async def start_one(
            *workers: FakeWorker, router: Router | None = None, counter: Counter | None = None, **options: Any
        ) -> Lacquer:
            defaults = {"secret_key": SECRET_KEY, "worker_secret": "worker-secret", "sweep_interval": 3600}
            settings = Settings(**{"data_dir": tmp_path, **defaults, **options})
            if router is None:
                router = LocalRouter([fake.url for fake in workers], secret=settings.worker_secret)
            clock = Clock()
            # It looks for files, before anything is served; in a thread, because the tests' loop may never block.
            app = await asyncio.to_thread(create_app, settings, router, clock=clock, counter=counter)
            # As `lacquer serve` runs it: a client that hangs up cancels its handler.
            server = TestServer(app, handler_cancellation=True)
            client = TestClient(server, cookie_jar=aiohttp.CookieJar(unsafe=True))
            await stack.enter_async_context(client)
            return Lacquer(client, app[CONTEXT], router, clock)

        yield start_one


@pytest.fixture
async def lacquer(start: Start, worker: FakeWorker) -> Lacquer:
    return await start(worker)


async def problem(response: aiohttp.ClientResponse) -> Problem:
    """The problem document of a refused request, checked for its form."""
    body = await response.read()
    assert response.content_type == "application/problem+json", (response.status, body[:300])
    document = Problem.model_validate_json(body)
    assert document.status == response.status
    return document


async def refused(response: aiohttp.ClientResponse, status: int, code: str) -> Problem:
    document = await problem(response)
    assert (response.status, document.code) == (status, code), document
    return document


async def eventually(condition: Callable[[], bool], within: float = 3.0) -> None:
    """Waits for what another task is about to do."""
    async with asyncio.timeout(within):
        while not condition():  # the fakes have no events for all that tests wait for
            await asyncio.sleep(0.01)
