"""How much one address, one owner and one session may ask for; beyond that, 429 `rate_limited` and when to come back.

Handlers call one function each. What is counted lies behind `Counter`: `LocalCounter` counts in this process, for one
that is alone, `redis_counter.RedisCounter` for all that share a Redis. What is open at once (WebSockets) is counted
by each process. Addresses are kept in memory alone, and no longer than they are counted.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import structlog
from aiohttp import hdrs, web

from protocol.errors import RateLimited
from protocol.internal import Role
from signaling.auth import known_caller
from signaling.buckets import Buckets, Held, Rate, Verdict
from signaling.client_address import client_address, key
from signaling.context import CONTEXT
from signaling.sessions import Clock
from signaling.settings import SETTINGS, Settings

MINUTE, DAY = 60.0, 24 * 3600.0

LIVE_RETRY_AFTER = 60
"""Seconds after which who has too many sessions may ask again: by then one is over, or was ended."""

log = structlog.get_logger()


@dataclass(frozen=True)
class Limit:
    name: str
    rate: Rate
    words: str
    """What there is too much of, for people."""


class Counter(Protocol):
    async def take(self, limit: Limit, key: str, tokens: int = 1) -> Verdict:
        """Counts one more under this key, if there is room; with `tokens` 0, only says whether there is."""


class LocalCounter:
    """In this process's memory."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._buckets: dict[str, Buckets] = {}

    async def take(self, limit: Limit, key: str, tokens: int = 1) -> Verdict:
        buckets = self._buckets.get(limit.name)
        if buckets is None:
            buckets = self._buckets[limit.name] = Buckets(limit.rate)
        return buckets.take(key, self._clock(), tokens)


class Rates:
    """The limits of one application."""

    def __init__(self, settings: Settings, counter: Counter) -> None:
        def each_minute(name: str, count: int, words: str) -> Limit:
            return Limit(name, Rate(count, MINUTE), words)

        self.sessions_of_address = each_minute("sessions-per-address", settings.rate_sessions_per_address, "sessions")
        self.sessions_of_owner = each_minute("sessions-per-owner", settings.rate_sessions_per_owner, "sessions")
        self.uploads = each_minute("uploads", settings.rate_uploads, "pictures")
        self.ice_servers = each_minute("ice-servers", settings.rate_ice_servers, "questions for relays")
        self.offers = each_minute("offers", settings.rate_offers, "connections to this session")
        self.previews = each_minute("previews", settings.rate_previews, "previews of designs")
        self.admin_tokens = each_minute("admin-tokens", settings.rate_admin_tokens, "wrong admin tokens")
        self.results = Limit("results", Rate(settings.rate_results, DAY), "pictures kept within a day")
        self.live_sessions = settings.rate_live_sessions
        self.sockets = Held(settings.rate_sockets)
        self.guessing = asyncio.Lock()
        """Held while an admin token is looked at: of many at once, all would be, before one is counted."""
        self._counter = counter
        self._proxies = settings.trusted_proxies
        self._log_addresses = settings.log_addresses
        self._warned = False
        self._told_at: dict[str, float] = {}
        self._untold: dict[str, int] = {}

    async def take(self, request: web.Request, limit: Limit, key: str, tokens: int = 1) -> None:
        """Raises RateLimited; with `tokens` 0, where one more would be too many."""
        verdict = await self._counter.take(limit, key, tokens)
        if not verdict.allowed:
            self.tell(request, limit.name)
            raise RateLimited(
                f"too many {limit.words}",
                retry_after=max(1, math.ceil(verdict.wait)),
                limit=limit.name,
                quota=limit.rate.count,
                window=int(limit.rate.seconds),
            )

    def address(self, request: web.Request) -> str:
        """The key under which the client's address is counted."""
        forwarded = ",".join(request.headers.getall(hdrs.X_FORWARDED_FOR, ()))
        address = client_address(request.remote, forwarded, self._proxies)
        if forwarded and not self._warned and address == client_address(request.remote, "", ()):
            self._warned = True
            log.warning("X-Forwarded-For from an address that is no trusted proxy: see LACQUER_TRUSTED_PROXIES")
        return key(address)

    def tell(self, request: web.Request, limit: str) -> None:
        """In the log, once a second for each limit: who floods us shall not flood that, too. Addresses are shown where
        the operator wants it."""
        times, now = self._untold.pop(limit, 0) + 1, time.monotonic()
        if now - self._told_at.get(limit, -math.inf) < 1:
            self._untold[limit] = times
            return
        self._told_at[limit] = now
        who = {"address": self.address(request)} if self._log_addresses else {}
        log.info("rate limited", limit=limit, times=times, **who)


