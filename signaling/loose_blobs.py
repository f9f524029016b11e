"""Blobs that no row points to, in SQL: so that neither a crash nor a picture store that is away leaves one for ever.

    intend ──▶ the blob is written ──▶ claim, with the row that points to it
       │                                 │
       └── an hour without a claim ──▶ loose, to be deleted ◀── loosen, as that row goes

A blob that was found loose is never claimed again: of one who deletes it and one who points to it exactly one wins.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from protocol.errors import StoreUnavailable
from signaling.database import Database
from signaling.tables import LooseBlobRow


async def claim(db: AsyncSession, key: str | None) -> None:
    """A row of this transaction points to the blob from now on. Raises StoreUnavailable where it came too late."""
    if key is None:
        return
    mine = delete(LooseBlobRow).where(LooseBlobRow.key == key, LooseBlobRow.writing).returning(LooseBlobRow.key)
    if await db.scalar(mine) is None:
        raise StoreUnavailable("keeping the picture took too long; try again")


async def loosen(db: AsyncSession, keys: Collection[str]) -> None:
    """No row points to these blobs any more, once this transaction is committed."""
    if keys:
        await db.execute(insert(LooseBlobRow), [{"key": key, "writing": False, "due": 0.0} for key in keys])


class LooseBlobs:
    def __init__(self, database: Database) -> None:
        self._begin = database.begin

    async def intend(self, key: str, until: float) -> None:
        """Before the blob is written: where no row claims it until then, it is to be deleted."""
        async with self._begin() as db:
            db.add(LooseBlobRow(key=key, writing=True, due=until))

    async def take_due(self, now: float, limit: int, *, again_at: float) -> Sequence[str]:
        """Blobs that are to be deleted now. They come up again at that time, unless they are struck off."""
        due = select(LooseBlobRow.key).where(LooseBlobRow.due <= now).order_by(LooseBlobRow.due).limit(limit)
        taken = (
            update(LooseBlobRow)
            .where(LooseBlobRow.key.in_(due))
            .values(writing=False, due=again_at)
            .returning(LooseBlobRow.key)
            .execution_options(synchronize_session=False)
        )
        async with self._begin() as db:
            return (await db.scalars(taken)).all()

    async def strike_off(self, keys: Collection[str]) -> None:
        """These are deleted."""
        async with self._begin() as db:
            await db.execute(delete(LooseBlobRow).where(LooseBlobRow.key.in_(keys)))

    async def count(self) -> int:
        async with self._begin() as db:
            return await db.scalar(select(func.count()).select_from(LooseBlobRow)) or 0
