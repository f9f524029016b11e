"""`lacquer bench placement`, small, against a real Redis."""

from __future__ import annotations

import json
import subprocess
import sys

from media_worker.bench import placement
from media_worker.bench.placement import Measured, Plan
from protocol.registry import Timing
from tests.redis_server import RedisServer


def silent(_done: int, _total: int) -> None:
    pass


async def test_it_counts_what_it_says(redis_server: RedisServer, redis_url: str) -> None:
    quick = Timing(dead_after=1.0)
    plan = Plan(workers=10, sessions=200, placers=4, failures=2, redis=redis_url, timing=quick)
    measured = await placement.measure(plan, lambda _what: silent)
    assert measured.placements > 250
    assert measured.imbalance <= 1
    assert measured.over_capacity == 0
    assert measured.refused >= 10
    assert measured.killed == 2
    assert measured.replaced > 0
    assert measured.stale_seconds is not None
    assert measured.stale_seconds < 3  # less than a worker takes to die where a client found it gone
    assert redis_server.command("KEYS", "*") == [b"{lacquer}:totals"]  # somebody's Redis is left as it was


def test_too_many_on_a_worker_are_seen() -> None:
    worker = placement.Worker(0, capacity=2)
    for number in range(3):
        worker.take(f"s{number}")
    worker.held.clear()
    assert worker.most == 3
    missed = Measured(1, 1000, 1, 20, 2, 1, 0, 1, 0, None)
    assert {figure.name: figure.met for figure in missed.figures() if figure.met is not None} == {
        "placements a second": False,
        "p99, ms": False,
        "worst imbalance, slots": False,
        "sessions over a worker's capacity": False,
        "until no stale owner was left, s": False,
    }
    assert json.loads(json.dumps(missed.as_dict()))["stale_seconds"] is None


def test_mistakes_are_one_line(redis_server: RedisServer) -> None:
    command = [sys.executable, "-m", "signaling.cli", "bench", "placement", "--redis"]
    for url, words in [("http://cache", "should start with"), ("redis://127.0.0.1:9", "does not answer")]:
        done = subprocess.run([*command, url], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 1
        assert words in done.stderr
        assert "Traceback" not in done.stderr
