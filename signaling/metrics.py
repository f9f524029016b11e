"""`/metrics` in Prometheus text: requests, sessions, workers, bridges."""

from __future__ import annotations

import asyncio
import shutil
import time
from contextlib import suppress
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from protocol import cgroup
from protocol.errors import StoreUnavailable
from signaling.context import CONTEXT
from signaling.legacy_ws import SOCKETS
from signaling.operations import ROUTE, Operation
from signaling.problems import CODE

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
        self.worker_draining = Gauge(
            "lacquer_worker_draining", "1 where it takes nobody in", ["worker"], registry=self.registry
        )
        self.bridges = Gauge("lacquer_websocket_bridges", "Open legacy WebSockets", registry=self.registry)
        self.refusals = Counter("lacquer_refusals", "Requests refused, by error code", ["code"], registry=self.registry)
        self.registry_up = Gauge("lacquer_registry_up", "1 unless Redis is used and away", registry=self.registry)
        self.connections = Gauge(
            "lacquer_database_connections", "To the database, at work for this process", registry=self.registry
        )
        self.most_connections = Gauge(
            "lacquer_database_connections_max",
            "That this process may have to PostgreSQL",
            registry=self.registry,
        )
        self.disk_free = Gauge("lacquer_data_free_bytes", "Room on the data folder's disk", registry=self.registry)
        self.disk_size = Gauge("lacquer_data_size_bytes", "Size of the data folder's disk", registry=self.registry)
        self.loop_lag = Gauge(
            "lacquer_signaling_loop_lag_seconds",
            "Lateness of the event loop's timers, recent maximum",
            registry=self.registry,
        )
        limit = Gauge("lacquer_memory_limit_bytes", "What this process may use", registry=self.registry)
        limit.set_function(cgroup.memory_limit)


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
    if (code := response.get(CODE)) is not None:
        metrics.refusals.labels(code).inc()
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
    kept.registry_up.set(all(outcome == "ok" for outcome in context.router.checks().values()))
    kept.connections.set(context.store.database.in_use)
    kept.most_connections.set(context.settings.database_pool_size)
    await asyncio.to_thread(_measure_disk, kept, context.settings.data_dir)
    for gauge in (kept.worker_up, kept.worker_slots, kept.worker_load, kept.worker_draining):
        gauge.clear()  # workers that were removed leave no ghost behind
    for worker in await context.router.workers():
        kept.worker_up.labels(worker.url).set(worker.live)
        kept.worker_slots.labels(worker.url).set(worker.capacity)
        kept.worker_load.labels(worker.url).set(worker.load)
        kept.worker_draining.labels(worker.url).set(worker.draining)
    kept.bridges.set(len(app[SOCKETS]))


def _measure_disk(kept: Metrics, folder: Path) -> None:
    """Nothing where there is no such folder, as where pictures and tables are elsewhere."""
    with suppress(OSError):
        usage = shutil.disk_usage(folder)
        kept.disk_free.set(usage.free)
        kept.disk_size.set(usage.total)


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
