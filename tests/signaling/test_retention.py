"""What was kept long enough goes, in parts, by one process at a time; and what a person asks to be forgotten."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Any

import pytest

from protocol.errors import StoreUnavailable
from signaling import results, retention
from signaling.blobs import LocalBlobs
from signaling.kept_blobs import RETRY
from tests.signaling.conftest import RESULTS, SESSIONS, Lacquer, Start, eventually, refused
from tests.signaling.fake_worker import FakeWorker, picture
from tests.signaling.test_session_api import upload

DAY = 24 * 3600


async def keep(lacquer: Lacquer, session_id: str, **options: Any) -> str:
    body = {"session_id": session_id, "processed_image": base64.b64encode(picture()).decode()}
    async with lacquer.client.post(RESULTS, json=body, **options) as response:
        assert response.status == 201, await response.text()
        return str((await response.json())["result_id"])


async def pictures(tmp_path: Path) -> int:
    return await asyncio.to_thread(lambda: sum(path.is_file() for path in (tmp_path / "blobs").rglob("*")))


async def status(lacquer: Lacquer, path: str) -> int:
    async with lacquer.client.get(path) as response:
        return response.status


# --- after so many days ---------------------------------------------------------------------------------------------
async def test_results_go_with_their_pictures_and_then_their_session(lacquer: Lacquer, tmp_path: Path) -> None:
    session_id = (await lacquer.create())["session_id"]
    result_id = await keep(lacquer, session_id)
    lacquer.clock.advance(30 * DAY - 1)
    await lacquer.sweep()
    assert await status(lacquer, f"{RESULTS}{result_id}/image") == 200
    lacquer.clock.advance(1)
    await lacquer.sweep()
    assert await status(lacquer, f"{RESULTS}{result_id}/") == 404
    assert await pictures(tmp_path) == 0
    assert await status(lacquer, f"{SESSIONS}{session_id}/") == 200, "its own days begin when its time was up"
    lacquer.clock.advance(1800)
    await lacquer.sweep()
    assert await status(lacquer, f"{SESSIONS}{session_id}/") == 404


async def test_what_is_live_stays(lacquer: Lacquer) -> None:
    session_id = (await lacquer.create())["session_id"]
    for _ in range(4):
        lacquer.clock.advance(1700)
        await lacquer.client.post(f"{SESSIONS}{session_id}/extend/")
    await retention.sweep(lacquer.context)
    assert await status(lacquer, f"{SESSIONS}{session_id}/") == 200


async def test_zero_days_keep_everything(start: Start, worker: FakeWorker) -> None:
    lacquer = await start(worker, retention_days=0)
    result_id = await keep(lacquer, (await lacquer.create())["session_id"])
    lacquer.clock.advance(10_000 * DAY)
    await lacquer.sweep()
    assert await status(lacquer, f"{RESULTS}{result_id}/image") == 200


async def test_a_backlog_goes_in_parts(lacquer: Lacquer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    session_id = (await lacquer.create())["session_id"]
    for _ in range(5):
        await keep(lacquer, session_id)
    lacquer.clock.advance(31 * DAY)
    for left in (3, 1, 0):
        await retention.sweep(lacquer.context)
        assert await pictures(tmp_path) == left


async def test_one_process_at_a_time_does_it(start: Start, worker: FakeWorker, tmp_path: Path) -> None:
    one, two = await start(worker), await start(worker)
    await keep(one, (await one.create())["session_id"])
    await retention.sweep(one.context)
    for it in (one, two):
        it.clock.advance(31 * DAY)
    await retention.sweep(two.context)  # the other's lease has long expired by this one's clock
    assert await pictures(tmp_path) == 0
    await keep(one, (await one.create())["session_id"])
    one.clock.advance(31 * DAY)
    two.clock.advance(10)
    one.clock.now = two.clock.now
    await retention.sweep(one.context)
    assert await pictures(tmp_path) == 1, "the lease is the other's"


async def test_a_process_that_stops_hands_over(start: Start, worker: FakeWorker) -> None:
    one, two = await start(worker), await start(worker)
    await retention.sweep(one.context)
    now = two.context.clock()
    assert not await two.context.store.leases.hold(retention.LEASE, now, 60)
    await one.client.close()
    assert await two.context.store.leases.hold(retention.LEASE, now, 60)


async def test_it_runs_by_itself_and_survives_failures(
    start: Start, worker: FakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures: list[Exception] = [StoreUnavailable(), RuntimeError("whatever")]
    calls = []

    async def sweep(_context: object) -> None:
        calls.append(1)
        if failures:
            raise failures.pop()

    monkeypatch.setattr(retention, "sweep", sweep)
    await start(worker, sweep_interval=0.01)
    await eventually(lambda: len(calls) > 3)


# --- on request -----------------------------------------------------------------------------------------------------
async def test_all_of_ones_own_results_are_forgotten(
    lacquer: Lacquer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "AT_ONCE", 2)
    session_id = (await lacquer.create())["session_id"]
    for _ in range(5):
        await keep(lacquer, session_id)
    async with lacquer.stranger() as stranger:
        created = await (await stranger.post(SESSIONS, json={"mode": "explore", "post_id": 1})).json()
        others = await keep(lacquer, created["session_id"])
        assert (await stranger.delete(RESULTS.rstrip("/"))).status == 204
        assert await status(lacquer, f"{RESULTS}{others}/") == 404
    assert len(await lacquer.get(RESULTS)) == 5
    assert (await lacquer.client.delete(RESULTS)).status == 204
    assert await lacquer.get(RESULTS) == []
    assert await pictures(tmp_path) == 0


async def test_a_sessions_token_forgets_that_session_alone(lacquer: Lacquer) -> None:
    one, two = await lacquer.create(), await lacquer.create()
    await keep(lacquer, one["session_id"])
    stays = await keep(lacquer, two["session_id"])
    headers = {"Authorization": f"Bearer {one['token']}"}
    assert (await lacquer.client.delete(RESULTS, headers=headers)).status == 204
    assert [result["result_id"] for result in await lacquer.get(RESULTS)] == [stays]


async def test_forgetting_answers_while_the_picture_store_is_away_and_is_made_good(
    lacquer: Lacquer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise StoreUnavailable

    result_id = await keep(lacquer, (await lacquer.create())["session_id"])
    with monkeypatch.context() as patch:
        patch.setattr(LocalBlobs, "delete", away)
        assert (await lacquer.client.delete(f"{RESULTS}{result_id}/")).status == 204
        assert await status(lacquer, f"{RESULTS}{result_id}/image") == 404
    assert await pictures(tmp_path) == 1
    lacquer.clock.advance(RETRY)
    await retention.sweep(lacquer.context)
    assert await pictures(tmp_path) == 0


async def test_a_result_that_cannot_be_kept_is_refused_and_leaves_nothing(
    lacquer: Lacquer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(*_: object) -> None:
        raise StoreUnavailable

    session_id = (await lacquer.create())["session_id"]
    body = {"session_id": session_id, "processed_image": base64.b64encode(picture()).decode()}
    with monkeypatch.context() as patch:
        patch.setattr(
            lacquer.context.store.results, "add", lost
        )  # the database goes away after the picture was written
        response = await lacquer.client.post(RESULTS, json=body)
        await refused(response, 503, "store_unavailable")
    assert await pictures(tmp_path) == 1
    lacquer.clock.advance(3600)
    await retention.sweep(lacquer.context)
    assert await pictures(tmp_path) == 0


async def test_an_uploads_nails_that_outlived_a_crash_are_deleted(
    lacquer: Lacquer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    created = await (await lacquer.client.post(SESSIONS, data=upload(picture()))).json()
    assert await pictures(tmp_path) == 1

    async def crash(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(lacquer.context.nail_sets, "delete", crash)
        await lacquer.client.delete(f"{SESSIONS}{created['session_id']}/")
    assert await pictures(tmp_path) == 1
    await retention.sweep(lacquer.context)
    assert await pictures(tmp_path) == 0
