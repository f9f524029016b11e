"""The database as one thing that answers or does not: its engine, its transactions, and how long each may take.

SQLite and PostgreSQL are used through the same SQL. Whatever says that the database is away, be it a refused
connection, a server that shuts down, a full disk or plain silence, is `StoreUnavailable` from here on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import event, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from protocol.errors import StoreUnavailable

POOL_SIZE = 10
"""Connections to PostgreSQL that a process keeps; its default of 100 serves ten processes so."""

CONNECT_TIMEOUT = 3.0
STATEMENT_TIMEOUT = 5.0
"""The server gives up on a statement, or on a lock that it waits for."""

REPLY_TIMEOUT = 7.0
"""We give up on the server: longer than the server itself takes to, so that only a silent line gets here."""

TRANSACTION_TIMEOUT = 8.0
"""All of it, the wait for a free connection included; closing a connection that is silent takes 2 s more."""

POOL_TIMEOUT = 5.0
BUSY_TIMEOUT_MS = 3000
"""A writer of SQLite waits so long for another one."""

IDLE_TIMEOUT = 30.0
"""The server ends a transaction in which nothing happens, as after a process or its line has died."""

_AWAY_STATES = ("08", "53", "57", "58", "25006", "40001", "40P01")
"""How SQLSTATE begins where trying again later helps (PostgreSQL, appendix A): no connection, no resources, shutting
down or starting up, statement given up on, disk; a server that became a read-only standby; losers of a deadlock."""

_AWAY_SQLITE = frozenset({5, 6, 8, 10, 13, 14})
"""SQLITE_BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN."""

_AWAY = "the database does not answer; try again in a moment"

log = structlog.get_logger()


class DatabaseUnusable(OSError):
    """The database is broken, or its URL is: waiting does not help."""


class Database:
    """One engine; every use of it is one transaction."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self._begin = async_sessionmaker(engine, expire_on_commit=False).begin
        self._away = False

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncSession]:
        """A transaction, committed at the end. Raises StoreUnavailable; then it may be in force or not, if it was
        being committed, but whoever left this block without an error knows that it is."""
        try:
            async with asyncio.timeout(TRANSACTION_TIMEOUT), self._begin() as db:
                yield db
        except Exception as error:
            if not is_away(error):
                raise
            self._say(away=True, reason=error)
            raise StoreUnavailable(_AWAY) from error
        self._say(away=False)

    @property
    def in_use(self) -> int:
        """Connections that are at work now."""
        pool = self.engine.pool
        return pool.checkedout() if isinstance(pool, QueuePool) else 0

    async def ping(self) -> None:
        """Raises StoreUnavailable."""
        async with self.begin() as db:
            await db.execute(select(1))

    def _say(self, *, away: bool, reason: BaseException | None = None) -> None:
        """Once, when it changes: during an outage every request would say the same."""
        if away and not self._away:
            log.warning("database does not answer", reason=explain(reason))
        elif self._away and not away:
            log.info("database answers again")
        self._away = away


def is_away(error: BaseException) -> bool:
    """Whether the same may work later. asyncpg's own errors come bare while a connection is made, else wrapped."""
    if isinstance(error, (OSError, TimeoutError, PoolTimeout)):
        return not isinstance(error, DatabaseUnusable)
    cause = error.orig if isinstance(error, DBAPIError) else error
    if state := getattr(cause, "sqlstate", None):
        return str(state).startswith(_AWAY_STATES)
    if (code := getattr(cause, "sqlite_errorcode", None)) is not None:
        return code & 0xFF in _AWAY_SQLITE  # the rest tells more of the same error
    return isinstance(error, DBAPIError) and error.connection_invalidated


def explain(error: BaseException | None) -> str:
    """What the driver said, without SQLAlchemy's wrapping."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    return f"{type(cause).__name__}: {cause}".rstrip(": ")


_UNUSABLE = (SQLAlchemyError, ModuleNotFoundError, PermissionError, FileExistsError, NotADirectoryError)


@contextmanager
def telling(url: str) -> Iterator[None]:
    """What cannot be mended by waiting as one sentence for the operator, without the password. Raises
    StoreUnavailable, DatabaseUnusable."""
    try:
        yield
    except ArgumentError as error:
        raise DatabaseUnusable(f"LACQUER_DATABASE_URL is no SQLAlchemy URL: {error}") from error
    except Exception as error:
        if is_away(error) and not is_sqlite(url):  # a file that cannot be opened stays so
            raise StoreUnavailable(_AWAY) from error
        if not (isinstance(error, _UNUSABLE) or hasattr(error, "sqlstate")):
            raise
        raise DatabaseUnusable(f"the database {shown(url)} cannot be used: {explain(error)}") from error


def is_sqlite(url: str) -> bool:
    return make_url(url).get_backend_name() == "sqlite"


def shown(url: str) -> str:
    return make_url(url).render_as_string(hide_password=True)


def make_engine(url: str, pool_size: int = POOL_SIZE) -> AsyncEngine:
    """Makes the folder of a SQLite file as well; touches the disk."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _make_sqlite(parsed)
    return create_async_engine(
        asyncpg_url(parsed),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT,
        pool_pre_ping=True,  # after an outage the first to come need not find that out
        connect_args=connect_args(STATEMENT_TIMEOUT, REPLY_TIMEOUT),
    )


def connect_args(statement_timeout: float, reply_timeout: float) -> dict[str, Any]:
    """asyncpg's options; times in seconds."""
    settings = {
        "application_name": "lacquer",
        "statement_timeout": f"{statement_timeout:.0f}s",
        "idle_in_transaction_session_timeout": f"{IDLE_TIMEOUT:.0f}s",
    }
    return {"timeout": CONNECT_TIMEOUT, "command_timeout": reply_timeout, "server_settings": settings}


def asyncpg_url(url: URL) -> URL:
    """asyncpg calls `ssl` what every other client, and so every hosting company, calls `sslmode`."""
    if "sslmode" not in url.query or url.get_driver_name() != "asyncpg":
        return url
    return url.difference_update_query(["sslmode"]).update_query_dict({"ssl": url.query["sslmode"]})


def make_folder(url: URL) -> None:
    """The folder of a SQLite file."""
    if url.get_backend_name() == "sqlite" and url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)


def _make_sqlite(url: URL) -> AsyncEngine:
    make_folder(url)
    engine = create_async_engine(url)
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    """Readers and the writer do not block each other; a second writer waits its turn rather than fail."""
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", f"busy_timeout={BUSY_TIMEOUT_MS}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
