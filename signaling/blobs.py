"""Where pictures are kept: a folder, or a bucket of an S3-compatible store. Keys never come from users, so no path can
be smuggled in. What makes sure that no blob stays behind without an owner is `kept_blobs`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar
from urllib.parse import unquote, urlsplit

import structlog

from protocol.errors import NotFound, StoreUnavailable

GONE = "this picture is gone"

Answer = TypeVar("Answer")

log = structlog.get_logger()


class BlobsUnusable(OSError):
    """The setting is wrong, or something is not installed: waiting does not help."""


class Blobs(Protocol):
    """A store of bytes by key. All methods raise StoreUnavailable within bounded time."""

    async def put(self, key: str, data: bytes) -> None:
        """Keeps the bytes, whole or not at all."""

    async def get(self, key: str) -> bytes:
        """Raises NotFound."""

    async def delete(self, key: str) -> None:
        """Does nothing where the key is gone already. What an unfinished `put` of the key left goes as well."""

    async def check(self) -> None:
        """Whether pictures could be kept right now."""


def open_blobs(url: str) -> Blobs:
    """`file:///folder` or `s3://bucket/prefix`. Connects to nothing yet. Raises BlobsUnusable."""
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.netloc in ("", "localhost") and parts.path.startswith("/"):
        return LocalBlobs(Path(unquote(parts.path)))
    if parts.scheme == "s3" and parts.netloc:
        return _open_s3(parts.netloc, parts.path.strip("/"))
    raise BlobsUnusable(f"LACQUER_BLOB_URL must be file:///folder or s3://bucket/prefix (got {url!r:.60})")


def _open_s3(bucket: str, prefix: str) -> Blobs:
    try:
        from signaling.s3_blobs import S3Blobs  # noqa: PLC0415  # its library is an optional extra
    except ModuleNotFoundError as error:
        raise BlobsUnusable(f"pictures in S3 need the package {error.name}: pip install 'lacquer[s3]'") from error
    return S3Blobs(bucket, prefix)


class LocalBlobs:
    """A folder, split by the first two characters of the key so that no directory grows endless."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def put(self, key: str, data: bytes) -> None:
        await self._do(lambda: _write(self._path(key), data))

    async def get(self, key: str) -> bytes:
        data = await self._do(lambda: _read(self._path(key)))
        if data is None:
            raise NotFound(GONE)
        return data

    async def delete(self, key: str) -> None:
        await self._do(lambda: _delete(self._path(key)))

    async def check(self) -> None:
        await self._do(lambda: _check(self._root))

    async def _do(self, work: Callable[[], Answer]) -> Answer:
        """Disks are slow, too: in a thread."""
        try:
            return await asyncio.to_thread(work)
        except OSError as error:
            log.error("pictures cannot be kept or read", folder=str(self._root), reason=str(error))
            raise StoreUnavailable("pictures cannot be kept or read right now") from error

    def _path(self, key: str) -> Path:
        return self._root / key[:2] / key


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all: a crash half-way leaves an unfinished file, never half a picture under its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = _unfinished(path)
    try:
        unfinished.write_bytes(data)
        os.replace(unfinished, path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _delete(path: Path) -> None:
    path.unlink(missing_ok=True)
    _unfinished(path).unlink(missing_ok=True)


def _unfinished(path: Path) -> Path:
    return path.with_name(f".new-{path.name}")


def _check(root: Path) -> None:
    root.mkdir(parents=True, exist_ok=True)
    if not os.access(root, os.W_OK | os.X_OK):
        raise PermissionError(f"{root} is not writable")
