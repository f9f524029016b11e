"""Expiry, statistics and orphans."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import WSMsgType

from protocol.internal import SessionReport, SessionSpec
from protocol.messages import Config, Stats
from signaling import sweeper
from tests.signaling.conftest import SESSIONS, Lacquer, Start, eventually
from tests.signaling.fake_worker import FakeWorker, Held, picture
from tests.signaling.test_session_api import upload


async def test_a_session_expires_after_half_an_hour_and_its_worker_is_told(
    lacquer: Lacquer, worker: FakeWorker
) -> None:
    session_id = (await lacquer.create())["session_id"]
    socket = await lacquer.connect(session_id)
    lacquer.clock.advance(1799)
    await lacquer.sweep()
    assert worker.ended == []
    lacquer.clock.advance(1)
    assert (await lacquer.get(f"{SESSIONS}{session_id}/"))["status"] == "expired"  # even before it is swept
    await lacquer.sweep()
    assert worker.ended == [(session_id, "expired")]
    message = await socket.receive()
    assert (message.type, message.data) == (WSMsgType.CLOSE, 4410)
    await lacquer.sweep()
    assert len(worker.ended) == 1


async def test_the_nails_of_an_expired_upload_are_gone(lacquer: Lacquer) -> None:
    created = await (await lacquer.client.post(SESSIONS, data=upload(picture()))).json()
    kept = (await lacquer.context.sessions.find(created["session_id"])).nail_set
    assert kept is not None
    lacquer.clock.advance(1800)
    await lacquer.sweep()
    with pytest.raises(Exception, match="gone"):
        await lacquer.context.nail_sets.get(kept)


async def test_extended_sessions_live_on(lacquer: Lacquer) -> None:
    session_id = (await lacquer.create())["session_id"]
    lacquer.clock.advance(1700)
    await lacquer.client.post(f"{SESSIONS}{session_id}/extend/")
    lacquer.clock.advance(1700)
    await lacquer.sweep()
    assert (await lacquer.get(f"{SESSIONS}{session_id}/"))["status"] == "created"


async def test_statistics_and_settings_come_from_the_worker(lacquer: Lacquer, worker: FakeWorker) -> None:
    session_id = (await lacquer.create())["session_id"]
    socket = await lacquer.connect(session_id)
    held = worker.sessions[session_id]
    held.statistics, held.settings = Stats(frames_in=10, frames_out=9, fps=24.5), Config(design=5)
    await lacquer.sweep()
    shown = await lacquer.get(f"{SESSIONS}{session_id}/")
    assert (shown["status"], shown["statistics"]["frames_in"], shown["statistics"]["fps"]) == ("active", 10, 24.5)
    stored = await lacquer.context.sessions.find(session_id)
    assert stored.settings.design == 5
    await socket.close()


async def test_a_session_that_nobody_connected_to_stays_created(lacquer: Lacquer, worker: FakeWorker) -> None:
    session_id = (await lacquer.create())["session_id"]
    worker.sessions[session_id] = Held(SessionSpec(session_id=session_id, design_id=1, expires_at=0))
    await lacquer.sweep()
    assert (await lacquer.get(f"{SESSIONS}{session_id}/"))["status"] == "created"


async def test_a_worker_that_holds_what_is_over_is_told_again(lacquer: Lacquer, worker: FakeWorker) -> None:
    ended = (await lacquer.create())["session_id"]
    await lacquer.client.delete(f"{SESSIONS}{ended}/")
    for session_id in (ended, "never-heard-of"):
        worker.sessions[session_id] = Held(SessionSpec(session_id=session_id, design_id=1, expires_at=0))
    await lacquer.sweep()
    assert worker.ended == [(ended, "ended"), ("never-heard-of", "unknown")]


async def test_after_a_restart_streaming_sessions_are_found_on_their_workers(start: Start, worker: FakeWorker) -> None:
    first = await start(worker)
    session_id = (await first.create())["session_id"]
    socket = await first.connect(session_id)
    second = await start(worker)
    assert await second.router.owner(session_id) is None
    await second.sweep()
    assert await second.router.owner(session_id) == worker.url
    await socket.close()


async def test_what_a_former_owner_still_holds_is_not_believed(start: Start) -> None:
    async with FakeWorker() as old, FakeWorker() as new:
        lacquer = await start(old, new)
        session_id = (await lacquer.create())["session_id"]
        assert await lacquer.router.claim(session_id, new.url)
        stale = SessionReport(session_id=session_id, connections=1, settings=Config(), statistics=Stats(frames_in=99))
        await lacquer.context.sessions.absorb(old.url, stale, await lacquer.context.store.report_counts())
        assert (await lacquer.context.sessions.find(session_id)).statistics.frames_in == 0


async def test_a_report_that_was_overtaken_does_not_count_twice(lacquer: Lacquer, worker: FakeWorker) -> None:
    """Another signaling process asked later and was faster to write: fewer frames are no new beginning."""
    session_id = (await lacquer.create())["session_id"]
    assert await lacquer.router.claim(session_id, worker.url)
    known = await lacquer.context.store.report_counts()
    for frames, taken in ((50, True), (45, False)):
        report = SessionReport(
            session_id=session_id, connections=1, settings=Config(), statistics=Stats(frames_in=frames)
        )
        assert await lacquer.context.sessions.absorb(worker.url, report, known) is taken
    assert (await lacquer.get(f"{SESSIONS}{session_id}/"))["statistics"]["frames_in"] == 50


async def test_a_silent_worker_does_not_stop_the_sweep(lacquer: Lacquer, worker: FakeWorker) -> None:
    session_id = (await lacquer.create())["session_id"]
    await worker.stop()
    lacquer.clock.advance(1800)
    await lacquer.sweep()
    assert (await lacquer.context.sessions.find(session_id)).status == "expired"


async def test_it_sweeps_by_itself_and_survives_a_failure(
    start: Start, worker: FakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    async def sweep(_context: object) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise OSError("the database is away")

    monkeypatch.setattr(sweeper, "sweep", sweep)
    await start(worker, sweep_interval=0.01)
    await eventually(lambda: len(calls) > 2)
    await asyncio.sleep(0)
