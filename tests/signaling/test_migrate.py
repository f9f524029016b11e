"""From a database of any age to today's tables, on SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from signaling import migrate
from signaling.database import DatabaseUnusable
from signaling.own_designs import Own
from signaling.store import open_store
from tests.postgres import Postgres
from tests.signaling.test_store import RESULT, SESSION

NEWEST = "r0002"

BEFORE_MIGRATIONS = """
CREATE TABLE sessions (
    id VARCHAR(36) NOT NULL, owner VARCHAR(255) NOT NULL, mode VARCHAR(16) NOT NULL, post_id INTEGER,
    status VARCHAR(16) NOT NULL, created_at FLOAT NOT NULL, expires_at FLOAT NOT NULL, settings JSON NOT NULL,
    statistics JSON NOT NULL, earlier JSON NOT NULL, reference VARCHAR(64), PRIMARY KEY (id));
CREATE INDEX sessions_by_owner ON sessions (owner, created_at);
CREATE INDEX sessions_by_end ON sessions (status, expires_at);
CREATE TABLE results (
    id VARCHAR(36) NOT NULL, session_id VARCHAR(36) NOT NULL, owner VARCHAR(255) NOT NULL, created_at FLOAT NOT NULL,
    design_id INTEGER, blob VARCHAR(64) NOT NULL, content_type VARCHAR(64) NOT NULL, width INTEGER NOT NULL,
    height INTEGER NOT NULL, confidence_score FLOAT, metadata JSON NOT NULL, PRIMARY KEY (id),
    FOREIGN KEY(session_id) REFERENCES sessions (id) ON DELETE CASCADE);
CREATE INDEX results_by_owner ON results (owner, created_at);
CREATE INDEX ix_results_session_id ON results (session_id);
CREATE TABLE designs (
    id INTEGER NOT NULL, removed BOOLEAN NOT NULL, design JSON NOT NULL, nail_set VARCHAR(64),
    nail_count INTEGER NOT NULL, file VARCHAR(255), content VARCHAR(64), PRIMARY KEY (id));
