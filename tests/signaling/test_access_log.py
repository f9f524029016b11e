"""What the log says of requests."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer
from structlog.testing import capture_logs

from signaling.access_log import AccessLog
from signaling.app import create_app
from signaling.routing import LocalRouter
from signaling.settings import Settings
from tests.signaling.conftest import SECRET_KEY


async def served(tmp_path: Path, log_addresses: bool) -> TestServer:
    settings = Settings(data_dir=tmp_path, secret_key=SECRET_KEY, log_addresses=log_addresses)
    app = await asyncio.to_thread(create_app, settings, LocalRouter())
    server = TestServer(app)
    await server.start_server(access_log_class=AccessLog)
    return server


@pytest.mark.parametrize("log_addresses", [False, True])
async def test_a_request_is_a_route_and_a_status(
    tmp_path: Path, log_addresses: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "signaling.access_log")
    async with TestClient(await served(tmp_path, log_addresses)) as client:
        with capture_logs() as events:
            headers = {"X-Forwarded-For": "203.0.113.77"}
            for path in ("/api/try-on/sessions/7f0c9a52/?token=abc", "/no/such/page?token=abc"):
                await (await client.get(path, headers=headers)).read()
            await asyncio.sleep(0)  # the line is written after the answer was
    told = [event for event in events if event["event"] == "request"]
    assert [(event["route"], event["status"]) for event in told] == [
        ("/api/try-on/sessions/{session_id}/", 404),
        ("unmatched", 404),
    ]
    assert "abc" not in str(events) and "7f0c9a52" not in str(events)
    assert [event.get("address") for event in told] == ["203.0.113.77" if log_addresses else None] * 2


async def test_what_is_no_http_shows_nothing_of_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "signaling.access_log")
    async with TestClient(await served(tmp_path, True)) as client:
        with capture_logs() as events:
            reader, writer = await asyncio.open_connection(client.host, client.port)
            writer.write(b"GET /?token=abc HTTP/9.9\r\nAuthorization: Bearer abc\r\n\r\n")
            assert b" 400 " in await reader.readline()
            writer.close()
            await writer.wait_closed()
            await asyncio.sleep(0)
    told = [event for event in events if event["event"] == "request"]
    assert [(event["route"], event["status"]) for event in told] == [("none", 400)]
    assert "abc" not in str(events)


def test_it_is_off_unless_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    log = AccessLog(logging.getLogger("x"), "")
    caplog.set_level(logging.INFO, "signaling.access_log")
    assert not log.enabled
    caplog.set_level(logging.DEBUG, "signaling.access_log")
    assert log.enabled
