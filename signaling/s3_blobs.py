"""Pictures in an S3-compatible bucket, through obstore. Needs the extra `s3`; only `blobs.open_blobs` imports this.

Who we are, and where the store is, comes from the variables that every S3 tool reads: AWS_ACCESS_KEY_ID,
AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL; or from the machine's role, on AWS itself.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable
from contextlib import suppress
from datetime import timedelta
from typing import TypeVar

import obstore
import structlog
from obstore.exceptions import BaseError, PermissionDeniedError
from obstore.store import S3Store

from protocol.errors import NotFound, StoreUnavailable
from signaling.blobs import GONE, BlobsUnusable

CONNECT_TIMEOUT = timedelta(seconds=3)
REQUEST_TIMEOUT = timedelta(seconds=10)
RETRIES = 3
RETRY_TIMEOUT = timedelta(seconds=8)
"""After this long no further try begins."""

ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")

TIMEOUT = 15.0
"""Seconds for a call with all its tries: what a person waits for, with a picture in our memory meanwhile."""

MARK = ".lacquer"
"""Written once, to see that this bucket takes pictures; then looked for. A blob's key never looks like this."""

Answer = TypeVar("Answer")

log = structlog.get_logger()


class S3Blobs:
    def __init__(self, bucket: str, prefix: str) -> None:
        """Connects to nothing yet. Raises BlobsUnusable."""
        self._name = f"s3://{bucket}/{prefix}".rstrip("/")
        try:
            self._store = S3Store(
                bucket,
                prefix=prefix or None,
                client_options={
                    "connect_timeout": CONNECT_TIMEOUT,
                    "timeout": REQUEST_TIMEOUT,
                    "allow_http": _plain_http(),
                },
                retry_config={
                    "max_retries": RETRIES,
                    "retry_timeout": RETRY_TIMEOUT,
                    "backoff": {"init_backoff": timedelta(seconds=0.2), "max_backoff": timedelta(seconds=2), "base": 2},
                },
            )
        except (BaseError, ValueError) as error:
            raise BlobsUnusable(f"{self._name} cannot be used: {_words(error)}") from error

    async def put(self, key: str, data: bytes) -> None:
        await self._bounded(obstore.put_async(self._store, key, data, use_multipart=False))

    async def get(self, key: str) -> bytes:
        return await self._bounded(self._read(key))

    async def _read(self, key: str) -> bytes:
        answer = await obstore.get_async(self._store, key)
        return bytes(await answer.bytes_async())

    async def delete(self, key: str) -> None:
        with suppress(NotFound):  # S3 itself says nothing of it, others do
            await self._bounded(obstore.delete_async(self._store, key))

    async def check(self) -> None:
        """Without the permission to list, S3 answers 403 for what is missing: then only writing tells."""
        try:
            await self._bounded(obstore.head_async(self._store, MARK))
        except (NotFound, _Denied):
            await self.put(MARK, b"Lacquer keeps pictures here.\n")

    async def _bounded(self, call: Awaitable[Answer]) -> Answer:
        try:
            async with asyncio.timeout(TIMEOUT):
                return await call
        except FileNotFoundError as error:
            if "NoSuchBucket" in str(error):
                raise self._refusal(error, StoreUnavailable) from error
            raise NotFound(GONE) from None
        except PermissionDeniedError as error:
            raise self._refusal(error, _Denied) from error
        except (BaseError, OSError, TimeoutError) as error:
            raise self._refusal(error, StoreUnavailable) from error

    def _refusal(self, error: BaseException, kind: type[StoreUnavailable]) -> StoreUnavailable:
        log.error("the picture store fails", store=self._name, reason=_words(error))
        return kind("the picture store does not answer; try again in a moment")


class _Denied(StoreUnavailable):
    """Our key may not do this: told to people as a store that is away, which it is for them."""


def _plain_http() -> bool:
    """An operator who writes http:// means it: a store in the same network."""
    return any(os.environ.get(name, "").startswith("http://") for name in ENDPOINTS)


def _words(error: BaseException) -> str:
    """The first line: what follows are the library's own structures, many lines of them."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
