"""Everything that outlives a process, in SQL: sessions here, the rest in stores of their own. Nothing else knows that
there are tables.

Times are Unix time in seconds. Several signaling processes share one database, so what is changed is never what was
read a moment ago: a change names what it was made for (`was`, `due`, `reports`, `revision`), and changes nothing where
that is not so any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any, cast

import structlog
from sqlalchemy import CursorResult, Executable, case, delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from protocol.api import SessionStatus
from protocol.errors import StoreUnavailable
from signaling import migrate
from signaling.database import POOL_SIZE, Database, explain, make_engine, shown, telling
from signaling.design_store import DesignStore
from signaling.leases import Leases
from signaling.loose_blobs import LooseBlobs, claim, loosen
from signaling.paging import Page, read_page
from signaling.result_store import ResultStore
from signaling.sessions import LIVE, Session
from signaling.tables import ResultRow, SessionRow

START_BACKOFF = (0.5, 1.0, 2.0, 5.0)
"""Seconds between tries to reach the database at the start; the last one repeats."""

log = structlog.get_logger()


def _report_columns(session: Session) -> dict[str, Any]:
    return {
        # In a Config, a field that is absent means "as it was", so only what was set is kept.
        "settings": session.settings.model_dump(mode="json", exclude_unset=True),
        "statistics": session.statistics.model_dump(mode="json"),
        "earlier": session.earlier.model_dump(mode="json"),
    }


class Store:
    """Queries over one database; each is one transaction, and raises StoreUnavailable. Use `open_store`."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._begin = database.begin
        self.ping = database.ping
        self.results = ResultStore(database)
        self.designs = DesignStore(database)
        self.loose_blobs = LooseBlobs(database)
        self.leases = Leases(database)

    # --- reading sessions -------------------------------------------------------------------------------------------
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
            rows = await read_page(db, SessionRow, mine, page)
            return None if rows is None else [row.to_session() for row in rows]

    async def live_sessions(self, now: float, page: Page) -> list[Session] | None:
        """Everybody's sessions that are not over, newest first; None where `page.before` never was a session."""
        live = [SessionRow.status.in_(LIVE), SessionRow.expires_at > now]
        async with self._begin() as db:
            # The entry that a page ended with may be over by the time the next page is asked for.
            rows = await read_page(db, SessionRow, live, page, among=())
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

    async def report_counts(self) -> dict[str, int]:
        """Of live sessions: how many reports were taken in. Read it before workers are asked for the next ones."""
        query = select(SessionRow.id, SessionRow.reports).where(SessionRow.status.in_(LIVE))
        async with self._begin() as db:
            return {session_id: count for session_id, count in await db.execute(query)}

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

    # --- changing sessions ------------------------------------------------------------------------------------------
    async def add_session(self, session: Session) -> None:
        """Takes the session's set of nails. Raises StoreUnavailable where that came too late."""
        row = SessionRow(
            id=session.session_id,
            owner=session.owner,
            mode=session.mode,
            post_id=session.post_id,
            status=session.status,
            created_at=session.created_at,
            expires_at=session.expires_at,
            nail_set=session.nail_set,
            reports=session.reports,
            **_report_columns(session),
        )
        async with self._begin() as db:
            await claim(db, session.nail_set)
            db.add(row)

    async def move(self, session: Session, to: SessionStatus, *, due: float | None = None) -> bool:
        """The session's next status; where it is over, its nails are loose. False where its status is another one by
        now, or where it is not `due` at that time any more because somebody extended it."""
        as_read = [SessionRow.id == session.session_id, SessionRow.status == session.status]
        if due is not None:
            as_read.append(SessionRow.expires_at <= due)
        over = to not in LIVE
        values = {"status": to, "nail_set": None} if over else {"status": to}
        async with self._begin() as db:
            moved = await _changed(db, update(SessionRow).where(*as_read).values(**values))
            if moved and over and session.nail_set is not None:
                await loosen(db, [session.nail_set])
        return moved

    async def set_expiry(self, session_id: str, expires_at: float) -> bool:
        """Never earlier than it is: somebody else may have extended it further. False where it is over."""
        live = (SessionRow.id == session_id, SessionRow.status.in_(LIVE))
        later = case((SessionRow.expires_at < expires_at, expires_at), else_=SessionRow.expires_at)
        async with self._begin() as db:
            return await _changed(db, update(SessionRow).where(*live).values(expires_at=later))

    async def save_report(self, session: Session) -> bool:
        """Settings and statistics, whatever the status is. False where another report was taken in since the session
        was read: this one may be older than that, and would make counters begin anew."""
        as_read = (SessionRow.id == session.session_id, SessionRow.reports == session.reports)
        values = {"reports": session.reports + 1, **_report_columns(session)}
        async with self._begin() as db:
            return await _changed(db, update(SessionRow).where(*as_read).values(**values))

    async def delete_finished(self, before: float, limit: int) -> int:
        """Deletes sessions that are over, whose time was up before that, and that no result belongs to."""
        kept = exists().where(ResultRow.session_id == SessionRow.id)
        over = (SessionRow.status.not_in(LIVE), SessionRow.expires_at <= before, ~kept)
        chosen = select(SessionRow.id).where(*over).order_by(SessionRow.expires_at).limit(limit)
        gone = delete(SessionRow).where(SessionRow.id.in_(chosen)).returning(SessionRow.nail_set)
        async with self._begin() as db:
            nail_sets = list(await db.scalars(gone.execution_options(synchronize_session=False)))
            await loosen(db, [key for key in nail_sets if key is not None])  # sessions of older versions may have some
        return len(nail_sets)


async def _changed(db: AsyncSession, statement: Executable) -> bool:
    result = await db.execute(statement)
    return cast("CursorResult[Any]", result).rowcount > 0


@asynccontextmanager
async def open_store(url: str, *, pool_size: int = POOL_SIZE) -> AsyncIterator[Store]:
    """A store on this database, upgraded to today's tables; closed on the way out.

    Waits for a database that is away, for as long as it takes. Raises DatabaseUnusable.
    """
    with telling(url):
        engine = await asyncio.to_thread(make_engine, url, pool_size)
    try:
        await _upgraded(url)
        yield Store(Database(engine))
    finally:
        await engine.dispose()


async def _upgraded(url: str) -> None:
    tries = 0
    while True:
        try:
            await migrate.upgrade(url)
            return
        except StoreUnavailable as error:
            pause = START_BACKOFF[min(tries, len(START_BACKOFF) - 1)]
            tries += 1
            log.warning(
                "waiting for the database", database=shown(url), reason=explain(error.__cause__), next_try_in_s=pause
            )
            await asyncio.sleep(pause)
