"""SQL: round trips and compare-and-set."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from protocol.api import Mode, SessionStatus
from protocol.designs import Finger
from protocol.messages import Config, FingerConfig, Stats
from signaling.sessions import Session
from signaling.store import Page, Store, open_store
from signaling.tables import Result

SESSION = Session(
    session_id="00000000-0000-4000-8000-000000000001",
    owner="ann",
    mode=Mode.UPLOAD,
    created_at=1000.25,
    expires_at=2800.25,
    settings=Config(design=3, fingers={Finger.RING: FingerConfig(design=4)}, compare=0.5),
    statistics=Stats(frames_in=3, frames_dropped={"superseded": 1}),
    earlier=Stats(frames_in=7),
    nail_set="blob",
)
RESULT = Result(
    result_id="00000000-0000-4000-8000-00000000000a",
    session_id=SESSION.session_id,
    owner="ann",
    created_at=1001,
    design_id=None,
    blob="b",
    content_type="image/png",
    width=1,
    height=2,
    confidence_score=None,
    metadata={"é": [1, {"x": None}]},
)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with open_store(f"sqlite+aiosqlite:///{tmp_path}/deep/down/lacquer.db") as opened:
        yield opened


async def test_what_is_stored_comes_back_equal(store: Store) -> None:
    await store.add_session(SESSION)
    await store.add_result(RESULT)
    assert await store.session(SESSION.session_id) == SESSION
    assert await store.result(RESULT.result_id) == RESULT
    assert await store.sessions_by_id([SESSION.session_id, "x"]) == {SESSION.session_id: SESSION}


async def test_settings_keep_what_was_never_set_apart_from_null(store: Store) -> None:
    await store.add_session(SESSION)
    stored = await store.session(SESSION.session_id)
    assert stored is not None
    assert stored.settings.model_fields_set == {"design", "fingers", "compare"}


async def test_of_many_that_end_a_session_one_wins(store: Store) -> None:
    await store.add_session(SESSION)
    steps = [SessionStatus.ENDED, SessionStatus.EXPIRED] * 4
    won = await asyncio.gather(
        *(store.set_status(SESSION.session_id, step, was=SessionStatus.CREATED) for step in steps)
    )
    assert sum(won) == 1


async def test_what_is_over_is_not_extended(store: Store) -> None:
    await store.add_session(SESSION)
    assert await store.set_expiry(SESSION.session_id, 5000)
    await store.set_status(SESSION.session_id, SessionStatus.ENDED, was=SessionStatus.CREATED)
    assert not await store.set_expiry(SESSION.session_id, 6000)


async def test_due_sessions_come_oldest_first_and_bounded(store: Store) -> None:
    for number in range(4):
        await store.add_session(replace(SESSION, session_id=f"s{number}", expires_at=100 - number))
    due = await store.due_sessions(99, 2)
    assert [session.session_id for session in due] == ["s3", "s2"]


async def test_pages_hold_what_is_older_than_an_entry_of_ones_own(store: Store) -> None:
    await store.add_session(SESSION)
    assert await store.sessions_of("ann", Page(5, before=SESSION.session_id)) == []
    assert await store.sessions_of("bob", Page(5, before=SESSION.session_id)) is None
    assert await store.sessions_of("ann", Page(5), only="another") == []


async def test_writers_wait_for_each_other_and_readers_for_nobody(store: Store) -> None:
    async with store._engine.connect() as connection:
        assert await connection.scalar(text("PRAGMA journal_mode")) == "wal"
        assert await connection.scalar(text("PRAGMA foreign_keys")) == 1
        assert await connection.scalar(text("PRAGMA busy_timeout")) == 3000


async def test_deleting_twice_is_told(store: Store) -> None:
    await store.add_session(SESSION)
    await store.add_result(RESULT)
    assert await store.delete_result(RESULT.result_id)
    assert not await store.delete_result(RESULT.result_id)
