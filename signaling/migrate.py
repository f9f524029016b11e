"""Brings a database to the newest revision: by itself at every start, or with `lacquer db upgrade`.

All steps that are missing are one transaction, so a database is never left between two revisions. Several signaling
processes may start at once: on PostgreSQL they wait for each other at an advisory lock, on SQLite at the write lock.
Alembic is synchronous and reads files, so each run has a thread and an engine of its own.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa
import structlog
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, NullPool, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from signaling.database import DatabaseUnusable, asyncpg_url, connect_args, make_folder, telling
from signaling.tables import Base

ADVISORY_LOCK = 0x6C6163717565  # "lacque": any number that nobody else's program uses

STEP_TIMEOUT = 120.0
"""Seconds for a statement, and for the wait until another process has upgraded."""

Answer = TypeVar("Answer")

logging.getLogger("alembic").setLevel(logging.WARNING)  # what was done is said here, in one line
log = structlog.get_logger()


async def upgrade(url: str) -> tuple[str | None, str]:
    """(the revision before, the newest). Raises StoreUnavailable, DatabaseUnusable."""
    return await _in_thread(url, _upgrade)


async def current(url: str) -> str | None:
    """The database's revision; None for an empty database, and for one made before there were any.

    Raises StoreUnavailable, DatabaseUnusable."""
    return await _in_thread(url, _revision)


async def differences(url: str) -> list[str]:
    """What in the database is not as `tables` has it. Raises StoreUnavailable, DatabaseUnusable."""
    return await _in_thread(url, _differences)


def newest() -> str:
    head = _script().get_current_head()
    assert head is not None
    return head


async def _in_thread(url: str, work: Callable[[Connection], Answer]) -> Answer:
    with telling(url):
        return await asyncio.to_thread(_run, make_url(url), work)


def _run(url: URL, work: Callable[[Connection], Answer]) -> Answer:
    if url.get_backend_name() != "sqlite":
        newest()  # reads files, which the loop need not wait for
        return asyncio.run(_in_loop(url, work))
    make_folder(url)
    engine = create_engine(url.set(drivername="sqlite"), poolclass=NullPool)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    with engine.begin() as connection:
        return work(connection)


async def _in_loop(url: URL, work: Callable[[Connection], Answer]) -> Answer:
    """asyncpg has no other way."""
    arguments = connect_args(STEP_TIMEOUT, STEP_TIMEOUT + 5)
    engine = create_async_engine(asyncpg_url(url), poolclass=NullPool, connect_args=arguments)
    async with engine.begin() as connection:
        return await connection.run_sync(work)


def _prepare_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    """No foreign keys: a step may have to make a table anew, and dropping the old one would take rows of others along.
    Python's driver would leave DDL out of transactions, so it is kept from beginning any."""
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "foreign_keys=OFF", f"busy_timeout={STEP_TIMEOUT * 1000:.0f}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _upgrade(connection: Connection) -> tuple[str | None, str]:
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(ADVISORY_LOCK)))
    before = _revision(connection)
    if before != newest():
        _check_known(before)
        with _foreign_keys_kept(connection):
            command.upgrade(_config(connection), "head")
        log.info("database upgraded", before=before or "none", now=newest())
    return before, newest()


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _check_known(revision: str | None) -> None:
    if revision is not None and revision not in {step.revision for step in _script().walk_revisions()}:
        raise DatabaseUnusable(
            f"the database is at revision {revision} of a newer Lacquer, and this one knows {newest()} at most: "
            "install the newer one, or restore a backup"
        )


@contextmanager
def _foreign_keys_kept(connection: Connection) -> Iterator[None]:
    """Steps run without SQLite's foreign keys, so it is checked that no more rows point nowhere than before."""
    before = _pointing_nowhere(connection)
    yield
    if (broken := _pointing_nowhere(connection) - before) > 0:
        raise DatabaseUnusable(f"the upgrade would leave {broken} rows without what they belong to; nothing is changed")


def _pointing_nowhere(connection: Connection) -> int:
    if connection.dialect.name != "sqlite":
        return 0  # PostgreSQL never lets it come to this
    return len(connection.exec_driver_sql("PRAGMA foreign_key_check").all())


def _differences(connection: Connection) -> list[str]:
    typed = connection.dialect.name != "sqlite"  # whose types are hints: FLOAT and DOUBLE are the same there
    context = MigrationContext.configure(connection, opts={"compare_type": typed})
    return [str(it) for it in compare_metadata(context, Base.metadata)]


def _config(connection: Connection | None = None) -> Config:
    config = Config(attributes={"connection": connection})
    folder = Path(__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder).replace("%", "%%"))  # which would begin a variable
    return config


@cache
def _script() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())
