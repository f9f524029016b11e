"""Looking after media workers: which there are, and emptying one before its machine is worked on.

    GET    /admin/workers/             → [WorkerState]
    POST   /admin/workers/{id}/drain   → 204           it takes nobody in, and asks its clients to connect elsewhere
    DELETE /admin/workers/{id}/drain   → 204           it takes people in again

For who shows the admin token.
"""

from __future__ import annotations

from aiohttp import web

from protocol.api import WorkerState
from protocol.errors import Forbidden, NotFound, RateLimited, RegistryUnavailable, Unauthorized, WorkerUnavailable
from signaling import views
from signaling.admin_access import admin_only
from signaling.context import CONTEXT
from signaling.operations import Operation

WORKERS = "/admin/workers/"
_DRAIN = f"{WORKERS}{{worker_id}}/drain"


@admin_only
async def list_workers(request: web.Request) -> web.Response:
    found = await request.app[CONTEXT].router.workers()
    states = [
        WorkerState(
            id=worker.worker_id,
            url=worker.url,
            region=worker.region,
            live=worker.live,
            draining=worker.draining,
            capacity=worker.capacity,
            load=worker.load,
        )
        for worker in found
    ]
    return views.json_list(states)


@admin_only
async def drain(request: web.Request) -> web.Response:
    context = request.app[CONTEXT]
    await context.unbroken.run(context.router.drain(request.match_info["worker_id"]))
    return web.Response(status=204)


@admin_only
async def undrain(request: web.Request) -> web.Response:
    context = request.app[CONTEXT]
    await context.unbroken.run(context.router.undrain(request.match_info["worker_id"]))
    return web.Response(status=204)


_ADMIN = (Unauthorized, Forbidden, RateLimited)

OPERATIONS = (
    Operation(
        "GET",
        WORKERS,
        list_workers,
        "Every media worker",
        "workers",
        answers={200: {"application/json": list[WorkerState]}},
        admin=True,
        errors=_ADMIN,
    ),
    Operation(
        "POST",
        _DRAIN,
        drain,
        "Drain a worker: nobody new, and its clients connect elsewhere",
        "workers",
        answers={204: None},
        admin=True,
        errors=(*_ADMIN, NotFound, WorkerUnavailable, RegistryUnavailable),
    ),
    Operation(
        "DELETE",
        _DRAIN,
        undrain,
        "Let a drained worker take people in again",
        "workers",
        answers={204: None},
        admin=True,
        errors=(*_ADMIN, NotFound, WorkerUnavailable, RegistryUnavailable),
    ),
)
