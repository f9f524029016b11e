"""Sessions and results in SQL. Own designs are in `design_store`; nothing else knows that there are tables.

Times are Unix time in seconds. A change of a session's status is compare-and-set, so that of two processes that end
the same session at the same moment exactly one wins.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Executable,
    and_,
    delete,
    event,
    func,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from protocol.api import SessionStatus
from signaling.design_store import DesignStore
from signaling.sessions import LIVE, Session
from signaling.tables import Base, Result, ResultRow, SessionRow


@dataclass(frozen=True)
class Page:
    """Which part of a list is asked for: at most `limit` entries older than entry `before`."""

    limit: int
    before: str | None = None


Row = TypeVar("Row", SessionRow, ResultRow)


def _report_columns(session: Session) -> dict[str, Any]:
    return {
        # In a Config, a field that is absent means "as it was", so only what was set is kept.
        "settings": session.settings.model_dump(mode="json", exclude_unset=True),
        "statistics": session.statistics.model_dump(mode="json"),
        "earlier": session.earlier.model_dump(mode="json"),
    }


class Store:
    """Queries over one engine. Use `open_store`, which closes it."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._begin = async_sessionmaker(engine, expire_on_commit=False).begin
        self.designs = DesignStore(self._begin)

    async def create_tables(self) -> None:
        async with self._engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)

    async def ping(self) -> None:
        """Raises where the database does not answer."""
        async with self._engine.connect() as connection:
            await connection.execute(select(1))

    # --- sessions ---------------------------------------------------------------------------------------------------
    async def add_session(self, session: Session) -> None:
        row = SessionRow(
            id=session.session_id,
            owner=session.owner,
            mode=session.mode,
            post_id=session.post_id,
            status=session.status,
            created_at=session.created_at,
            expires_at=session.expires_at,
            nail_set=session.nail_set,
            **_report_columns(session),
        )
        async with self._begin() as db:
            db.add(row)

    async def session(self, session_id: str) -> Session | None:
        async with self._begin() as db:
            row = await db.get(SessionRow, session_id)
            return row.to_session() if row else None

    async def sessions_by_id(self, ids: Collection[str]) -> dict[str, Session]:
        async with self._begin() as db:
            rows = await db.scalars(select(SessionRow).where(SessionRow.id.in_(ids)))
            return {row.id: row.to_session() for row in rows}

    async def sessions_of(self, owner: str, page: Page, *, only: str | None = None) -> list[Session] | None:
        """The owner's sessions, newest first; None where `page.before` is not one of them.

        `only` narrows the list to one session: a token bound to it sees no other.
        """
        mine = [SessionRow.owner == owner]
        if only is not None:
            mine.append(SessionRow.id == only)
        async with self._begin() as db:
            rows = await _page(db, SessionRow, mine, page)
            return None if rows is None else [row.to_session() for row in rows]

    async def due_sessions(self, now: float, limit: int) -> list[Session]:
        """Live sessions whose time is over, the longest overdue first."""
        query = (
            select(SessionRow)
            .where(SessionRow.status.in_(LIVE), SessionRow.expires_at <= now)
            .order_by(SessionRow.expires_at)
            .limit(limit)
        )
        async with self._begin() as db:
            return [row.to_session() for row in await db.scalars(query)]

    async def set_status(self, session_id: str, status: SessionStatus, *, was: SessionStatus) -> bool:
        """Compare-and-set; False where the status is no longer `was`."""
        return await self._change_session(session_id, SessionRow.status == was, status=status)

    async def set_expiry(self, session_id: str, expires_at: float) -> bool:
        """False where the session is no longer live."""
        return await self._change_session(session_id, SessionRow.status.in_(LIVE), expires_at=expires_at)

    async def save_report(self, session: Session) -> None:
        """Settings and statistics, whatever the status is."""
        await self._change_session(session.session_id, true(), **_report_columns(session))

    async def forget_nail_set(self, session_id: str) -> None:
        await self._change_session(session_id, true(), nail_set=None)

    async def count_sessions(self) -> dict[SessionStatus, int]:
        query = select(SessionRow.status, func.count()).group_by(SessionRow.status)
        async with self._begin() as db:
            counted = {status: count for status, count in await db.execute(query)}
        return {status: counted.get(status, 0) for status in SessionStatus}

    async def count_live(self, owner: str, now: float) -> int:
        """Sessions of the owner that are not over."""
        mine = [SessionRow.owner == owner, SessionRow.status.in_(LIVE), SessionRow.expires_at > now]
        async with self._begin() as db:
            return await db.scalar(select(func.count()).select_from(SessionRow).where(*mine)) or 0

    async def _change_session(self, session_id: str, condition: ColumnElement[bool], **values: Any) -> bool:
        async with self._begin() as db:
            return await _changed(db, update(SessionRow).where(SessionRow.id == session_id, condition).values(**values))

    # --- results ----------------------------------------------------------------------------------------------------
    async def add_result(self, result: Result) -> None:
        row = ResultRow(
            id=result.result_id,
            session_id=result.session_id,
            owner=result.owner,
            created_at=result.created_at,
            design_id=result.design_id,
            blob=result.blob,
            content_type=result.content_type,
            width=result.width,
            height=result.height,
            confidence_score=result.confidence_score,
            extra=result.metadata,
        )
        async with self._begin() as db:
            db.add(row)

    async def result(self, result_id: str) -> Result | None:
        async with self._begin() as db:
            row = await db.get(ResultRow, result_id)
            return row.to_result() if row else None

    async def results_of(self, owner: str, page: Page, *, only: str | None = None) -> list[Result] | None:
        """As `sessions_of`; `only` is again a session's id."""
        mine = [ResultRow.owner == owner]
        if only is not None:
            mine.append(ResultRow.session_id == only)
        async with self._begin() as db:
            rows = await _page(db, ResultRow, mine, page)
            return None if rows is None else [row.to_result() for row in rows]

    async def delete_result(self, result_id: str) -> bool:
        """False where it was gone already."""
        async with self._begin() as db:
            return await _changed(db, delete(ResultRow).where(ResultRow.id == result_id))


