"""The server's edge: connections that say nothing, say it one byte at a time, or say what is no HTTP.

aiohttp by itself gives each connection an hour for its first request. A thousand that never send one take every file
that a process may open, and nobody else gets in; so they have a time limit, and one address a number of them. Requests
that it cannot parse it answers with their own bytes, and logs with a traceback each; here they get a problem document,
and one line a second.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import structlog
from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from protocol.errors import BadRequest
from signaling.buckets import Held
from signaling.client_address import Network, key, parse, within
from signaling.problems import problem_response
from signaling.settings import SETTINGS

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

    __slots__ = ("_give_back", "_silence")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._silence = self._loop.call_later(FIRST_REQUEST_TIMEOUT, self._check_first_request)
        assert isinstance(self._manager, PromptServer)
        self._give_back = self._manager.let_in(self.peername)
        if self._give_back is None:
            self.force_close()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._silence.cancel()
        if self._give_back:
            self._give_back()
            self._give_back = None
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
        self._manager.complain("requests not understood")
        response = problem_response(BadRequest("this is no HTTP request that is understood here"))
        response.force_close()
        return response


class PromptServer(web.Server):
    """As aiohttp's, which calls itself for each connection's protocol."""

    def __init__(self, handler: Any, held: Held, proxies: Sequence[Network], **options: Any) -> None:
        """`held` are the connections of each address; those of `proxies` are of many people, and not counted."""
        super().__init__(handler, **options)
        self._held, self._proxies = held, proxies
        self._untold: Counter[str] = Counter()
        self._told_at: dict[str, float] = {}

    def let_in(self, peer: object) -> Callable[[], None] | None:
        """What to call when the connection is over; None where it is one too many."""
        address = parse(peer[0]) if isinstance(peer, tuple) else None
        if len(self.connections) > MAX_CONNECTIONS:
            self.complain("too many connections")
            return None
        if address is None or within(address, self._proxies):
            return lambda: None
        if not self._held.take(key(address)):
            self.complain("too many connections of one address")
            return None
        return partial(self._held.give_back, key(address))

    def complain(self, of: str) -> None:
        """In the log, once a second for each kind."""
        self._untold[of] += 1
        now = asyncio.get_running_loop().time()
        if now - self._told_at.get(of, float("-inf")) >= COMPLAINT_INTERVAL:
            log.info(of, times=self._untold.pop(of))
            self._told_at[of] = now

    def __call__(self) -> RequestHandler:
        return PromptHandler(self, loop=asyncio.get_running_loop(), **self._kwargs)


class PromptRunner(web.AppRunner):
    """`web.AppRunner` with these bounds."""

    def __init__(self, app: web.Application, **options: Any) -> None:
        super().__init__(app, keepalive_timeout=KEEPALIVE_TIMEOUT, **options)

    async def _make_server(self) -> web.Server:
        allow_open_files()
        made, settings = await super()._make_server(), self.app[SETTINGS]
        return PromptServer(
            made.request_handler,
            Held(settings.rate_connections),
            settings.trusted_proxies,
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
