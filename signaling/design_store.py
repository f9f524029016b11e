"""Own designs in SQL. They are kept under `Store.designs`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from protocol.errors import StoreUnavailable
from signaling.database import Database
from signaling.loose_blobs import claim, loosen
from signaling.own_designs import FIRST_GIVEN_ID, Own
from signaling.tables import CounterRow, DesignRow

TRIES = 3
"""For changes that meet those of another process: twice in a row is bad luck, more often is a fault."""

Make = Callable[[int], Own]
"""The design, once its id is known."""


class DesignStore:
    """A set of nails that no design wears any more is loose, in the same transaction."""

    def __init__(self, database: Database) -> None:
        self._begin = database.begin

    async def all(self) -> list[Own]:
        """Those that are there, oldest first."""
        query = select(DesignRow).where(DesignRow.removed.is_(False)).order_by(DesignRow.id)
        async with self._begin() as db:
            return [row.to_own() for row in await db.scalars(query)]

    async def add(self, make: Make) -> Own:
        """A design under an id that no design ever had."""
        async with self._begin() as db:
            own = make(await _next_id(db))
            await _write(db, None, own)
        return own

    async def put_photo(self, file: str, make: Make) -> Own:
        """The design of a photo, under the id that this file had before. Where another process has taken in the same
        content meanwhile, what it made stays."""
        photo = (DesignRow.file == file, DesignRow.id >= FIRST_GIVEN_ID)
        for _ in range(TRIES):
            async with self._begin() as db:
                await _wait_for_turn(db)
                row = await db.scalar(select(DesignRow).where(*photo).order_by(DesignRow.id))
                own = make(row.id if row else await _next_id(db))
                if row is not None and not row.removed and row.content == own.content:
                    return row.to_own()
                if await _write(db, row, own):
                    return own
        raise _CONTESTED

    async def put(self, own: Own) -> None:
        """A design that names its id, whatever was there under that id before."""
        for _ in range(TRIES):
            with suppress(IntegrityError):  # another process was faster to write a row with that id
                async with self._begin() as db:
                    if await _write(db, await _read(db, own.design.id), own):
                        return
        raise _CONTESTED

    async def change(self, own: Own) -> bool:
        """The design as it is to be from now on; False where it is not of `own.revision` any more, or gone."""
        async with self._begin() as db:
            row = await _read(db, own.design.id)
            if row is None or row.removed or row.revision != own.revision:
                return False
            return await _write(db, row, own)

    async def remove(self, design_id: int) -> list[str]:
        """Removes the design, but for its row; the set of nails that is loose now, if any."""
        for _ in range(TRIES):
            async with self._begin() as db:
                row = await _read(db, design_id)
                if row is None or row.removed:
                    return []
                gone = [] if row.nail_set is None else [row.nail_set]
                if await _take(db, row):
                    row.removed, row.nail_set = True, None
                    await loosen(db, gone)
                    return gone
        raise _CONTESTED


_CONTESTED = StoreUnavailable("others change this design at the same time; try again")


async def _read(db: AsyncSession, design_id: int) -> DesignRow | None:
    return await db.get(DesignRow, design_id, with_for_update=True)


async def _write(db: AsyncSession, row: DesignRow | None, own: Own) -> bool:
    """Takes the design's set of nails where it is a new one, and loosens the one that the row had. False where
    somebody changed the row since it was read."""
    before = None
    if row is None:
        row = DesignRow(id=own.design.id, revision=0)
        db.add(row)
    elif await _take(db, row):
        before = row.nail_set
    else:
        return False
    row.removed, row.file, row.content = False, own.file, own.content
    row.design = own.design.model_dump(mode="json")
    row.nail_set, row.nail_count = own.nail_set, own.nail_count
    await db.flush()
    if own.nail_set != before:
        await claim(db, own.nail_set)
        await loosen(db, [] if before is None else [before])
    return True


async def _take(db: AsyncSession, row: DesignRow) -> bool:
    """Counts the row's next revision: False where somebody else has since it was read, which SQLite, without
    FOR UPDATE, does not prevent. From here on, nobody can until the transaction ends."""
    as_read = (DesignRow.id == row.id, DesignRow.revision == row.revision)
    counted = update(DesignRow).where(*as_read).values(revision=row.revision + 1).returning(DesignRow.id)
    return await db.scalar(counted.execution_options(synchronize_session=False)) is not None


async def _next_id(db: AsyncSession) -> int:
    """Processes that add designs at once come here one after the other: whoever counted holds the row to the end."""
    counter = update(CounterRow).where(CounterRow.name == "designs")
    counted = counter.values(value=CounterRow.value + 1).returning(CounterRow.value)
    given: int | None = await db.scalar(counted.execution_options(synchronize_session=False))
    assert given is not None, "the counter of designs was made with its table"
    return given


async def _wait_for_turn(db: AsyncSession) -> None:
    """Where what is read decides whether an id is needed."""
    same = update(CounterRow).where(CounterRow.name == "designs").values(value=CounterRow.value)
    await db.execute(same.execution_options(synchronize_session=False))