async def _page(
    db: AsyncSession, table: type[Row], conditions: Collection[ColumnElement[bool]], page: Page
) -> list[Row] | None:
    """Keyset pagination: stays right, and fast, while new entries come in at the front."""
    query = select(table).where(*conditions).order_by(table.created_at.desc(), table.id.desc()).limit(page.limit)
    if page.before is not None:
        last = await db.scalar(select(table).where(*conditions, table.id == page.before))
        if last is None:
            return None
        older = and_(table.created_at == last.created_at, table.id < last.id)
        query = query.where(or_(table.created_at < last.created_at, older))
    return list(await db.scalars(query))


async def _changed(db: AsyncSession, statement: Executable) -> bool:
    result = await db.execute(statement)
    return cast("CursorResult[Any]", result).rowcount > 0


class DatabaseUnusable(OSError):
    """The database is broken, or its URL is."""


@asynccontextmanager
async def open_store(url: str) -> AsyncIterator[Store]:
    """A store on this database, its tables made; closed on the way out. Raises DatabaseUnusable."""
    with _telling(url):
        engine = await asyncio.to_thread(_make_engine, url)
    try:
        store = Store(engine)
        with _telling(url):
            await store.create_tables()
        yield store
    finally:
        await engine.dispose()


@contextmanager
def _telling(url: str) -> Iterator[None]:
    """What SQLAlchemy raises for a database as one sentence for its operator, without the password."""
    try:
        yield
    except ArgumentError as error:
        raise DatabaseUnusable(f"LACQUER_DATABASE_URL is no SQLAlchemy URL: {error}") from error
    except (SQLAlchemyError, ModuleNotFoundError) as error:
        reason = error.orig if isinstance(error, DBAPIError) else error
        name = make_url(url).render_as_string(hide_password=True)
        raise DatabaseUnusable(f"the database {name} cannot be used: {reason}") from error


def _make_engine(url: str) -> AsyncEngine:
    """Makes the folder of a SQLite file as well; touches the disk."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_async_engine(url, pool_pre_ping=True)
    if parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_async_engine(url)
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    """Readers and the writer do not block each other; a second writer waits its turn rather than fail."""
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=3000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
