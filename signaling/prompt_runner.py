"""The server's edge: connections that say nothing, say it one byte at a time, or say what is no HTTP.

aiohttp by itself gives each connection an hour for its first request. A thousand that never send one take every file
that a process may open, and nobody else gets in. Requests that it cannot parse it answers with their own bytes, and
logs with a traceback each; here they get a problem document, and one line a second.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import structlog
from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from protocol.errors import BadRequest
from signaling.problems import problem_response

FIRST_REQUEST_TIMEOUT = 15.0
"""Seconds from a connection to the end of its first request's headers. Browsers that connect ahead of time connect
again."""

KEEPALIVE_TIMEOUT = 130.0
"""Seconds from an answer to the end of the next request's headers. Longer than the two minutes that Caddy keeps its
connections: one that we close just as a proxy uses it is a 502."""

MAX_CONNECTIONS = 8192
"""At once; further ones are closed before anything is read."""

OPEN_FILES = 16_384
"""Asked of the system, as far as it lets us; many give a process 1,024. A session's socket takes two."""

log = structlog.get_logger(__name__)


COMPLAINT_INTERVAL = 1.0


class PromptHandler(RequestHandler):
    """One connection."""

    __slots__ = ("_silence",)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._silence = self._loop.call_later(FIRST_REQUEST_TIMEOUT, self._check_first_request)
        if self._manager and len(self._manager.connections) > MAX_CONNECTIONS:
            self.force_close()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._silence.cancel()
        super().connection_lost(exc)

    def _check_first_request(self) -> None:
        if not self._request_count:  # aiohttp 3.14: requests whose headers are complete
            self.force_close()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What aiohttp does about requests that it cannot parse; and about errors that `problems` lets through."""
        if status >= 500 or request.writer.output_size > 0:
            return super().handle_error(request, status, exc, message)
        assert isinstance(self._manager, PromptServer)
        self._manager.complain()
        response = problem_response(BadRequest("this is no HTTP request that is understood here"))
        response.force_close()
        return response


class PromptServer(web.Server):
    """As aiohttp's, which calls itself for each connection's protocol."""

    _broken, _told_at = 0, float("-inf")

    def complain(self) -> None:
        self._broken += 1
        now = asyncio.get_running_loop().time()
        if now - self._told_at >= COMPLAINT_INTERVAL:
            log.info("requests not understood", requests=self._broken)
            self._broken, self._told_at = 0, now

    def __call__(self) -> RequestHandler:
        return PromptHandler(self, loop=asyncio.get_running_loop(), **self._kwargs)


class PromptRunner(web.AppRunner):
    """`web.AppRunner` with these bounds."""

    def __init__(self, app: web.Application, **options: Any) -> None:
        super().__init__(app, keepalive_timeout=KEEPALIVE_TIMEOUT, **options)

    async def _make_server(self) -> web.Server:
        allow_open_files()
        made = await super()._make_server()
        return PromptServer(
            made.request_handler,
            request_factory=made.request_factory,
            handler_cancellation=made.handler_cancellation,
            **made._kwargs,
        )


def allow_open_files() -> None:
    """Lets this process have OPEN_FILES, or as many as it may."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415  # there is none for Windows

    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if most == resource.RLIM_INFINITY else min(OPEN_FILES, most)
    if now != resource.RLIM_INFINITY and now < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
        log.debug("more files may be open", before=now, now=wanted)
