"""One part of a long list, in SQL: what is older than the last entry that was shown."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from signaling.tables import ResultRow, SessionRow


@dataclass(frozen=True)
class Page:
    """Which part of a list is asked for: at most `limit` entries older than entry `before`."""

    limit: int
    before: str | None = None


Row = TypeVar("Row", SessionRow, ResultRow)


async def read_page(
    db: AsyncSession,
    table: type[Row],
    conditions: Collection[ColumnElement[bool]],
    page: Page,
    *,
    among: Collection[ColumnElement[bool]] | None = None,
) -> list[Row] | None:
    """Keyset pagination: stays right, and fast, while new entries come in at the front. `page.before` is looked for
    among the list's own entries, or where `among` says; None where it is not there."""
    query = select(table).where(*conditions).order_by(table.created_at.desc(), table.id.desc()).limit(page.limit)
    if page.before is not None:
        last = await db.scalar(select(table).where(*(conditions if among is None else among), table.id == page.before))
        if last is None:
            return None
        older = and_(table.created_at == last.created_at, table.id < last.id)
        query = query.where(or_(table.created_at < last.created_at, older))
    return list(await db.scalars(query))
