"""The public keys of a host application's identity provider: a JSON Web Key Set (RFC 7517), fetched and kept.

Keys are fetched anew every ten minutes, and when a token names one that is not known; never more often than every ten
seconds, whatever strangers send. While the URL is away, the keys of before go on.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

import aiohttp
import jwt
import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from protocol.errors import Unauthorized

ALGORITHMS = ("RS256", "ES256")

LIFETIME = 600.0
"""Seconds after which the keys are asked for again: how long a key that was withdrawn still opens doors."""

MIN_INTERVAL = 10.0
"""Seconds between two fetches at least."""

FETCH_TIMEOUT = 5.0
MAX_SIZE = 256 * 1024
MAX_KEYS = 64
MIN_RSA_BITS = 2048
"""RFC 7518 §3.3."""

Clock = Callable[[], float]

log = structlog.get_logger()


class Jwks:
    """Enter it before use. The first fetch starts then, and nobody waits for it but who shows a token."""

    def __init__(self, url: str, *, clock: Clock = time.monotonic) -> None:
        self._url = url
        self._clock = clock
        self._keys: list[jwt.PyJWK] = []
        self._fetched_at = self._tried_at = float("-inf")
        self._fetching: asyncio.Task[None] | None = None
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=FETCH_TIMEOUT))
        self._fetch_soon()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.gather(self._fetching, return_exceptions=True)
        if self._http is not None:
            await self._http.close()

    async def key(self, kid: str | None, algorithm: str) -> jwt.PyJWK:
        """The key of this id, made for this algorithm and no other. Raises Unauthorized."""
        found = self._find(kid, algorithm)
        if found is None:
            if fetching := self._fetch_soon():
                await asyncio.wait({fetching})  # shared by all who wait; one who leaves does not cancel it
            found = self._find(kid, algorithm)
        elif self._clock() - self._fetched_at > LIFETIME:
            self._fetch_soon()  # beside: this token is as good as it was a moment ago
        if found is None:
            known = "its key is not among the host application's" if self._keys else "there are no keys to check it by"
            raise Unauthorized(f"the token is not valid: {known}")
        return found

    def _find(self, kid: str | None, algorithm: str) -> jwt.PyJWK | None:
        """A token that names no key is checked by the only one there is."""
        fit = [key for key in self._keys if key.algorithm_name == algorithm and kid in (None, key.key_id)]
        return fit[0] if len(fit) == 1 else None

    def _fetch_soon(self) -> asyncio.Task[None] | None:
        """The fetch that runs, or a new one; None where the last began just now."""
        if self._fetching is None or self._fetching.done():
            if self._clock() - self._tried_at < MIN_INTERVAL:
                return None
            self._tried_at = self._clock()
            self._fetching = asyncio.create_task(self._fetch(), name="jwks")
        return self._fetching

    async def _fetch(self) -> None:
        try:
            keys = usable_keys(await self._read())
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            log.warning("keys of the host application not fetched", url=self._url, error=_words(error))
            return
        self._keys, self._fetched_at = keys, self._clock()

    async def _read(self) -> bytes:
        assert self._http is not None, "enter the key set first"
        # A redirect could lead from https to anywhere.
        async with self._http.get(self._url, allow_redirects=False) as response:
            if response.status != 200:
                raise ValueError(f"answered with {response.status}")
            body = bytearray()
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) > MAX_SIZE:
                    raise ValueError(f"answered with more than {MAX_SIZE} bytes")
            return bytes(body)


def usable_keys(body: bytes) -> list[jwt.PyJWK]:
    """Public RSA and P-256 keys for signatures; others are none of our business. Raises ValueError without any."""
    try:
        document = json.loads(body)
    except RecursionError:
        raise ValueError("answered with JSON nested too deeply") from None
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise ValueError("answered with something that is no key set")
    found = [key for entry in entries[:MAX_KEYS] if (key := _usable(entry)) is not None]
    if not found:
        raise ValueError(f"has no key for {' or '.join(ALGORITHMS)}")
    return found


def _usable(entry: object) -> jwt.PyJWK | None:
    if not isinstance(entry, dict) or entry.get("use", "sig") != "sig" or "d" in entry:
        return None  # for encryption, or a private key, which whoever signs has lost by now
    if entry.get("kty") not in ("RSA", "EC"):
        return None  # `oct` is a shared secret: in public, it is none
    try:
        key = jwt.PyJWK.from_dict(entry)
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    if isinstance(key.key, RSAPublicKey) and key.key.key_size < MIN_RSA_BITS:
        return None
    return key if key.algorithm_name in ALGORITHMS else None


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
