"""Around each request: its log lines name the session of its path, and a trace begins where traces are wanted."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from protocol import tracing
from signaling.sessions import is_id
from signaling.urls import ROOTS

_NOTHING: AbstractContextManager[None] = nullcontext()


@web.middleware
async def observed(request: web.Request, handler: Handler) -> web.StreamResponse:
    resource = request.match_info.route.resource
    route, session = resource.canonical if resource else "unmatched", _session(request)
    with _named(session), _traced(request.method, route, session) as span:
        response = await handler(request)
        if span is not None:
            span.set_attribute("http.response.status_code", response.status)
        return response


def _session(request: web.Request) -> str | None:
    """Of the path; None for what cannot be one, as anybody may write anything there."""
    asked = request.match_info.get("session_id", "").lower()
    return asked if is_id(asked) else None


def _named(session: str | None) -> AbstractContextManager[Any]:
    return structlog.contextvars.bound_contextvars(session=session) if session else _NOTHING


def _traced(method: str, route: str, session: str | None) -> AbstractContextManager[Any]:
    """What people do; not the page's files, nor what operators and their programs ask."""
    return tracing.served(f"{method} {route}", {}, session) if route.startswith(ROOTS) else _NOTHING
