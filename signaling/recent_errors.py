"""The last warnings and errors of this process, for its operator: in memory, bounded, and without secrets.

A log line may hold anything: addresses, bits of a body, what a library says of a URL with a password. So nothing is
shown but what is known to be harmless: the event as our own code words it, a code of `protocol.errors`, the exception's
class, ids of sessions. A worker's URL is kept to find its id, and not shown. Libraries' own words are left in the log.
"""

from __future__ import annotations

import logging
import os
import re
import socket
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from aiohttp import web

from protocol.errors import BY_CODE
from signaling.sessions import is_id

KEPT = 200
"""Different ones; the same thing again is counted. Some 100 kB of memory at most."""

MAX_EVENT = 160

_IN_PATH = re.compile(r"/(?:sessions|tryon)/([0-9A-Fa-f-]{36})(?:/|$)")


@dataclass(frozen=True)
class Trouble:
    """What was logged. The same again is equal."""

    level: Literal["warning", "error"]
    event: str
    code: str | None = None
    kind: str | None = None
    session_id: str | None = None
    worker_url: str | None = None


@dataclass
class Times:
    first_at: float
    last_at: float
    count: int = 1


class RecentErrors(logging.Handler):
    """Listens to the root logger, which structlog's events and the libraries' records all reach (protocol/logs.py)."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        super().__init__(logging.WARNING)
        self._clock = clock
        self._kept: OrderedDict[Trouble, Times] = OrderedDict()
        self._changing = threading.Lock()

    def emit(self, record: logging.LogRecord) -> None:
        trouble, now = _trouble(record), self._clock()
        with self._changing:
            times = self._kept.setdefault(trouble, Times(now, now, 0))
            times.last_at, times.count = now, times.count + 1
            self._kept.move_to_end(trouble)
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)

    def newest(self, limit: int = KEPT) -> list[tuple[Trouble, Times]]:
        with self._changing:
            return list(reversed(self._kept.items()))[:limit]

    @contextmanager
    def listening(self) -> Iterator[None]:
        root = logging.getLogger()
        root.addHandler(self)
        try:
            yield
        finally:
            root.removeHandler(self)


def _trouble(record: logging.LogRecord) -> Trouble:
    level: Literal["warning", "error"] = "error" if record.levelno >= logging.ERROR else "warning"
    if not isinstance(record.msg, dict):
        return Trouble(level, f"{record.name}: see the log"[:MAX_EVENT], kind=_class_of(record.exc_info))
    fields: Mapping[str, Any] = record.msg
    return Trouble(
        level,
        str(fields.get("event", ""))[:MAX_EVENT],
        code=next((code for code in (str(fields.get("error")), str(fields.get("code"))) if code in BY_CODE), None),
        kind=_class_of(fields.get("exc_info") or ("exception" in fields)),
        session_id=_session(fields),
        worker_url=next((str(fields[name]) for name in ("worker", "url") if name in fields), None),
    )


def _class_of(exc_info: object) -> str | None:
    """An exception is logged while it is handled, unless it comes along."""
    if isinstance(exc_info, tuple):
        exc_info = exc_info[1]
    if exc_info is True:
        exc_info = sys.exception()
    return type(exc_info).__name__ if isinstance(exc_info, BaseException) else None


def _session(fields: Mapping[str, Any]) -> str | None:
    found = _IN_PATH.search(str(fields.get("path", "")))
    session_id = str(fields.get("session") or (found[1] if found else ""))
    return session_id.lower() if is_id(session_id) else None


def process_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


RECENT_ERRORS = web.AppKey("recent_errors", RecentErrors)
