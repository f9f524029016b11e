"""What is kept is kept for so many days: then results go with their pictures, and so do sessions that are over.

One signaling process at a time does this for all that share a database. Each look deletes a bounded number; what is
left waits for the next one, a few seconds later.
"""

from __future__ import annotations

from typing import NoReturn

import structlog

from signaling.context import Context
from signaling.sweeper import for_ever

AT_ONCE = 100
"""Results, sessions and blobs deleted in one look at most, each."""

LEASE = "retention"
LEASE_SECONDS = 60.0
"""A process that died is followed by another one after this long; longer than any look takes."""

DAY = 24 * 3600.0

log = structlog.get_logger()


async def run(context: Context, interval: float) -> NoReturn:
    await for_ever(sweep, context, interval, "retention failed")


async def sweep(context: Context) -> None:
    """Blobs last: they include those of the results that have just gone."""
    now = context.clock()
    if not await context.store.leases.hold(LEASE, now, max(LEASE_SECONDS, 3 * context.settings.sweep_interval)):
        return
    if days := context.settings.retention_days:
        before = now - days * DAY
        results = await context.store.results.delete_older(before, AT_ONCE)
        sessions = await context.store.delete_finished(before, AT_ONCE)
        if results or sessions:
            log.info("kept long enough", results=len(results), sessions=sessions)
    await context.blobs.sweep(AT_ONCE)
