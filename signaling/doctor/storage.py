"""Whether sessions and pictures can be kept: the database answers and has today's tables, pictures can be written."""

from __future__ import annotations

import asyncio
import os
import secrets
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from protocol.checkup import Check, Verdict, failed, ok, warning
from protocol.errors import NotFound, StoreUnavailable
from signaling import migrate
from signaling.blobs import Blobs, BlobsUnusable, open_blobs
from signaling.database import DatabaseUnusable, explain, is_sqlite, shown
from signaling.settings import Settings

REACH = "start it, mend LACQUER_DATABASE_URL, or let TCP through to it"


def checks(settings: Settings) -> list[Check]:
    return [
        Check("database", partial(database, settings.async_database_url), mend=REACH),
        Check("pictures", partial(pictures, settings.blobs_at), mend="see that the store runs and can be reached"),
    ]


async def database(url: str) -> Verdict:
    """Changes nothing: the next start, or `lacquer db upgrade`, does that."""
    try:
        if await asyncio.to_thread(_is_new, url):
            return ok(f"{make_url(url).database} is not there yet; the first start makes it")
        now, newest = await migrate.current(url), await asyncio.to_thread(migrate.newest)
        changed = await migrate.differences(url) if now == newest else []
    except StoreUnavailable as error:
        return failed(f"{shown(url)} does not answer: {explain(error.__cause__)}", REACH)
    except (DatabaseUnusable, ArgumentError) as error:
        return failed(str(error), "mend LACQUER_DATABASE_URL, or what it names")
    if now != newest:
        return warning(
            f"{shown(url)} answers, with tables at {now or 'no revision'} and not at {newest}",
            "the next start upgrades them; or make a backup and run `lacquer db upgrade`",
        )
    if changed:
        return warning(f"{shown(url)}: tables were changed by hand", "`lacquer db check` lists what; undo it")
    return ok(f"{shown(url)} answers, tables are at {now}")


def _is_new(url: str) -> bool:
    """A SQLite file that is not there: looking into it would make it."""
    file = make_url(url).database if is_sqlite(url) else None
    return bool(file) and not Path(str(file)).exists()


async def pictures(url: str) -> Verdict:
    """Something is written, read and deleted again. A folder that is not there yet is left so: made now, it would be
    this user's."""
    key, data = secrets.token_hex(16), secrets.token_bytes(64)
    folder = _folder(url)
    if folder is not None and not await asyncio.to_thread(folder.exists):
        return await asyncio.to_thread(_to_be_made, folder)
    try:
        blobs = await asyncio.to_thread(open_blobs, url)
        same = await _kept(blobs, key, data)
    except BlobsUnusable as error:
        return failed(str(error), "mend LACQUER_BLOB_URL")
    except (StoreUnavailable, NotFound) as error:
        reason = error.__cause__ or error
        return failed(f"{url} cannot be used: {reason}", "mend its rights, LACQUER_BLOB_DIR, LACQUER_BLOB_URL or AWS_…")
    if not same:
        return failed(f"{url} gives back something else than was written", "look at the disk, or at the store's log")
    return ok(f"{url} takes pictures and gives them back")


def _folder(url: str) -> Path | None:
    parts = urlsplit(url)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def _to_be_made(folder: Path) -> Verdict:
    above = next(parent for parent in folder.parents if parent.exists())
    if above.is_dir() and os.access(above, os.W_OK | os.X_OK):
        return ok(f"{folder} is not there yet; the first start makes it")
    return failed(f"{folder} cannot be made in {above}", "mend its rights, or LACQUER_BLOB_DIR or LACQUER_DATA_DIR")


async def _kept(blobs: Blobs, key: str, data: bytes) -> bool:
    await blobs.put(key, data)
    try:
        return await blobs.get(key) == data
    finally:
        await blobs.delete(key)
