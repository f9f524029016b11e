"""What the page learns of `--lan`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer

from signaling.app import create_app
from signaling.lan import Lan
from signaling.routing import LocalRouter
from signaling.settings import Settings
from tests.signaling.conftest import Client, Lacquer, refused
from tests.signaling.test_openapi import conforms

LAN = Lan("https://192.168.1.20:8443", ["https://10.1.2.3:8443"], "AB:CD")


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    """Signaling that was started with `--lan`."""
    app = await asyncio.to_thread(create_app, Settings(data_dir=tmp_path), LocalRouter(), lan=LAN)
    async with TestClient(TestServer(app)) as client:
        yield client


async def test_it_tells_the_address_for_phones(client: Client) -> None:
    response = await client.get("/api/lan")
    assert await conforms(response, "/api/lan") == {
        "url": LAN.url,
        "other_urls": LAN.other_urls,
        "fingerprint": LAN.fingerprint,
        "qr_svg_url": str(client.make_url("/api/lan/qr.svg")),
    }


async def test_the_code_is_a_picture(client: Client) -> None:
    response = await client.get("/api/lan/qr.svg")
    assert (response.status, response.content_type) == (200, "image/svg+xml")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert (await response.read()).startswith(b"<?xml")


async def test_other_servers_have_nothing_to_tell(lacquer: Lacquer) -> None:
    response = await lacquer.client.get("/api/lan")
    assert response.status == 204
    await conforms(response, "/api/lan")
    await refused(await lacquer.client.get("/api/lan/qr.svg"), 404, "not_found")
