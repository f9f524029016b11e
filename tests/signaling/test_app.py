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
from tests.signaling.conftest import SECRET_KEY

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