CREATE INDEX ix_designs_file ON designs (file)
"""
"""As Lacquer made them with `create_all`, before there were migrations."""

ROSE = r'{"id"\:100041, "name"\:"Rose", "family"\:"Own designs", "colours"\:["#B76E79"]}'


@pytest.fixture
async def empty(request: pytest.FixtureRequest, database_url: str) -> str:
    """The PostgreSQL of other tests is a copy of an upgraded one; this one holds nothing."""
    if not database_url.startswith("postgresql"):
        return database_url
    server: Postgres = request.getfixturevalue("postgres")
    return await server.create()


async def run(url: str, *statements: str) -> list[tuple[object, ...]]:
    engine = create_async_engine(url)
    try:
        async with engine.begin() as connection:
            for statement in statements:
                result = await connection.execute(text(statement))
            return [tuple(row) for row in result] if result.returns_rows else []
    finally:
        await engine.dispose()


async def old_database(url: str) -> None:
    """With a session, a result, a design, and one that was removed, which still has its id."""
    await migrate.current(url)  # makes the folder
    await run(
        url,
        *BEFORE_MIGRATIONS.split(";"),
        "INSERT INTO sessions VALUES "
        f"('{SESSION.session_id}', 'ann', 'explore', NULL, 'created', 1000.25, 2800.25, "
        """'{"design"\\:3, "fingers"\\:{"ring"\\:{"design"\\:4}}, "compare"\\:0.5}', """
        """'{"frames_in"\\:3, "frames_dropped"\\:{"superseded"\\:1}}', '{"frames_in"\\:7}', NULL)""",
        "INSERT INTO results VALUES "
        f"('{RESULT.result_id}', '{SESSION.session_id}', 'ann', 1001, NULL, 'b', 'image/png', 1, 2, NULL, '{{}}')",
        f"INSERT INTO designs VALUES (100041, false, '{ROSE}', NULL, 0, NULL, NULL)",
        "INSERT INTO designs VALUES (100042, true, '{}', NULL, 0, 'rose.jpg', 'hash')",
    )


async def test_migrations_and_models_agree(empty: str) -> None:
    assert await migrate.current(empty) is None
    assert await migrate.upgrade(empty) == (None, NEWEST)
    assert await migrate.upgrade(empty) == (NEWEST, NEWEST)
    assert await migrate.current(empty) == NEWEST == migrate.newest()
    assert await migrate.differences(empty) == []


async def test_a_change_by_hand_is_seen(empty: str) -> None:
    await migrate.upgrade(empty)
    await run(empty, "DROP INDEX results_by_age")
    assert "results_by_age" in str(await migrate.differences(empty))


async def test_a_database_from_before_migrations_keeps_its_data(empty: str) -> None:
    await old_database(empty)
    async with open_store(empty) as store:
        assert await store.session(SESSION.session_id) == SESSION
        result = await store.results.get(RESULT.result_id)
        assert result is not None and result.blob == "b"
        (rose,) = await store.designs.all()
        assert rose.design.name == "Rose"
        added = await store.designs.add(lambda new: Own(rose.design.model_copy(update={"id": new})))
        assert added.design.id == 100_043, "also what was removed keeps its id"
    assert await migrate.differences(empty) == []


async def test_the_first_databases_had_no_own_designs(empty: str) -> None:
    await old_database(empty)
    await run(empty, "DROP TABLE designs")
    await migrate.upgrade(empty)
    assert await migrate.differences(empty) == []


async def test_another_programs_tables_are_left_alone(empty: str) -> None:
    await migrate.current(empty)
    await run(empty, "CREATE TABLE sessions (id VARCHAR(36), cart JSON)")
    with pytest.raises(DatabaseUnusable, match="another program's"):
        await migrate.upgrade(empty)
    assert await migrate.current(empty) is None


async def test_many_processes_may_start_at_once(empty: str) -> None:
    await old_database(empty)
    outcomes = await asyncio.gather(*(migrate.upgrade(empty) for _ in range(4)))
    assert sorted(outcomes, key=str) == [(NEWEST, NEWEST)] * 3 + [(None, NEWEST)]
    assert await migrate.differences(empty) == []


async def test_an_upgrade_that_fails_leaves_all_as_it_was(empty: str) -> None:
    await old_database(empty)
    await run(empty, "CREATE TABLE leases (name INTEGER)")  # which the last step cannot make then
    with pytest.raises(DatabaseUnusable, match="leases"):
        await migrate.upgrade(empty)
    assert await migrate.current(empty) is None
    assert await run(empty, "SELECT count(*) FROM results") == [(1,)]
    with pytest.raises(Exception, match="reports"):
        await run(empty, "SELECT reports FROM sessions")
    await run(empty, "DROP TABLE leases")
    assert await migrate.upgrade(empty) == (None, NEWEST)


async def test_a_database_of_a_newer_lacquer_is_left_alone(empty: str) -> None:
    await migrate.upgrade(empty)
    await run(empty, "UPDATE alembic_version SET version_num = 'r9999'")
    with pytest.raises(DatabaseUnusable, match="r9999 of a newer Lacquer"):
        await migrate.upgrade(empty)


@pytest.fixture
async def sqlite(tmp_path: Path) -> str:
    """SQLite keeps foreign keys only where it is told to, and migrations cannot tell it so."""
    url = f"sqlite+aiosqlite:///{tmp_path}/lacquer.db"
    await old_database(url)
    return url


async def test_a_step_that_would_lose_what_rows_belong_to_is_undone(
    sqlite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    upgrade = command.upgrade

    def and_lose(config: Config, revision: str) -> None:
        upgrade(config, revision)
        config.attributes["connection"].exec_driver_sql("DELETE FROM sessions")

    monkeypatch.setattr(command, "upgrade", and_lose)
    with pytest.raises(DatabaseUnusable, match="1 rows without what they belong to"):
        await migrate.upgrade(sqlite)
    assert await run(sqlite, "SELECT count(*) FROM sessions") == [(1,)]
    assert await migrate.current(sqlite) is None


async def test_rows_that_belonged_to_nothing_before_do_not_stop_an_upgrade(sqlite: str) -> None:
    await run(sqlite, "DELETE FROM sessions")
    assert await migrate.upgrade(sqlite) == (None, NEWEST)
