"""Results in SQL. They are kept under `Store.results`."""

from __future__ import annotations

from sqlalchemy import ColumnElement, delete, select

from signaling.database import Database
from signaling.loose_blobs import claim, loosen
from signaling.paging import Page, read_page
from signaling.tables import Result, ResultRow


class ResultStore:
    """A result that is deleted leaves its blob loose, in the same transaction."""

    def __init__(self, database: Database) -> None:
        self._begin = database.begin

    async def add(self, result: Result) -> None:
        """Takes the result's blob. Raises StoreUnavailable where that came too late."""
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
            await claim(db, result.blob)
            db.add(row)

    async def get(self, result_id: str) -> Result | None:
        async with self._begin() as db:
            row = await db.get(ResultRow, result_id)
            return row.to_result() if row else None

    async def of(self, owner: str, page: Page, *, only: str | None = None) -> list[Result] | None:
        """The owner's results, newest first; None where `page.before` is not one of them.

        `only` narrows the list to one session: a token bound to it sees no other.
        """
        async with self._begin() as db:
            rows = await read_page(db, ResultRow, _own(owner, only), page)
            return None if rows is None else [row.to_result() for row in rows]

    async def newest(self, page: Page) -> list[Result] | None:
        """Everybody's; None where `page.before` is not one of them."""
        async with self._begin() as db:
            rows = await read_page(db, ResultRow, (), page)
            return None if rows is None else [row.to_result() for row in rows]

    async def delete(self, result_id: str) -> list[str]:
        """The blob that is loose now; none where the result was gone already."""
        return await self._delete(ResultRow.id == result_id, limit=1)

    async def delete_of(self, owner: str, limit: int, *, only: str | None = None) -> list[str]:
        """Some of the owner's results, at most `limit`: the blobs that are loose now."""
        return await self._delete(*_own(owner, only), limit=limit)

    async def delete_older(self, than: float, limit: int) -> list[str]:
        """Results made until then, the oldest first, at most `limit`: the blobs that are loose now."""
        return await self._delete(ResultRow.created_at <= than, limit=limit)

    async def _delete(self, *conditions: ColumnElement[bool], limit: int) -> list[str]:
        chosen = select(ResultRow.id).where(*conditions).order_by(ResultRow.created_at).limit(limit)
        gone = delete(ResultRow).where(ResultRow.id.in_(chosen)).returning(ResultRow.blob)
        async with self._begin() as db:
            keys = list(await db.scalars(gone.execution_options(synchronize_session=False)))
            await loosen(db, keys)
        return keys


def _own(owner: str, only: str | None) -> list[ColumnElement[bool]]:
    mine = [ResultRow.owner == owner]
    return mine if only is None else [*mine, ResultRow.session_id == only]
