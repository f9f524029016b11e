"""Looking after workers, over REST."""

from __future__ import annotations

import pytest

from signaling.admin_api import WORKERS
from tests.signaling.conftest import Lacquer, Start, refused
from tests.signaling.fake_worker import FakeWorker
from tests.signaling.test_openapi import conforms

TOKEN = "only the operator knows this"
ADMIN = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
async def operated(start: Start, worker: FakeWorker) -> Lacquer:
    worker.worker_id, worker.region = "w-1", "eu"
    return await start(worker, admin_token=TOKEN)


async def test_workers_are_listed(operated: Lacquer, worker: FakeWorker) -> None:
    socket = await operated.connect((await operated.create())["session_id"])
    listed = await conforms(await operated.client.get(WORKERS, headers=ADMIN), WORKERS)
    about = {"id": "w-1", "url": worker.url, "region": "eu", "live": True, "draining": False}
    assert listed == [{**about, "capacity": 2, "load": 1}]
    await socket.close()


async def test_a_worker_is_drained_and_let_in_again(operated: Lacquer, worker: FakeWorker) -> None:
    async with operated.client.post(f"{WORKERS}w-1/drain", headers=ADMIN) as response:
        assert response.status == 204
    assert worker.draining
    assert [each["draining"] for each in await operated.get(WORKERS, headers=ADMIN)] == [True]
    async with operated.client.delete(f"{WORKERS}w-1/drain", headers=ADMIN) as response:
        assert response.status == 204
    assert not worker.draining
    assert [each["draining"] for each in await operated.get(WORKERS, headers=ADMIN)] == [False]


async def test_unknown_and_dead_workers_are_told_apart(operated: Lacquer, worker: FakeWorker) -> None:
    await refused(await operated.client.post(f"{WORKERS}w-2/drain", headers=ADMIN), 404, "not_found")
    await worker.stop()
    response = await operated.client.post(f"{WORKERS}w-1/drain", headers=ADMIN)
    await refused(response, 503, "worker_unavailable")
    assert response.headers["Retry-After"]


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", "w-1/drain"), ("DELETE", "w-1/drain")])
async def test_only_who_shows_the_admin_token_may(
    operated: Lacquer, worker: FakeWorker, method: str, path: str
) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        response = await operated.client.request(method, f"{WORKERS}{path}", headers=headers)
        await refused(response, 401, "unauthorized")
    assert not worker.draining


async def test_without_an_admin_token_nobody_may(lacquer: Lacquer) -> None:
    await refused(await lacquer.client.get(WORKERS, headers=ADMIN), 403, "forbidden")
