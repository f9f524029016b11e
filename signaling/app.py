"""The application put together: what it owns, in the order it starts, and its routes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from functools import cache
from typing import Any

from aiohttp import web

from protocol.errors import StoreUnavailable
from protocol.loop_lag import LoopLag
from signaling import (
    admin_api,
    admin_lists,
    admin_pictures,
    cors,
    designs,
    health,
    lan_api,
    legacy_ws,
    metrics,
    openapi,
    own_design_api,
    pages,
    results,
    retention,
    session_api,
    sweeper,
    webrtc,
    whep,
    whip,
)
from signaling.auth import HOST_AUDIENCE, HOST_TOKENS, TOKENS, Tokens, identify
from signaling.blobs import open_blobs
from signaling.collection import Collection
from signaling.context import CONTEXT, Context
from signaling.designs_folder import DesignsFolder
from signaling.host_tokens import HostTokens
from signaling.hosts import NAMES, check_host, names
from signaling.jwks import Jwks
from signaling.kept_blobs import KeptBlobs
from signaling.lan import LAN, Lan
from signaling.nail_sets import NailSets
from signaling.observed import observed
from signaling.operations import add_routes
from signaling.problems import problems
from signaling.rates import RATES, Counter, LocalCounter, Rates
from signaling.recent_errors import RECENT_ERRORS, RecentErrors
from signaling.routing import Router
from signaling.service import SessionService
from signaling.sessions import Clock
from signaling.settings import SETTINGS, Settings, signing_key
from signaling.store import Store, open_store
from signaling.unbroken import Unbroken
from signaling.uploads import MAX_FORM_SIZE, Uploads, expect
from signaling.worker_client import WorkerClient
from signaling.workshop import Workshop

OPERATIONS = (
    *session_api.OPERATIONS,
    *webrtc.OPERATIONS,
    *whip.OPERATIONS,
    *whep.OPERATIONS,
    *results.OPERATIONS,
    *designs.OPERATIONS,
    *own_design_api.OPERATIONS,
    *legacy_ws.OPERATIONS,
    *admin_api.OPERATIONS,
    *admin_lists.OPERATIONS,
    *admin_pictures.OPERATIONS,
    *health.OPERATIONS,
    *lan_api.OPERATIONS,
    *metrics.OPERATIONS,
    *openapi.OPERATIONS,
)


def create_app(
    settings: Settings,
    router: Router,
    *,
    clock: Clock = time.time,
    lan: Lan | None = None,
    counter: Counter | None = None,
) -> web.Application:
    """Signaling as an aiohttp application. It enters `router` when it starts and exits it when it stops.
    `lan` is what its page tells of phones in the same network. `counter` counts what limits are for; by default this
    process does so alone.

    Looks for the page's files, so it blocks for a moment. Raises FileNotFoundError where they are not installed.
    """
    # Outermost first: every answer is counted; a refused token is a problem document too.
    app = web.Application(
        middlewares=[
            metrics.count,
            observed,
            problems,
            check_host,
            cors.preflights,
            cors.cookies_from_our_page,
            identify,
        ],
        client_max_size=MAX_FORM_SIZE,
    )
    app[SETTINGS] = settings
    if lan is not None:
        app[LAN] = lan
    app[metrics.METRICS] = metrics.Metrics()
    app[legacy_ws.SOCKETS] = set()
    app[RECENT_ERRORS] = RecentErrors()
    app[admin_lists.STARTED_AT] = time.time()
    app[openapi.DOCUMENT] = _document()
    app[NAMES] = names(settings)
    app[RATES] = Rates(settings, counter or LocalCounter(clock))
    add_routes(app, OPERATIONS, expect)
    pages.add_pages(app)
    cors.add_cors(app)

    async def own(app: web.Application) -> AsyncIterator[None]:
        """Starts from the database up; stops in reverse, whatever fails on the way."""
        async with AsyncExitStack() as stack:
            await _read_tokens(app, stack)
            stack.enter_context(app[RECENT_ERRORS].listening())
            opening = open_store(settings.async_database_url, pool_size=settings.database_pool_size)
            store = await stack.enter_async_context(opening)
            stack.push_async_callback(_release_leases, store)
            workers = await stack.enter_async_context(WorkerClient(settings.worker_secret))
            await stack.enter_async_context(router)
            uploads, unbroken = Uploads(), Unbroken()
            stack.push_async_callback(uploads.close)
            stack.push_async_callback(unbroken.close)
            opened = await asyncio.to_thread(open_blobs, settings.blobs_at)
            blobs = KeptBlobs(opened, store.loose_blobs, clock)
            nail_sets = NailSets(blobs)
            collection = Collection(store.designs, nail_sets)
            await collection.refresh()
            workshop = Workshop(router, workers, collection)
            sessions = SessionService(
                store=store,
                nail_sets=nail_sets,
                router=router,
                workers=workers,
                workshop=workshop,
                unbroken=unbroken,
                clock=clock,
                lifetime=settings.session_lifetime,
            )
            app[CONTEXT] = Context(
                settings=settings,
                store=store,
                blobs=blobs,
                nail_sets=nail_sets,
                collection=collection,
                router=router,
                workers=workers,
                workshop=workshop,
                sessions=sessions,
                uploads=uploads,
                unbroken=unbroken,
                clock=clock,
            )
            sweeping = asyncio.create_task(sweeper.run(app[CONTEXT], settings.sweep_interval), name="sweeper")
            stack.push_async_callback(_stop, sweeping)
            lag = LoopLag(app[metrics.METRICS].loop_lag.set)
            stack.push_async_callback(_stop, asyncio.create_task(lag.measure(), name="loop-lag"))
            tidying = asyncio.create_task(retention.run(app[CONTEXT], settings.sweep_interval), name="retention")
            stack.push_async_callback(_stop, tidying)
            if settings.designs_dir is not None:
                folder = DesignsFolder(settings.designs_dir, collection, workshop, uploads)
                watching = asyncio.create_task(folder.watch(), name="designs-folder")
                stack.push_async_callback(_stop, watching)
            yield

    app.cleanup_ctx.append(own)
    app.on_shutdown.append(legacy_ws.close_all)
    return app


async def _read_tokens(app: web.Application, stack: AsyncExitStack) -> None:
    settings = app[SETTINGS]
    key = await asyncio.to_thread(signing_key, settings)
    app[TOKENS] = Tokens(key, issuer=settings.jwt_issuer, audience=settings.jwt_audience)
    if settings.jwks_url is not None:
        keys = await stack.enter_async_context(Jwks(settings.jwks_url))
        audience = settings.jwt_audience or HOST_AUDIENCE
        app[HOST_TOKENS] = HostTokens(keys, issuer=settings.jwt_issuer, audience=audience)


async def _stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _release_leases(store: Store) -> None:
    """Where the database is away, they expire by themselves."""
    with suppress(StoreUnavailable):
        await store.leases.release_all()


@cache
def _document() -> dict[str, Any]:
    return openapi.document(OPERATIONS)
