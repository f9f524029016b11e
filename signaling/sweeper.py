"""Every few seconds: sessions past their time expire; workers say what their sessions did, and hear of new designs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import NoReturn

import structlog

from protocol.errors import LacquerError, StoreUnavailable
from signaling.context import Context

AT_ONCE = 100
"""Sessions expired in one sweep at most, so that a backlog after a long stop does not hold up everything else."""

LEADS_FOR = 10.0
"""Seconds. Of several signaling processes one takes the workers' reports in, as long as it is there."""

log = structlog.get_logger()


async def run(context: Context, interval: float) -> NoReturn:
    await for_ever(sweep, context, interval, "sweep failed")


async def for_ever(
    look: Callable[[Context], Awaitable[None]], context: Context, interval: float, failed: str
) -> NoReturn:
    """Looks after every pause; `failed` is what the log says of a fault."""
    while True:
        await asyncio.sleep(interval)
        try:
            await look(context)
        except StoreUnavailable:
            pass  # said where it is noticed, once
        except Exception:  # whatever else goes wrong once must not end it for good
            log.exception(failed)


async def sweep(context: Context) -> None:
    """Reports first: a session that expires now keeps its last statistics even if its worker is gone."""
    if await context.router.leads(LEADS_FOR):
        live = [worker.url for worker in await context.router.workers() if worker.live]
        known = await context.store.report_counts()
        await asyncio.gather(*(_absorb_reports(context, url, known) for url in live))
    for session in await context.store.due_sessions(context.clock(), AT_ONCE):
        await context.sessions.expire(session)
    await context.collection.refresh()
    await context.workshop.inform_all()


async def _absorb_reports(context: Context, url: str, known: Mapping[str, int]) -> None:
    try:
        reports = await context.workers.reports(url)
    except LacquerError as error:
        log.warning("reports missing", worker=url, error=error.code)
        return
    for report in reports:
        await context.sessions.absorb(url, report, known)
