"""Pictures that are written down: before a blob is written, and until it is deleted, the database knows of it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Collection
from contextlib import suppress

import structlog

from protocol.errors import StoreUnavailable
from signaling.blobs import Blobs
from signaling.loose_blobs import LooseBlobs
from signaling.sessions import Clock

WRITING = 3600.0
"""Seconds from the intent to write a blob until it counts as given up: far more than any request takes."""

RETRY = 60.0
"""Seconds until blobs that could not be deleted are tried again."""

AT_ONCE = 8
"""Blobs deleted at the same time."""

log = structlog.get_logger()


class KeptBlobs:
    """What `put` returns belongs to nobody until a row of the database claims it (`loose_blobs.claim`)."""

    def __init__(self, blobs: Blobs, loose: LooseBlobs, clock: Clock) -> None:
        self._blobs, self._loose, self._clock = blobs, loose, clock
        self._away_until = 0.0

    async def put(self, data: bytes) -> str:
        """Keeps the bytes and returns their key. Raises StoreUnavailable."""
        key = uuid.uuid4().hex
        await self._loose.intend(key, self._clock() + WRITING)
        await self._blobs.put(key, data)
        return key

    async def get(self, key: str) -> bytes:
        """Raises NotFound, StoreUnavailable."""
        return await self._blobs.get(key)

    async def check(self) -> None:
        """Raises StoreUnavailable where no picture could be kept."""
        await self._blobs.check()

    async def delete(self, *keys: str) -> None:
        """Deletes blobs that no row points to any more, now where that is possible, else when the store answers again.

        A store that is away holds up only the first who notices, not everybody who ends a session meanwhile.
        """
        if self._is_away():
            return
        with suppress(StoreUnavailable):
            await self._delete(keys)

    async def sweep(self, limit: int) -> int:
        """Deletes what is loose, `limit` at most, and says how many there were. Raises StoreUnavailable, the first
        time; then it waits a while."""
        if self._is_away():
            return 0
        now = self._clock()
        keys = await self._loose.take_due(now, limit, again_at=now + RETRY)
        await self._delete(keys)
        return len(keys)

    async def _delete(self, keys: Collection[str]) -> None:
        """A few at a time, so that a store which is away costs the wait for a few. Raises StoreUnavailable."""
        left = list(keys)
        while left:
            batch, left = left[:AT_ONCE], left[AT_ONCE:]
            outcomes = await asyncio.gather(*map(self._blobs.delete, batch), return_exceptions=True)
            gone = [key for key, outcome in zip(batch, outcomes, strict=True) if outcome is None]
            if gone:
                await self._loose.strike_off(gone)
            for outcome in outcomes:
                if outcome is not None:
                    self._away_until = self._clock() + RETRY
                    log.warning("pictures are deleted later", pictures=len(batch) - len(gone) + len(left))
                    raise outcome

    def _is_away(self) -> bool:
        return self._clock() < self._away_until
