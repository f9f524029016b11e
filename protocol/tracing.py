"""Traces across processes, with OpenTelemetry: where OTEL_EXPORTER_OTLP_ENDPOINT is set and the extra `otel` installed.

Without that, nothing of OpenTelemetry is imported, and a span is one shared object that does nothing. What a span says:
its name, the session's id, a route's pattern, an HTTP status, an error's code. Never an address, a token, a message.

A trace begins in signaling. It goes on in a worker by the header `traceparent` (W3C Trace Context) of the internal API,
which only signaling calls; what clients send is not looked at, as they could have everything recorded.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog

from protocol.errors import LacquerError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Tracer
    from structlog.typing import EventDict, WrappedLogger

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

LAST_EXPORT = 2.0
"""Seconds that the last spans have to leave when a process stops."""

COMPLAIN_EVERY = 60.0
"""Seconds between log lines about a collector that is away."""

COMPLAINTS = (
    "opentelemetry.exporter.otlp.common.http",
    "opentelemetry.exporter.otlp.proto.http.trace_exporter",
    "opentelemetry.sdk._shared_internal",
)
"""Loggers of opentelemetry-sdk 1.45 that say so."""

SESSION = "lacquer.session"

log = structlog.get_logger(__name__)

_NOTHING: AbstractContextManager[None] = nullcontext()
_NO_HEADERS: Mapping[str, str] = {}


@dataclass(frozen=True)
class _Recording:
    provider: TracerProvider
    exporter: SpanExporter


_recording: _Recording | None = None
_tracer: Tracer | None = None


def wanted(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the operator named a collector, by the variables that every OpenTelemetry program reads."""
    disabled = environment.get("OTEL_SDK_DISABLED", "").lower() == "true"
    return not disabled and any(environment.get(name) for name in ENDPOINTS)


def configure(service: str, instance: str = "") -> bool:
    """Starts to record, where that is wanted and installed. `instance` tells processes of one service apart.

    The standard OTEL_… variables say where spans go, how many are kept, and by which name; `service` is the default.
    """
    global _recording, _tracer  # noqa: PLW0603  # one exporter a process, as OpenTelemetry itself has it
    if not wanted() or _recording is not None:
        return _recording is not None
    try:
        _recording = _begin(service, instance)
    except ImportError as error:
        log.warning("no traces: pip install 'lacquer[otel]'", missing=error.name)
        return False
    _tracer = _recording.provider.get_tracer("lacquer")
    log.info("traces are sent", service=_recording.provider.resource.attributes["service.name"])
    return True


def _begin(service: str, instance: str) -> _Recording:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415  # see above
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    about = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": service}
    about |= {"service.instance.id": instance} if instance else {}
    # Not at exit: there it would wait as long as it likes for a collector that is away; `close` does not.
    provider = TracerProvider(resource=Resource.create(about), shutdown_on_exit=False)
    exporter = OTLPSpanExporter()
    provider.add_span_processor(BatchSpanProcessor(exporter))
    _complain_seldom()
    return _Recording(provider, exporter)


async def close() -> None:
    """Sends what is left, for LAST_EXPORT at most. Idempotent."""
    global _recording, _tracer
    recording, _recording, _tracer = _recording, None, None
    if recording is None:
        return
    # In a daemon: with a collector that takes connections and never answers, it would hold up the end of the process.
    leaving = threading.Thread(target=recording.provider.shutdown, name="last-traces", daemon=True)
    leaving.start()
    await asyncio.to_thread(leaving.join, LAST_EXPORT)
    if leaving.is_alive():
        log.warning("the last traces were not sent")
        recording.exporter.shutdown()  # wakes the one that waits for its next try
        await asyncio.to_thread(leaving.join, LAST_EXPORT / 4)


# --- spans -----------------------------------------------------------------------------------------------------------
def span(name: str, session: str | None = None, **attributes: str | int) -> AbstractContextManager[Any]:
    """Around a piece of work within a trace, below the span that is current; nothing outside of one, so that what runs
    by itself every few seconds makes no traces. Gives the span, or None."""
    if _tracer is None or not _trace():
        return _NOTHING
    return _recorded(name, None, _attributes(session, attributes))


def served(name: str, headers: Mapping[str, str], session: str | None = None) -> AbstractContextManager[Any]:
    """Around what somebody asked of this process: below the span that a process of ours asked in, by its headers, or
    else as the first of a trace."""
    if _tracer is None:
        return _NOTHING
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

    return _recorded(name, TraceContextTextMapPropagator().extract(dict(headers)), _attributes(session, {}))


def headers() -> Mapping[str, str]:
    """What a call to a worker carries, so that its spans belong to the one that is current."""
    if _tracer is None:
        return _NO_HEADERS
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier


def _attributes(session: str | None, others: Mapping[str, str | int]) -> dict[str, str | int]:
    return {SESSION: session, **others} if session else dict(others)


@contextmanager
def _recorded(name: str, parent: Any, attributes: dict[str, str | int]) -> Iterator[Any]:
    """What is raised is named by its code: a message or a traceback may hold what people sent."""
    from opentelemetry.trace import SpanKind, StatusCode  # noqa: PLC0415

    assert _tracer is not None
    kind = SpanKind.INTERNAL if parent is None else SpanKind.SERVER
    with _tracer.start_as_current_span(
        name, parent, kind, attributes, record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield current
        except BaseException as error:
            code = error.code if isinstance(error, LacquerError) else type(error).__name__
            current.set_attribute("error.type", code)
            if not isinstance(error, LacquerError) or error.status >= 500:
                current.set_status(StatusCode.ERROR)
            raise


# --- logs ------------------------------------------------------------------------------------------------------------
def name_trace(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A structlog processor: lines that are written within a trace name it."""
    if _tracer is not None and (trace := _trace()):
        event["trace"] = f"{trace:032x}"
    return event


def _trace() -> int:
    """The current one's id; 0 outside of any."""
    from opentelemetry.trace import get_current_span  # noqa: PLC0415

    return get_current_span().get_span_context().trace_id


def _complain_seldom() -> None:
    seldom = _Seldom()
    for name in COMPLAINTS:
        logger = logging.getLogger(name)
        if not logger.filters:
            logger.addFilter(seldom)


class _Seldom(logging.Filter):
    """The exporter would complain of a collector that is away every few seconds."""

    def __init__(self) -> None:
        super().__init__()
        self._at = float("-inf")

    def filter(self, record: logging.LogRecord) -> bool:
        now = time.monotonic()
        if now - self._at < COMPLAIN_EVERY or "already shutdown" in record.getMessage():
            return False
        self._at = now
        return True
