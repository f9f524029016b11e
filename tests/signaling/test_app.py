"""Routes as the application has them, so that one which is added later is asked here too."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from signaling.app import OPERATIONS, create_app
from signaling.auth import FOR_ADMINS
from signaling.routing import LocalRouter
from signaling.settings import Settings
from tests.signaling.conftest import SECRET_KEY, Start
from tests.signaling.fake_worker import FakeWorker
from tests.signaling.test_jwks import Provider

TOKEN = "an admin token for tests"
WRONG = [
    None,
    "Bearer",
    "Bearer wrong",
    f"Basic {TOKEN}",
    f"Bearer {TOKEN}x",
    f"Bearer {TOKEN[:-1]}",
    "Bearer \xff\xfe",
]
NOBODYS = "00000000-0000-4000-8000-000000000000"
SDP_ENDPOINTS = (f"/api/try-on/sessions/{NOBODYS}/webrtc", f"/whip/{NOBODYS}", f"/whep/{NOBODYS}")
OTHER_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def routes(app: web.Application) -> list[tuple[str, str, Any]]:
    """(method, path with something in its holes, handler)."""
    found = []
    for resource in app.router.resources():
        for route in resource:
            path = re.sub(r"\{[^}]+\}", "1000", resource.canonical)
            found.append((route.method, path, route.handler))
    return found


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[tuple[web.Application, aiohttp.ClientSession]]:
    settings = Settings(
        data_dir=tmp_path, secret_key=SECRET_KEY, admin_token=TOKEN, sweep_interval=3600, rate_admin_tokens=0
    )
    app = await asyncio.to_thread(create_app, settings, LocalRouter(["http://127.0.0.1:9"]))
    async with TestServer(app) as running, aiohttp.ClientSession(running.make_url("/")) as http:
        yield app, http


async def test_admins_alone_reach_what_is_theirs(server: tuple[web.Application, aiohttp.ClientSession]) -> None:
    app, http = server
    guarded = [(method, path) for method, path, handler in routes(app) if handler in FOR_ADMINS]
    said = {(operation.method, operation.path) for operation in OPERATIONS if operation.admin}
    assert len(guarded) >= len(said) >= 5, "what the OpenAPI document calls an admin's is guarded"
    for method, path in guarded:
        for header in WRONG:
            headers = {"Authorization": header} if header else {}
            async with http.request(method, path, headers=headers, data=b"{}", allow_redirects=False) as response:
                assert response.status in (401, 403), (method, path, header, response.status)


async def test_what_sounds_like_an_admins_is_guarded(server: tuple[web.Application, aiohttp.ClientSession]) -> None:
    """Whoever writes a new route under one of these names and forgets the guard hears of it here."""
    app, http = server
    asked = 0
    for path in dict.fromkeys(path for _, path, _ in routes(app)):
        if not re.search(r"/(admin|workers|internal|drain|debug|config|settings)\b", path):
            continue
        for method in OTHER_METHODS:
            async with http.request(method, path, data=b"{}", allow_redirects=False) as response:
                asked += 1
                page = response.content_type == "text/html" and response.status in (200, 301, 302, 308)
                assert page or response.status in (401, 403, 404, 405) or (method == "OPTIONS"), (method, path)
    assert asked


async def test_no_route_fails_at_nonsense(server: tuple[web.Application, aiohttp.ClientSession]) -> None:
    """Every route, every method, with nonsense for a body: 4xx, or an answer; 503 where a worker would be needed."""
    app, http = server
    for path in dict.fromkeys(path for _, path, _ in routes(app)):
        for method in OTHER_METHODS:
            body = None if method in ("GET", "HEAD") else b"\xff\x00"
            async with http.request(method, path, data=body, allow_redirects=False) as response:
                assert response.status < 500 or response.status == 503, (method, path, response.status)


# --- a server for users of a host application alone -------------------------------------------------------------------
FOR_EVERYBODY = {
    # the page, and how to find out that one may not use it
    *(("GET", path) for path in ("/", "/try-on/live", "/admin", "/service-worker.js", "/static/main.js")),
    # what there is to wear
    *(("GET", f"/api/try-on/designs{path}") for path in ("", "/1", "/1/thumbnail", "/1/preview")),
    # for machines
    *(("GET", path) for path in ("/healthz", "/readyz", "/metrics", "/api/schema", "/api/lan")),
    # what may be sent where, the same for everybody (RFC 9725 §4.2)
    *(("OPTIONS", f"{path}{peer}") for path in SDP_ENDPOINTS for peer in ("", f"/{NOBODYS}")),
    # no WebSocket without an upgrade; with one, the session's id opens it, as it does over REST
    ("GET", f"/ws/tryon/{NOBODYS}"),
}
"""All that answers to who shows nothing. Whoever adds a route that shall, says so here, and why."""


async def test_without_a_token_a_closed_server_answers_nothing_but_what_is_written_here(
    start: Start, worker: FakeWorker
) -> None:
    """Host tokens are asked for, and every route there is is called without one; ids are such as nobody has."""
    provider = Provider()
    await provider.server.start_server()
    try:
        lacquer = await start(worker, open=False, jwks_url=provider.url, admin_token=TOKEN)
        answered = set()
        for method, path in sorted({(method, filled(path)) for method, path in templates(lacquer.client.app)}):
            async with lacquer.stranger() as stranger, stranger.request(method, path, **BODY) as response:
                assert response.status < 500 or path == "/readyz", (method, path)
                assert not response.cookies, (method, path)
                if response.status not in (401, 403, 404):
                    answered.add(("GET" if method == "HEAD" else method, path.rstrip("/") or "/"))
    finally:
        await provider.server.close()
    assert answered == FOR_EVERYBODY


BODY: dict[str, Any] = {"json": {"session_id": NOBODYS}, "allow_redirects": False}


def templates(app: web.Application) -> list[tuple[str, str]]:
    return [(route.method, resource.canonical) for resource in app.router.resources() for route in resource]


def filled(template: str) -> str:
    """A path; designs and files are those that exist."""
    holes = {"design_id": "1", "path": "main.js"}
    return re.sub(r"\{(\w+)[^}]*\}", lambda hole: holes.get(hole[1], NOBODYS), template)
