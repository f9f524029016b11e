"""SQL, on SQLite and PostgreSQL: round trips, and changes that meet those of other processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from protocol.api import Mode, SessionStatus
from protocol.designs import Finger
from protocol.errors import StoreUnavailable
from protocol.messages import Config, FingerConfig, Stats
from signaling.paging import Page
from signaling.sessions import Session
from signaling.store import Store, open_store
from signaling.tables import Result
from tests.signaling.test_loose_blobs import written

SESSION = Session(
    session_id="00000000-0000-4000-8000-000000000001",
    owner="ann",
    mode=Mode.EXPLORE,
    created_at=1000.25,
    expires_at=2800.25,
    settings=Config(design=3, fingers={Finger.RING: FingerConfig(design=4)}, compare=0.5),
    statistics=Stats(frames_in=3, frames_dropped={"superseded": 1}),
    earlier=Stats(frames_in=7),
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
    metadata={"é": [1, {"x": None}], "\0": "\u0001💅"},
)


@pytest.fixture
async def other(database_url: str, store: Store) -> AsyncIterator[Store]:
    """What another signaling process has of the same database."""
    async with open_store(database_url) as opened:
        yield opened


async def test_what_is_stored_comes_back_equal(store: Store) -> None:
    await store.add_session(SESSION)
    await written(store, RESULT.blob)
    await store.results.add(RESULT)
    assert await store.session(SESSION.session_id) == SESSION
    assert await store.results.get(RESULT.result_id) == RESULT
    assert await store.sessions_by_id([SESSION.session_id, "x"]) == {SESSION.session_id: SESSION}


async def test_settings_keep_what_was_never_set_apart_from_null(store: Store) -> None:
    await store.add_session(SESSION)
    stored = await store.session(SESSION.session_id)
    assert stored is not None
    assert stored.settings.model_fields_set == {"design", "fingers", "compare"}


async def test_counted_by_status(store: Store) -> None:
    await store.add_session(SESSION)
    assert (await store.count_sessions())[SessionStatus.CREATED] == 1
    assert (await store.count_sessions())[SessionStatus.ENDED] == 0


# --- changes that meet ----------------------------------------------------------------------------------------------
async def test_of_many_that_end_a_session_one_wins(store: Store, other: Store) -> None:
    await store.add_session(SESSION)
    steps = [(it, to) for it in (store, other) for to in (SessionStatus.ENDED, SessionStatus.EXPIRED)] * 2
    assert sum(await asyncio.gather(*(it.move(SESSION, to) for it, to in steps))) == 1


async def test_what_is_over_is_not_extended(store: Store) -> None:
    await store.add_session(SESSION)
    assert await store.set_expiry(SESSION.session_id, 5000)
    await store.move(SESSION, SessionStatus.ENDED)
    assert not await store.set_expiry(SESSION.session_id, 6000)


async def test_what_was_extended_meanwhile_does_not_expire(store: Store, other: Store) -> None:
    await store.add_session(SESSION)
    (due,) = await store.due_sessions(3000, 10)
    await other.set_expiry(SESSION.session_id, 5000)
    assert not await store.move(due, SessionStatus.EXPIRED, due=3000)
    assert await store.move(due, SessionStatus.EXPIRED, due=5000)


async def test_the_longest_extension_holds(store: Store, other: Store) -> None:
    await store.add_session(SESSION)
    await asyncio.gather(store.set_expiry(SESSION.session_id, 9000), other.set_expiry(SESSION.session_id, 8000))
    stored = await store.session(SESSION.session_id)
    assert stored is not None and stored.expires_at == 9000


async def test_of_reports_that_meet_the_stale_one_is_dropped(store: Store, other: Store) -> None:
    """Taken in, it would look as if the worker had begun to count anew."""
    await store.add_session(replace(SESSION, statistics=Stats(), earlier=Stats()))
    read = await store.session(SESSION.session_id)
    assert read is not None
    assert await other.save_report(read.reported(Config(), Stats(frames_in=50)))
    assert not await store.save_report(read.reported(Config(), Stats(frames_in=45)))
    stored = await store.session(SESSION.session_id)
    assert stored is not None and stored.total_statistics.frames_in == 50
    assert await store.report_counts() == {SESSION.session_id: 1}


# --- lists ----------------------------------------------------------------------------------------------------------
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


# --- nails and the end ----------------------------------------------------------------------------------------------
async def test_a_sessions_nails_are_loose_once_it_is_over(store: Store) -> None:
    session = replace(SESSION, mode=Mode.UPLOAD, nail_set="nails")
    with pytest.raises(StoreUnavailable, match="too long"):
        await store.add_session(session)
    await written(store, "nails")
    await store.add_session(session)
    assert await store.loose_blobs.count() == 0
    assert await store.move(session, SessionStatus.ACTIVE)
    assert await store.loose_blobs.count() == 0
    assert await store.move(replace(session, status=SessionStatus.ACTIVE), SessionStatus.ENDED)
    assert await store.loose_blobs.take_due(1, 10, again_at=2) == ["nails"]
    stored = await store.session(SESSION.session_id)
    assert stored is not None and stored.nail_set is None


async def test_finished_sessions_go_but_not_while_a_result_belongs_to_them(store: Store) -> None:
    for number in range(3):
        await store.add_session(replace(SESSION, session_id=f"s{number}", expires_at=100))
    await written(store, RESULT.blob)
    await store.results.add(replace(RESULT, session_id="s2"))
    for number in (1, 2):
        await store.move(replace(SESSION, session_id=f"s{number}"), SessionStatus.ENDED)
    assert await store.delete_finished(99, 10) == 0
    assert await store.delete_finished(100, 10) == 1
    assert set(await store.sessions_by_id(["s0", "s1", "s2"])) == {"s0", "s2"}
    assert await store.results.get(RESULT.result_id) is not None
