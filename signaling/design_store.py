"""Own designs in SQL. They are kept under `Store.designs`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from signaling.own_designs import FIRST_GIVEN_ID, Own
from signaling.tables import DesignRow

Begin = Callable[[], AbstractAsyncContextManager[AsyncSession]]


class DesignStore:
    def __init__(self, begin: Begin) -> None:
        self._begin = begin

    async def all(self) -> list[Own]:
        """Those that are there, oldest first."""
        query = select(DesignRow).where(DesignRow.removed.is_(False)).order_by(DesignRow.id)
        async with self._begin() as db:
            return [row.to_own() for row in await db.scalars(query)]

    async def next_id(self) -> int:
        """An id that no design ever had."""
        async with self._begin() as db:
            last = await db.scalar(select(func.max(DesignRow.id)).where(DesignRow.id >= FIRST_GIVEN_ID))
        return FIRST_GIVEN_ID if last is None else last + 1

    async def id_for(self, file: str) -> int | None:
        """What the design of this file was called last; None for a new file."""
        async with self._begin() as db:
            found: int | None = await db.scalar(select(func.min(DesignRow.id)).where(DesignRow.file == file))
            return found

    async def save(self, own: Own) -> None:
        """Adds the design, or takes the place of the one with its id."""
        row = DesignRow(
            id=own.design.id,
            removed=False,
            design=own.design.model_dump(mode="json"),
            nail_set=own.nail_set,
            nail_count=own.nail_count,
            file=own.file,
            content=own.content,
        )
        async with self._begin() as db:
            await db.merge(row)

    async def remove(self, design_id: int) -> None:
        gone = update(DesignRow).where(DesignRow.id == design_id).values(removed=True, nail_set=None)
        async with self._begin() as db:
            await db.execute(gone)
