"""Work that one signaling process at a time does for all that share a database, in SQL.

All such work does no harm when it is done twice, as it may be where the clocks of machines differ by more than a lease:
leases save work, they do not make it safe.
"""

from __future__ import annotations

import uuid

from sqlalchemy import delete, insert, or_, update
from sqlalchemy.exc import IntegrityError

from signaling.database import Database
from signaling.tables import LeaseRow


class Leases:
    """Those of this process."""

    def __init__(self, database: Database) -> None:
        self._begin = database.begin
        self._me = str(uuid.uuid4())
        self._held: dict[str, float] = {}
        """Until when, by name: so that nothing is written every few seconds."""

    async def hold(self, name: str, now: float, seconds: float) -> bool:
        """Takes the lease, or prolongs it once half of its time is over; False while another process has it."""
        if now < self._held.get(name, 0.0) - seconds / 2:
            return True
        held = await self._take(name, now, seconds)
        self._held[name] = now + seconds if held else 0.0
        return held

    async def _take(self, name: str, now: float, seconds: float) -> bool:
        free = or_(LeaseRow.holder == self._me, LeaseRow.expires_at <= now)
        mine = {"holder": self._me, "expires_at": now + seconds}
        taken = update(LeaseRow).where(LeaseRow.name == name, free).values(**mine).returning(LeaseRow.name)
        async with self._begin() as db:
            if await db.scalar(taken.execution_options(synchronize_session=False)):
                return True
        return await self._create(name, mine)

    async def _create(self, name: str, mine: dict[str, object]) -> bool:
        """The first one ever. False where the row is there already, another's."""
        try:
            async with self._begin() as db:
                await db.execute(insert(LeaseRow).values(name=name, **mine))
        except IntegrityError:
            return False
        return True

    async def release_all(self) -> None:
        """So that another process need not wait until they expire."""
        self._held.clear()
        async with self._begin() as db:
            await db.execute(delete(LeaseRow).where(LeaseRow.holder == self._me))