RATES = web.AppKey("rates", Rates)


async def new_session(request: web.Request) -> None:
    """Raises RateLimited. Who is nobody yet has no sessions, and is counted by address alone; so is who shows a
    session's token, and becomes somebody new."""
    rates = request.app[RATES]
    await rates.take(request, rates.sessions_of_address, rates.address(request))
    if (who := known_caller(request)) is None or who.session_id is not None:
        return
    await rates.take(request, rates.sessions_of_owner, who.owner)


async def live_sessions(request: web.Request) -> None:
    """Asks the database, which takes longer than all else about a new session: after whether there is room for it.
    Raises RateLimited."""
    rates, context = request.app[RATES], request.app[CONTEXT]
    if (who := known_caller(request)) is None or who.session_id is not None:
        return
    if 0 < rates.live_sessions <= await context.store.count_live(who.owner, context.clock()):
        rates.tell(request, "live-sessions")
        raise RateLimited(
            f"{rates.live_sessions} sessions are open; end one, or let it expire",
            retry_after=LIVE_RETRY_AFTER,
            limit="live-sessions",
            quota=rates.live_sessions,
            window=int(request.app[SETTINGS].session_lifetime),
        )


async def upload(request: web.Request) -> None:
    """Of a picture; decoding it, and finding nails in it, is what costs most. Raises RateLimited."""
    rates = request.app[RATES]
    await rates.take(request, rates.uploads, rates.address(request))


async def result(request: web.Request, owner: str) -> None:
    """Raises RateLimited."""
    rates = request.app[RATES]
    await rates.take(request, rates.results, owner)


async def ice_servers(request: web.Request) -> None:
    """Raises RateLimited."""
    rates = request.app[RATES]
    await rates.take(request, rates.ice_servers, rates.address(request))


async def preview(request: web.Request) -> None:
    """Of a design, drawn by a worker. Raises RateLimited."""
    rates = request.app[RATES]
    await rates.take(request, rates.previews, rates.address(request))


async def may_be_admin(request: web.Request) -> None:
    """Raises RateLimited where too many wrong admin tokens came from this address."""
    rates = request.app[RATES]
    await rates.take(request, rates.admin_tokens, rates.address(request), tokens=0)


async def wrong_admin_token(request: web.Request) -> None:
    """Raises RateLimited."""
    rates = request.app[RATES]
    await rates.take(request, rates.admin_tokens, rates.address(request))


async def offer(request: web.Request, session_id: str, role: Role) -> None:
    """Each is a new connection, which costs a worker a handshake and threads. Many may watch one session, and knock
    until there is something to see, so each of their addresses counts for itself. Raises RateLimited."""
    rates = request.app[RATES]
    who = rates.address(request) if role is Role.WATCH else ""
    await rates.take(request, rates.offers, f"{session_id} {role} {who}")


@contextmanager
def socket(request: web.Request) -> Iterator[None]:
    """Held while a WebSocket is open. Raises RateLimited where its address has too many."""
    rates = request.app[RATES]
    address = rates.address(request)
    if not rates.sockets.take(address):
        rates.tell(request, "sockets")
        raise RateLimited(f"{rates.sockets.most} WebSockets are open from this address", limit="sockets")
    try:
        yield
    finally:
        rates.sockets.give_back(address)
