"""The wall clock jumps, as by NTP or by hand: sessions live by it, all that waits does not."""

from __future__ import annotations

import ast
import asyncio
import time
from pathlib import Path

import pytest

from tests.faults.test_media import streams
from tests.media_worker.fakes import FakeConnection, FakePipeline, session
from tests.signaling.conftest import SESSIONS, Start
from tests.signaling.fake_worker import FakeWorker

ROOT = Path(__file__).parents[2]
HOUR = 3600.0

BY_THE_WALL_CLOCK = {
    "media_worker/channel.py": "what a client compares with its own clock",
    "media_worker/ice.py": "when a TURN server lets credentials expire",
    "media_worker/server.py": "when a session expires",
    "media_worker/session.py": "when a session expires",
    "media_worker/transform_track.py": "what a client compares with its own clock",
    "signaling/admin_tables.py": "times for people",
    "signaling/app.py": "when sessions expire and results are old, and since when it runs",
    "signaling/auth.py": "when tokens expire",
    "signaling/certificate.py": "when a certificate expires",
    "signaling/recent_errors.py": "times for people",
}


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """By how much the wall clock is off from now on."""
    off, real = [0.0], time.time
    monkeypatch.setattr(time, "time", lambda: real() + off[0])
    return off


@pytest.mark.usefixtures("fake_vision")
@pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["forwards", "backwards"])
async def test_a_stream_does_not_notice(jump: float, wall: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("media_worker.peer.WATCH_INTERVAL", 0.05)  # peers that are silent are looked for all the time
    async with streams(1) as (worker, (client,)):
        wall[0] = jump
        seen, told = len(client.pts), len(client.of("metadata"))
        await client.until(lambda: len(client.pts) >= seen + 10 and len(client.of("metadata")) >= told + 10)
        assert worker.sessions.used == 1
        assert not client.of("error")


@pytest.mark.usefixtures("fake_vision")
async def test_a_jump_forwards_ends_sessions_in_words_and_one_backwards_extends_them(wall: list[float]) -> None:
    one, connection = session(), FakeConnection()
    await one.attach(connection)
    wall[0] = -HOUR
    assert not one.check_expiry()
    wall[0] = HOUR
    assert one.check_expiry()
    await one.end("expired")
    assert [message.event for message in connection.told] == ["expiring", "ended"]
    await one.detach(connection)


@pytest.mark.parametrize("jump", [300, -HOUR], ids=["forwards", "backwards"])
async def test_tokens_and_sessions_of_before_are_still_good(
    jump: float, start: Start, worker: FakeWorker, wall: list[float]
) -> None:
    lacquer = await start(worker)
    created = await lacquer.create()
    wall[0] = jump
    lacquer.clock.advance(jump)
    headers = {"Authorization": f"Bearer {created['token']}"}
    async with lacquer.stranger() as other:  # without the cookie
        async with other.get(f"{SESSIONS}{created['session_id']}/", headers=headers) as response:
            assert response.status == 200, await response.text()
        async with other.post(f"{SESSIONS}{created['session_id']}/extend/", headers=headers) as response:
            assert response.status == 200, await response.text()
    socket = await lacquer.connect(created["session_id"])
    await asyncio.wait_for(socket.close(), 5)


def test_nothing_that_waits_looks_at_the_wall_clock() -> None:
    """Who adds a file here says for what. Timeouts, intervals and backoff take `time.monotonic`."""
    parts = [file for name in ("media_worker", "signaling", "protocol") for file in (ROOT / name).glob("*.py")]
    assert len(parts) > 100
    assert {str(file.relative_to(ROOT)) for file in parts if reads_the_wall_clock(file)} == set(BY_THE_WALL_CLOCK)


def reads_the_wall_clock(file: Path) -> bool:
    calls = {("time", "time"), ("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today")}
    return any(
        isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and (node.value.id, node.attr) in calls
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
    )


@pytest.fixture
def fake_vision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("media_worker.session.Pipeline", FakePipeline)
