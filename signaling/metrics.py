"""`/metrics` in Prometheus text: requests, sessions, workers, bridges."""

from __future__ import annotations

import asyncio
import time

from aiohttp import web
from aiohttp.typedefs import Handler
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from protocol.errors import StoreUnavailable
from signaling.context import CONTEXT
from signaling.legacy_ws import SOCKETS
from signaling.operations import ROUTE, Operation

DATABASE_TIMEOUT = 2.0

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """One registry per application, so that two in a process do not add up."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        route = ["method", "route"]
        self.requests = Counter("lacquer_http_requests", "Requests", [*route, "status"], registry=self.registry)
        self.seconds = Histogram("lacquer_http_request_seconds", "Time to answer", route, registry=self.registry)
        self.sessions = Gauge("lacquer_sessions", "Sessions by status", ["status"], registry=self.registry)
        self.database_up = Gauge("lacquer_database_up", "1 where it answers", registry=self.registry)
        self.worker_up = Gauge("lacquer_worker_up", "1 where it answers", ["worker"], registry=self.registry)
        self.worker_slots = Gauge("lacquer_worker_slots", "Capacity", ["worker"], registry=self.registry)
        self.worker_load = Gauge("lacquer_worker_load", "Slots in use", ["worker"], registry=self.registry)
        self.bridges = Gauge("lacquer_websocket_bridges", "Open legacy WebSockets", registry=self.registry)


METRICS = web.AppKey("metrics", Metrics)


@web.middleware
async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Outermost: sees every answer. Routes are counted by pattern, so that ids make no new series."""
    metrics, start = request.app[METRICS], time.perf_counter()
    resource = request.match_info.route.resource
    route = request[ROUTE] = resource.canonical if resource else "unmatched"
    response = await handler(request)
    if response.status != 101:  # a WebSocket's lifetime says nothing of how fast we answer
        metrics.seconds.labels(request.method, route).observe(time.perf_counter() - start)
    metrics.requests.labels(request.method, route, response.status).inc()
    return response


async def metrics(request: web.Request) -> web.Response:
    await _refresh(request.app)
    # In a thread: the process collector reads files.
    body = await asyncio.to_thread(generate_latest, request.app[METRICS].registry)
    return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})


async def _refresh(app: web.Application) -> None:
    """Gauges are read when they are asked for."""
    kept, context = app[METRICS], app[CONTEXT]
    kept.sessions.clear()
    try:
        async with asyncio.timeout(DATABASE_TIMEOUT):
            counted = await context.store.count_sessions()
    except (StoreUnavailable, TimeoutError):  # the rest is worth most just then
        counted = {}
    kept.database_up.set(bool(counted))
    for status, number in counted.items():
        kept.sessions.labels(status.value).set(number)
    for gauge in (kept.worker_up, kept.worker_slots, kept.worker_load):
        gauge.clear()  # workers that were removed leave no ghost behind
    for worker in await context.router.workers():
        kept.worker_up.labels(worker.url).set(worker.live)
        kept.worker_slots.labels(worker.url).set(worker.capacity)
        kept.worker_load.labels(worker.url).set(worker.load)
    kept.bridges.set(len(app[SOCKETS]))


OPERATIONS = (
    Operation(
        "GET",
        "/metrics",
        metrics,
        "Prometheus text",
        "operations",
        answers={200: {"text/plain": {"type": "string"}}},
    ),
)
