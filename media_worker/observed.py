"""Around each internal call: its log lines name the session that its path names, and its trace goes on here.

What a call starts, a peer with all its tasks and threads, keeps its context and so its name in the log.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from protocol import tracing

MAX_ID = 64
"""Of a session's id in the log; signaling's are shorter."""

_NOTHING: AbstractContextManager[None] = nullcontext()


@web.middleware
async def observed(request: web.Request, handler: Handler) -> web.StreamResponse:
    resource = request.match_info.route.resource
    route = resource.canonical if resource else "unmatched"
    session = request.match_info.get("session_id", "")[:MAX_ID] or None
    with named(session), _traced(request, route, session) as span:
        response = await handler(request)
        if span is not None:
            span.set_attribute("http.response.status_code", response.status)
        return response


def named(session: str | None) -> AbstractContextManager[Any]:
    return structlog.contextvars.bound_contextvars(session=session) if session else _NOTHING


def _traced(request: web.Request, route: str, session: str | None) -> AbstractContextManager[Any]:
    """Not health and metrics, which are asked for all day, and not a WebSocket, which lasts as long as a session. What
    signaling asks by itself, outside of any trace, is none either."""
    if not route.startswith("/internal/") or "traceparent" not in request.headers:
        return _NOTHING
    return tracing.served(f"{request.method} {route}", request.headers, session)
