"""`/healthz` speaks of this process alone; `/readyz` of all that a new session needs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from importlib import metadata

from aiohttp import web

from protocol.api import Health, Readiness
from protocol.errors import RegistryUnavailable, StoreUnavailable
from signaling import views
from signaling.context import CONTEXT, Context
from signaling.operations import Operation

CHECK_TIMEOUT = 2.0


def _version() -> str:
    try:
        return metadata.version("lacquer")
    except metadata.PackageNotFoundError:
        return "0.0.0+source"


VERSION = _version()


async def healthz(_request: web.Request) -> web.Response:
    return views.json_response(Health(version=VERSION))


async def readyz(request: web.Request) -> web.Response:
    context = request.app[CONTEXT]
    try:
        free = await context.router.free_slots()
    except RegistryUnavailable:
        free = 0  # what is wrong is among the checks
    database, pictures = await asyncio.gather(_answers(context.store.ping()), _answers(context.blobs.check()))
    checks = {
        "database": database,
        "pictures": pictures,
        **context.router.checks(),
        "workers": await _workers(context, free),
    }
    ready = all(outcome == "ok" for outcome in checks.values())
    answer = Readiness(status="ready" if ready else "not_ready", checks=checks, free_slots=free)
    return views.json_response(answer, status=200 if ready else 503)


async def _answers(check: Awaitable[None]) -> str:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT):
            await check
    except (StoreUnavailable, TimeoutError) as error:
        return f"does not answer ({type(error.__cause__ or error).__name__})"
    return "ok"


async def _workers(context: Context, free: int) -> str:
    workers = await context.router.workers()
    if not any(worker.live for worker in workers):
        return "no media worker answers"
    if all(worker.draining for worker in workers if worker.live):
        return "every media worker is draining"
    return "ok" if free else "every slot is taken"


OPERATIONS = (
    Operation(
        "GET", "/healthz", healthz, "This process answers", "operations", answers={200: {"application/json": Health}}
    ),
    Operation(
        "GET",
        "/readyz",
        readyz,
        "Whether a new session would be served",
        "operations",
        answers={200: {"application/json": Readiness}, 503: {"application/json": Readiness}},
    ),
)
