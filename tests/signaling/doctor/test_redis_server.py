from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from protocol.checkup import Outcome
from signaling.doctor.redis_server import judge
from signaling.doctor.redis_server import redis_server as look
from tests.redis_server import RedisServer, free_port

WELL: dict[str, Any] = {
    "redis_version": "7.0.15",
    "maxmemory": 0,
    "used_memory": 2 << 20,
    "maxmemory_policy": "noeviction",
}


async def test_the_real_one(redis_url: str) -> None:
    verdict = await look(redis_url)
    assert verdict.outcome is Outcome.OK, verdict
    assert "noeviction" in verdict.said


async def test_one_that_forgets_sessions_when_it_is_full(redis_server: RedisServer) -> None:
    redis_server.command("CONFIG", "SET", "maxmemory", 100 << 20)
    redis_server.command("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    try:
        verdict = await look(redis_server.url)
    finally:
        redis_server.command("CONFIG", "SET", "maxmemory", 0)
        redis_server.command("CONFIG", "SET", "maxmemory-policy", "noeviction")
    assert verdict.outcome is Outcome.WARNING
    assert "noeviction" in verdict.mend


async def test_a_wrong_password_is_not_shown(tmp_path: Path) -> None:
    with RedisServer(tmp_path) as guarded:
        guarded.command("CONFIG", "SET", "requirepass", "right")
        verdict = await look(f"redis://:hunter2@127.0.0.1:{guarded.port}/0")
    assert verdict.outcome is Outcome.FAILED
    assert "refuses us" in verdict.said and "hunter2" not in verdict.said


async def test_nobody_there() -> None:
    verdict = await look(f"redis://:hunter2@127.0.0.1:{free_port()}/0")
    assert verdict.outcome is Outcome.FAILED
    assert "hunter2" not in verdict.said
    assert verdict.mend


@pytest.mark.parametrize(
    ("about", "apart", "outcome"),
    [
        ({}, 0.0, Outcome.OK),
        ({"redis_version": "6.2.14"}, 0.0, Outcome.FAILED),
        ({}, 5.0, Outcome.WARNING),
        ({"maxmemory": 100 << 20, "used_memory": 99 << 20}, 0.0, Outcome.WARNING),
    ],
)
def test_judgement(about: dict[str, Any], apart: float, outcome: Outcome) -> None:
    assert judge("redis://there", WELL | about, apart).outcome is outcome
