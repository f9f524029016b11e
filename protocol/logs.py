"""How every Lacquer process writes its log: one line an event, to stderr, as text for people or JSON for machines.

No line shows a token, a picture or an SDP, nor a client's address unless asked to (`redaction`). Of libraries, DEBUG is
never shown: Pillow would write down the place where a photo was taken, the database driver every row.
"""

from __future__ import annotations

import logging
import sys
from typing import Any, Literal

import structlog
from structlog.typing import EventDict, WrappedLogger

from protocol import tracing
from protocol.redaction import hide_fields, redact

LogFormat = Literal["console", "json"]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]

OURS = ("signaling", "media_worker", "protocol")


def configure(log_format: LogFormat, level: LogLevel = "INFO", *, addresses: bool = False) -> None:
    """Sends structlog and the standard library's loggers to stderr in the same form. `addresses` shows clients'."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        tracing.name_trace,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso" if log_format == "json" else "%H:%M:%S", utc=log_format == "json"),
    ]
    if log_format == "json":
        shared.append(structlog.processors.format_exc_info)
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _hide_fields,
                renderer,
                _Redacted(addresses),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel("INFO" if level == "DEBUG" else level)
    for package in OURS:
        logging.getLogger(package).setLevel(level)
    for noisy in ("aioice", "aiortc", "aiohttp.access"):
        logging.getLogger(noisy).setLevel("WARNING")


def _hide_fields(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    hide_fields(event)
    return event


class _Redacted:
    """The last processor: what it sees is the line as it would be written, tracebacks and all."""

    def __init__(self, addresses: bool) -> None:
        self._addresses = addresses

    def __call__(self, _logger: WrappedLogger, _method: str, line: Any) -> str:
        return redact(str(line), addresses=self._addresses)
