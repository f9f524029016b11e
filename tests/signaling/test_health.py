"""Health, readiness and metrics."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocol.api import Health, Readiness
from tests.signaling.conftest import Lacquer, Start
from tests.signaling.fake_worker import FakeWorker


async def test_healthz_speaks_of_this_process_alone(start: Start) -> None:
    lacquer = await start()
    response = await lacquer.client.get("/healthz")
    assert response.status == 200
    assert Health.model_validate_json(await response.read()).status == "ok"


async def readiness(lacquer: Lacquer) -> tuple[int, Readiness]:
    response = await lacquer.client.get("/readyz")
    return response.status, Readiness.model_validate_json(await response.read())


async def test_ready_with_a_free_slot(lacquer: Lacquer) -> None:
    status, answer = await readiness(lacquer)
    assert (status, answer.status, answer.free_slots) == (200, "ready", 2)
    assert answer.checks == {"database": "ok", "pictures": "ok", "workers": "ok"}


@pytest.mark.parametrize(
    ("capacity", "draining", "why"), [(0, False, "every slot is taken"), (2, True, "every media worker is draining")]
)
async def test_not_ready_says_why(start: Start, worker: FakeWorker, capacity: int, draining: bool, why: str) -> None:
    worker.capacity, worker.draining = capacity, draining
    status, answer = await readiness(await start(worker))
    assert (status, answer.status, answer.free_slots) == (503, "not_ready", 0)
    assert answer.checks["workers"] == why


async def test_not_ready_without_workers_or_a_place_for_pictures(start: Start, tmp_path: Path) -> None:
    (tmp_path / "a file").touch()
    lacquer = await start(blob_dir=tmp_path / "a file")
    status, answer = await readiness(lacquer)
    assert status == 503
    assert answer.checks == {
        "database": "ok",
        "pictures": "does not answer (FileExistsError)",
        "workers": "no media worker answers",
    }


async def test_metrics_count_requests_by_route_not_by_id(lacquer: Lacquer, worker: FakeWorker) -> None:
    created = await lacquer.create()
    await lacquer.client.get(f"/api/try-on/sessions/{created['session_id']}/")
    await lacquer.client.get("/nowhere")
    socket = await lacquer.connect(created["session_id"])
    response = await lacquer.client.get("/metrics")
    text = await response.text()
    assert response.content_type == "text/plain"
    route = 'route="/api/try-on/sessions/{session_id}/"'
    assert f'lacquer_http_requests_total{{method="GET",{route},status="200"}} 1.0' in text
    assert 'lacquer_http_requests_total{method="GET",route="unmatched",status="404"} 1.0' in text
    assert 'lacquer_sessions{status="created"} 1.0' in text
    assert f'lacquer_worker_up{{worker="{worker.url}"}} 1.0' in text
    assert "lacquer_websocket_bridges 1.0" in text
    assert created["session_id"] not in text
    await socket.close()
