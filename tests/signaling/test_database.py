"""When a database is away, when it is merely wrong, and how long anything may take."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from protocol.errors import StoreUnavailable
from signaling import database
from signaling.database import Database, DatabaseUnusable, asyncpg_url, make_engine
from signaling.loose_blobs import claim
from signaling.store import Store, open_store
from tests.postgres import Postgres


@pytest.fixture
async def opened(database_url: str) -> AsyncIterator[Database]:
    """With two connections at most, where it is PostgreSQL."""
    engine = await asyncio.to_thread(make_engine, database_url, 2)
    yield Database(engine)
    await engine.dispose()


async def test_a_statement_that_is_wrong_is_no_outage(opened: Database) -> None:
    with pytest.raises(DBAPIError):
        async with opened.begin() as db:
            await db.execute(text("SELECT * FROM nowhere"))
    await opened.ping()


async def test_a_fault_of_ours_stays_what_it_is(opened: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with opened.begin():
            _ = 1 / 0


async def test_a_transaction_that_fails_is_undone(store: Store) -> None:
    with pytest.raises(RuntimeError):
        async with store.database.begin() as db:
            await db.execute(text("INSERT INTO leases VALUES ('x', 'y', 1)"))
            raise RuntimeError
    async with store.database.begin() as db:
        assert await db.scalar(text("SELECT count(*) FROM leases")) == 0


async def test_a_blob_that_is_claimed_too_late_is_no_outage(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(StoreUnavailable):
        async with store.database.begin() as db:
            await claim(db, "never written")
    assert "does not answer" not in caplog.text


async def test_it_is_said_once_that_it_is_away_and_once_that_it_is_back(
    store: Store, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(database, "TRANSACTION_TIMEOUT", 0.0)
        for _ in range(3):
            with pytest.raises(StoreUnavailable):
                await store.ping()
    await store.ping()
    await store.ping()
    assert caplog.text.count("database does not answer") == 1
    assert caplog.text.count("database answers again") == 1


# --- SQLite ---------------------------------------------------------------------------------------------------------
@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[Store]:
    async with open_store(f"sqlite+aiosqlite:///{tmp_path}/lacquer.db") as store:
        yield store


async def test_writers_wait_for_each_other_and_readers_for_nobody(sqlite: Store) -> None:
    async with sqlite.database.begin() as db:
        assert await db.scalar(text("PRAGMA journal_mode")) == "wal"
        assert await db.scalar(text("PRAGMA foreign_keys")) == 1
        assert await db.scalar(text("PRAGMA busy_timeout")) == 3000


async def test_a_writer_that_waits_too_long_is_told_to_come_back(sqlite: Store) -> None:
    async with sqlite.database.begin() as slow:
        await slow.execute(text("INSERT INTO leases VALUES ('x', 'y', 1)"))
        with pytest.raises(StoreUnavailable):
            async with sqlite.database.begin() as db:
                await db.execute(text("PRAGMA busy_timeout = 10"))
                await db.execute(text("INSERT INTO leases VALUES ('z', 'y', 1)"))


async def test_a_file_that_cannot_be_opened_is_not_waited_for(tmp_path: Path) -> None:
    await asyncio.to_thread((tmp_path / "lacquer.db").mkdir)
    with pytest.raises(DatabaseUnusable, match="unable to open"):
        async with open_store(f"sqlite+aiosqlite:///{tmp_path}/lacquer.db"):
            pass


async def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    await asyncio.to_thread((tmp_path / "lacquer.db").write_bytes, b"no database at all" * 100)
    with pytest.raises(DatabaseUnusable, match="not a database"):
        async with open_store(f"sqlite+aiosqlite:///{tmp_path}/lacquer.db"):
            pass


# --- PostgreSQL -----------------------------------------------------------------------------------------------------
@pytest.fixture
async def postgresql(postgres: Postgres) -> AsyncIterator[str]:
    url = await postgres.create("template1")
    yield url
    await postgres.drop(url)


async def test_a_statement_that_takes_too_long_is_given_up_on(postgresql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "STATEMENT_TIMEOUT", 1.0)
    async with open_store(postgresql) as store:
        began = time.monotonic()
        with pytest.raises(StoreUnavailable):
            async with store.database.begin() as db:
                await db.execute(text("SELECT pg_sleep(30)"))
        assert time.monotonic() - began < 3
        await store.ping()


async def test_who_finds_all_connections_in_use_is_told_to_come_back(
    postgresql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "POOL_TIMEOUT", 0.2)
    async with open_store(postgresql, pool_size=1) as store, store.database.begin() as held:
        await held.execute(text("SELECT 1"))
        with pytest.raises(StoreUnavailable):
            await store.ping()


async def test_a_database_that_does_not_exist_is_not_waited_for(postgres: Postgres) -> None:
    with pytest.raises(DatabaseUnusable, match="nowhere"):
        async with open_store(postgres.url("nowhere")):
            pass


async def test_a_user_who_may_not_is_not_waited_for(postgres: Postgres) -> None:
    with pytest.raises(DatabaseUnusable, match="stranger") as refusal:
        async with open_store(postgres.url("postgres").replace("lacquer@", "stranger:hush@")):
            pass
    assert "hush" not in str(refusal.value)


def test_sslmode_is_understood() -> None:
    url = asyncpg_url(make_url("postgresql+asyncpg://u@h/d?sslmode=require&application_name=x"))
    assert dict(url.query) == {"ssl": "require", "application_name": "x"}


@pytest.mark.parametrize("url", ["nonsense", "oracle+nothing://x"])
async def test_an_address_that_is_none_is_told(url: str) -> None:
    with pytest.raises(DatabaseUnusable):
        async with open_store(url):
            pass
