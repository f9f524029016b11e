"""One row per REST operation: routes and the OpenAPI document are both made from these rows, so they cannot differ.

Each handler module ends with its own `OPERATIONS`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from protocol.errors import LacquerError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

ExpectHandler = Callable[[web.Request], Awaitable[web.StreamResponse | None]]

Schema = Mapping[str, Any]
"""A piece of JSON Schema, for what is no model: images, SDP."""

Body = Mapping[str, Any]
"""Media type → a type that pydantic knows, or a `Schema`."""

BINARY: Schema = {"type": "string", "format": "binary"}
IMAGE: Body = {"image/jpeg": BINARY, "image/png": BINARY, "image/webp": BINARY}


ROUTE = web.RequestKey("route", str)
"""Of a request: the pattern that its path fits. It tells no ids, which open what they name."""


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    """As aiohttp and OpenAPI both write it. One that ends with a slash is served without it as well."""
    handler: Handler
    summary: str
    tag: str
    answers: Mapping[int, Body | None]
    """Status → body; None for an answer without one."""
    takes: Body | None = None
    query: Mapping[str, Schema] = field(default_factory=dict)
    headers: tuple[str, ...] = ()
    """Response headers worth knowing."""
    admin: bool = False
    """Whether it takes the admin token, as `admin_access.admin_only` handlers do."""
    bearer: bool = False
    """Whether it takes a bearer token, and nothing less."""
    errors: tuple[type[LacquerError], ...] = ()
    """Those of this operation itself; internal_error may always happen."""


def add_routes(app: web.Application, operations: Iterable[Operation], expect: ExpectHandler) -> None:
    """`expect` answers requests that ask before they send their body (RFC 9110 §10.1.1)."""
    for operation in operations:
        for path in dict.fromkeys((operation.path, operation.path.rstrip("/"))):
            methods = ("GET", "HEAD") if operation.method == "GET" else (operation.method,)
            for method in methods:
                app.router.add_route(method, path, operation.handler, expect_handler=expect)
