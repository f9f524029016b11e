from __future__ import annotations

import asyncio
import shutil
import socket
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from aiohttp.test_utils import TestServer

from protocol.checkup import Outcome
from signaling.app import create_app
from signaling.doctor import machine
from signaling.routing import LocalRouter
from signaling.settings import Settings


def settings(port: int, **more: object) -> Settings:
    return Settings(host="127.0.0.1", port=port, **more)  # type: ignore[arg-type]


async def test_a_free_port() -> None:
    assert (await machine.http_port(settings(0))).outcome is Outcome.OK


async def test_a_port_that_something_else_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "ANSWERS_WITHIN", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as other:
        verdict = await machine.http_port(settings(other.getsockname()[1]))
    assert verdict.outcome is Outcome.FAILED
    assert "LACQUER_PORT" in verdict.mend


async def test_a_port_that_lacquer_itself_has(tmp_path: Path) -> None:
    app = await asyncio.to_thread(create_app, Settings(data_dir=tmp_path), LocalRouter([]))
    async with TestServer(app) as server:
        verdict = await machine.http_port(settings(server.port or 0))
    assert verdict.outcome is Outcome.OK
    assert "held by a Lacquer" in verdict.said


async def test_an_address_that_is_not_ours() -> None:
    verdict = await machine.http_port(Settings(host="203.0.113.1", port=0))
    assert verdict.outcome is Outcome.FAILED


async def test_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def room(free: int) -> None:
        monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=free, total=100 << 30))

    for free, outcome in ((50 << 30, Outcome.OK), (1 << 30, Outcome.WARNING), (1 << 20, Outcome.FAILED)):
        room(free)
        assert (await machine.disk(tmp_path / "not" / "yet")).outcome is outcome


async def test_clock() -> None:
    assert (await machine.clock()).outcome is not Outcome.FAILED
    now = time.time()
    assert machine.judge_clock(now, now - 60, True).outcome is Outcome.OK
    assert machine.judge_clock(now, now - 60, None).outcome is Outcome.OK
    assert machine.judge_clock(now, now - 60, False).outcome is Outcome.WARNING
    assert machine.judge_clock(0, now, True).outcome is Outcome.FAILED
