"""A collector for traces: takes OTLP over HTTP from a real exporter and keeps the spans."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

WAIT = 15.0


@dataclass(frozen=True)
class Span:
    name: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, str | int]
    service: str


@dataclass
class Collector:
    url: str = ""
    spans: list[Span] = field(default_factory=list)
    raw: bytes = b""

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        if request.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.raw += body
        for of_resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            service = _values(of_resource.resource.attributes)["service.name"]
            for scope in of_resource.scope_spans:
                self.spans += [
                    Span(
                        it.name,
                        it.trace_id.hex(),
                        it.span_id.hex(),
                        it.parent_span_id.hex(),
                        _values(it.attributes),
                        str(service),
                    )
                    for it in scope.spans
                ]
        return web.Response(
            body=ExportTraceServiceResponse().SerializeToString(), content_type="application/x-protobuf"
        )

    async def until(self, there: Callable[[], object]) -> None:
        deadline = time.monotonic() + WAIT
        while not there():
            assert time.monotonic() < deadline, [span.name for span in self.spans]
            await asyncio.sleep(0.05)

    def named(self, name: str) -> Span:
        """The newest of that name."""
        return next(span for span in reversed(self.spans) if span.name == name)

    def parent(self, span: Span) -> Span:
        return next(other for other in self.spans if other.id == span.parent)


def _values(attributes: Any) -> dict[str, str | int]:
    return {
        it.key: it.value.string_value if it.value.HasField("string_value") else it.value.int_value for it in attributes
    }


@asynccontextmanager
async def collector() -> AsyncIterator[Collector]:
    """On a free port of loopback."""
    taken = Collector()
    app = web.Application()
    app.router.add_post("/v1/traces", taken.take)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        taken.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield taken
    finally:
        await runner.cleanup()
