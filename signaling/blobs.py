"""Images on disk, by a key made up here. Keys never come from users, so no path can be smuggled in."""

from __future__ import annotations

import asyncio
import os
import tempfile
import uuid
from pathlib import Path
from typing import Protocol

from protocol.errors import NotFound


class Blobs(Protocol):
    """Where pictures are kept."""

    async def put(self, data: bytes) -> str:
        """Keeps the bytes and returns their key."""

    async def get(self, key: str) -> bytes:
        """Raises NotFound."""

    async def delete(self, key: str) -> None:
        """Does nothing where the key is gone already."""


class LocalBlobs:
    """A folder, split by the first two characters of the key so that no directory grows endless."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def put(self, data: bytes) -> str:
        key = uuid.uuid4().hex
        await asyncio.to_thread(_write, self._path(key), data)
        return key

    async def get(self, key: str) -> bytes:
        try:
            return await asyncio.to_thread(self._path(key).read_bytes)
        except FileNotFoundError:
            raise NotFound("this picture is gone") from None

    async def delete(self, key: str) -> None:
        await asyncio.to_thread(self._path(key).unlink, missing_ok=True)

    def _path(self, key: str) -> Path:
        return self._root / key[:2] / key


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all: a crash half-way leaves a temporary file, never half a picture under its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(name, path)
    except OSError:
        os.unlink(name)
        raise
