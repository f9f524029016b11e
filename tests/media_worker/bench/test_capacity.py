from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from media_worker.bench import capacity
from media_worker.bench.capacity import Capacity, Level


def found(streams: int, frames: int = 150, lag: float = 50) -> dict[str, Any]:
    each = {"sent": 150, "round_trips_ms": [lag] * frames}
    return {"seconds": 5.0, "cpu_seconds": 1.0, "streams": [each] * streams}


def level(streams: int, *, frames: int = 150, lag: float = 50, cpu: float = 1.5, memory: float = 300) -> Level:
    return Level.of(found(streams, frames, lag), cpu, memory)


def capacity_of(*levels: Level) -> Capacity:
    machine = {"processor": "Test", "cores": 2, "memory_gb": 4, "system": "x", "python": "3", "aiortc": "1"}
    return Capacity({**machine, "load_average": [0.0], "date": "today"}, "h264", list(levels))


def test_a_level_is_told_by_its_slowest_stream() -> None:
    measured = found(2)
    measured["streams"][1] = {"sent": 150, "round_trips_ms": [50.0] * 100}
    slowest = Level.of(measured, 2.5, 300)
    assert slowest.fps == 20
    assert slowest.cpu_ms == pytest.approx(10)
    assert slowest.server_cores == 0.5
    assert slowest.client_cores == 0.2


@pytest.mark.parametrize(
    ("frames", "lag", "holds"), [(150, 199, True), (150, 201, False), (143, 50, True), (142, 50, False)]
)
def test_held_means_soon_and_often_enough(frames: int, lag: float, holds: bool) -> None:
    assert level(1, frames=frames, lag=lag).holds is holds


def test_nothing_back_is_not_held() -> None:
    silent = level(1, frames=0)
    assert silent.latency is None
    assert not silent.holds
    assert capacity_of(silent).held == 0
    assert capacity_of(silent).by_server_alone is None


def test_capacity_is_the_last_level_that_held() -> None:
    whole = capacity_of(level(1), level(2, cpu=3.0, memory=360), level(3, lag=400, memory=420))
    assert whole.held == 2
    assert whole.by_server_alone == pytest.approx(2 * 1000 / (10 * 30))
    assert whole.memory_a_stream == 60
    assert json.loads(json.dumps(whole.as_dict()))["levels"][2]["holds"] is False


def test_memory_counts_from_when_every_worker_has_a_stream() -> None:
    levels = [level(1, memory=200), level(2, memory=400), level(3, memory=420), level(4, memory=440)]
    assert replace(capacity_of(*levels), workers=2).memory_a_stream == 20
    assert replace(capacity_of(*levels[:2]), workers=2).memory_a_stream is None
    assert replace(capacity_of(levels[0]), workers=2).memory_a_stream is None


def test_growth_is_from_one_stream_to_all_that_are_held() -> None:
    whole = capacity_of(level(1, cpu=1.5), level(2, cpu=3.3), level(3, cpu=9, lag=400))
    assert whole.growth == pytest.approx(0.1)
    assert whole.as_dict()["cpu_growth_from_one_to_all_held"] == 0.1
    assert capacity_of(level(1)).growth is None


def test_the_table_has_a_row_a_level() -> None:
    text = capacity.as_text(capacity_of(level(1), level(2, frames=100)))
    assert text.count("held") == 2
    assert "too many" in text
    assert "by server CPU alone (computed, not measured): 6.7" in text
