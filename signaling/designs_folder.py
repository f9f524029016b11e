"""A shop's folder of designs, watched: TOML and JSON files, and photos. What is dropped in is soon in the strip.

A file that cannot be used costs one line in the log, which says what to do, and stops nothing else. One that is still
being copied is left alone until it has kept its size and time from one look to the next.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, NoReturn

import structlog

from protocol import limits
from protocol.api import OWN_FAMILY
from protocol.designs import BadCatalogue, load_file
from protocol.errors import (
    AtCapacity,
    BadRequest,
    LacquerError,
    RegistryUnavailable,
    StoreUnavailable,
    TooLarge,
    UnsupportedMediaType,
    WorkerUnavailable,
)
from signaling import photo_designs
from signaling.collection import Collection
from signaling.uploads import REFERENCE_SIDE, Uploads
from signaling.workshop import Workshop

INTERVAL = 3.0
"""Seconds between looks."""

DATA = {".toml", ".json"}
PHOTOS = {".jpg", ".jpeg", ".png", ".webp"}
OTHER_PICTURES = {".heic", ".heif", ".avif", ".gif", ".bmp", ".tif", ".tiff"}
"""Worth a word, where other files in the folder are nobody's business."""

log = structlog.get_logger()


class Stamp(NamedTuple):
    modified_ns: int
    size: int


class DesignsFolder:
    def __init__(self, folder: Path, collection: Collection, workshop: Workshop, uploads: Uploads) -> None:
        self._folder = folder
        self._collection, self._workshop, self._uploads = collection, workshop, uploads
        self._seen: Mapping[str, Stamp] | None = None
        """At the last look; None before the first one."""
        self._settled: dict[str, Stamp] = {}
        """Files that were taken in, or told of, as they were then."""
        self._missing = False

    async def watch(self) -> NoReturn:
        while True:
            try:
                await self.look()
            except StoreUnavailable:
                pass  # said where it is noticed, once
            except Exception:  # whatever else goes wrong once must not end the watch for good
                log.exception("designs folder not read", folder=str(self._folder))
            await asyncio.sleep(INTERVAL)

    async def look(self) -> None:
        """Takes in what is new or has changed; forgets what is gone."""
        found = await self._list()
        if found is None:
            return
        before, self._seen = found if self._seen is None else self._seen, found
        self._settled = {file: stamp for file, stamp in self._settled.items() if file in found}
        for file in self._collection.files() - found.keys():
            await self._collection.forget_file(file)
        for file, stamp in found.items():
            if self._settled.get(file) != stamp and before.get(file) == stamp and await self._settle(file, stamp.size):
                self._settled[file] = stamp
        await self._workshop.inform_all()

    async def _list(self) -> dict[str, Stamp] | None:
        """None where the folder cannot be read: a disk that is away for a moment takes no design with it."""
        try:
            found = await asyncio.to_thread(_listing, self._folder)
        except OSError as error:
            if not self._missing:
                log.warning("designs folder cannot be read", folder=str(self._folder), problem=error.strerror)
            self._missing = True
            return None
        self._missing = False
        return found

    async def _settle(self, file: str, size: int) -> bool:
        """Takes the file in, or says why not. False where it must be tried again: no worker has time for it, or the
        database is away."""
        try:
            await self._take(file, size)
        except (AtCapacity, WorkerUnavailable, RegistryUnavailable, StoreUnavailable):
            return False
        except (BadCatalogue, LacquerError, OSError) as error:
            problem = "; ".join(str(error).splitlines())
            log.warning("design file not taken", file=_printable(file), problem=_printable(problem))
        return True

    async def _take(self, file: str, size: int) -> None:
        path = self._folder / file
        if not _is_text(file):
            raise BadRequest("its name is not UTF-8; rename it")
        if path.suffix.lower() in OTHER_PICTURES:
            raise UnsupportedMediaType("save it as JPEG, PNG or WebP")
        if size > limits.MAX_UPLOAD_SIZE:
            raise TooLarge(f"it is larger than {limits.MAX_UPLOAD_SIZE // 2**20} MB; save it smaller")
        data = await asyncio.to_thread(path.read_bytes)
        content = hashlib.sha256(data).hexdigest()
        if self._collection.content_of(file) == content:
            return  # known from an earlier run
        if path.suffix.lower() in DATA:
            await self._collection.take_designs(file, content, await asyncio.to_thread(load_file, path))
        else:
            await self._take_photo(file, content, data)

    async def _take_photo(self, file: str, content: str, data: bytes) -> None:
        picture = await self._uploads.picture(data, REFERENCE_SIDE)
        nail_set = await self._workshop.take(picture.data)
        described = await photo_designs.description(nail_set)
        fields = {"name": photo_designs.name_of(file), "family": OWN_FAMILY, **described}
        await self._collection.take_photo(file, content, fields, nail_set)


def _listing(folder: Path) -> dict[str, Stamp]:
    """Files directly in the folder that may be designs, in the order of their names."""
    with os.scandir(folder) as entries:
        stamps = {entry.name: _stamp(entry) for entry in entries if _may_be_design(entry.name)}
    return {name: stamp for name, stamp in sorted(stamps.items()) if stamp}


def _may_be_design(name: str) -> bool:
    return not name.startswith(".") and Path(name).suffix.lower() in DATA | PHOTOS | OTHER_PICTURES


def _stamp(entry: os.DirEntry[str]) -> Stamp | None:
    """None for what is no file: a folder, a link that leads nowhere, a file that is removed in this moment."""
    try:
        status = entry.stat()
    except OSError:
        return None
    return Stamp(status.st_mtime_ns, status.st_size) if stat.S_ISREG(status.st_mode) else None


def _is_text(name: str) -> bool:
    """Whether a file's name is UTF-8: os.scandir hides other bytes in surrogates, which no database takes."""
    return name == _printable(name)


def _printable(text: str) -> str:
    return text.encode(errors="replace").decode()
