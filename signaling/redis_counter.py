"""The `Counter` of many signaling processes: how often somebody asked is in Redis, one key each, for all of them.

Where Redis does not answer within PATIENCE, this process counts by itself until it does: limits are there to keep a
service up, so they never take it down.

The rules are those of `buckets.py`, as the generic cell rate algorithm (ITU-T I.371, annex A): of a bucket, one number
is kept, when it will be full again. So a key is small, each step is one script, and Redis forgets a bucket by itself
as soon as it is full. No library: `limits` would bring a client and a way of naming keys of its own, for 20 lines.

Keys are `{lacquer}:rate:LIMIT:WHO`, where WHO is a keyed hash: no address and no owner is in Redis.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self

import structlog
from redis.exceptions import NoScriptError, RedisError

from protocol import redis_url
from signaling.buckets import NO_LIMIT, Verdict
from signaling.rates import Counter, Limit

PATIENCE = 0.05
"""Seconds that a request waits for Redis, which takes a millisecond where all is well."""

ASK_AGAIN = 1.0
"""Seconds between two looks for Redis while it does not answer; in between, nobody waits for it."""

SCRIPT = """
-- KEYS: the bucket · ARGV: tokens that it holds, microseconds in which so many come back, tokens to take
-- → allowed, tokens left, microseconds until there is one. By the server's own clock.
local count, window, taken = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local clock, each = redis.call('TIME'), window / count
local now = clock[1] * 1000000 + clock[2]
local full_at = math.max(now, tonumber(redis.call('GET', KEYS[1]) or 0))
if full_at > now + window then full_at = now end -- the clock was set back: better a full bucket than a locked one
local wait = full_at - now + each - window
if wait > 0 then return {0, 0, math.ceil(wait)} end
if taken > 0 then
  full_at = math.floor(full_at + taken * each)
  redis.call('SET', KEYS[1], string.format('%.0f', full_at), 'PX', math.ceil((full_at - now) / 1000))
end
return {1, math.floor((window - full_at + now) / each), 0}
"""
_SHA = hashlib.sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()  # as Redis names scripts

log = structlog.get_logger()


class RedisCounter:
    """Enter it before use. It starts without Redis, too, and finds it when it comes."""

    def __init__(self, url: str, secret: str, instead: Counter) -> None:
        """`secret` is the same in all processes, and makes keys that tell nothing; `instead` counts while Redis is
        away. Raises ValueError for a URL that cannot be used."""
        self._address = redis_url.parse(url)
        self._secret = secret.encode()
        self._instead = instead
        self._client: redis_url.Client | None = None
        self._stack = AsyncExitStack()
        self._calls: set[asyncio.Task[Verdict]] = set()
        self._away = False
        self._ask_at = float("-inf")
        """While it is away, when it may be asked again."""

    async def __aenter__(self) -> Self:
        self._client = await self._stack.enter_async_context(redis_url.connected(self._address))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for call in self._calls:
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)
        await self._stack.aclose()

    async def take(self, limit: Limit, key: str, tokens: int = 1) -> Verdict:
        if limit.rate.count <= 0:
            return NO_LIMIT
        if self._away:
            if time.monotonic() < self._ask_at:
                return await self._instead.take(limit, key, tokens)
            self._ask_at = time.monotonic() + ASK_AGAIN  # the others need not wait for the answer as well
        try:
            verdict = await self._in_time(self._ask(limit, key, tokens))
        except (RedisError, OSError, TimeoutError) as error:
            self._went_away(error)
            return await self._instead.take(limit, key, tokens)
        if self._away:
            self._away = False
            log.warning("redis is back; all processes count together")
        return verdict

    async def _in_time(self, asking: Awaitable[Verdict]) -> Verdict:
        """Raises TimeoutError. A call that is late goes on by itself, and ends soon (redis_url.CALL_TIMEOUT): redis-py
        would close its connection if it was cancelled."""
        call = asyncio.ensure_future(asking)
        assert isinstance(call, asyncio.Task)
        self._calls.add(call)
        call.add_done_callback(self._forget)
        await asyncio.wait({call}, timeout=PATIENCE)
        if not call.done():
            raise TimeoutError("no answer in time")
        return call.result()

    def _forget(self, call: asyncio.Task[Verdict]) -> None:
        self._calls.discard(call)
        if not call.cancelled():
            call.exception()  # nobody may be waiting for it any more

    async def _ask(self, limit: Limit, key: str, tokens: int) -> Verdict:
        assert self._client is not None, "enter the counter first"
        rate = limit.rate
        asked: tuple[Any, ...] = (self._key(limit.name, key), rate.count, round(rate.seconds * 1e6), tokens)
        try:
            answer = await self._client.evalsha(_SHA, 1, *asked)
        except NoScriptError:  # a server that was started just now
            answer = await self._client.eval(SCRIPT, 1, *asked)
        allowed, remaining, wait = answer
        return Verdict(allowed=bool(allowed), remaining=remaining, wait=wait / 1e6)

    def _key(self, limit: str, key: str) -> str:
        who = hmac.new(self._secret, f"{limit} {key}".encode(errors="surrogateescape"), "sha256").hexdigest()[:32]
        return f"{{lacquer}}:rate:{limit}:{who}"

    def _went_away(self, error: Exception) -> None:
        if not self._away:
            log.warning(
                "redis does not answer; each process counts by itself", error=str(error) or type(error).__name__
            )
        self._away, self._ask_at = True, time.monotonic() + ASK_AGAIN
