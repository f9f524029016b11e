"""Whether sessions and pictures can be kept: the database answers and has today's tables, pictures can be written."""

from __future__ import annotations

import asyncio
import secrets
from functools import partial
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from protocol.checkup import Check, Verdict, failed, ok
from signaling.blobs import LocalBlobs
from signaling.settings import Settings


def checks(settings: Settings) -> list[Check]:
    return [
        Check("database", partial(database, settings.async_database_url), mend="start it, or let TCP through to it"),
        Check("pictures", partial(pictures, settings.blobs)),
    ]


async def database(url: str) -> Verdict:
    told = make_url(url).render_as_string(hide_password=True)
    file = make_url(url).database if url.startswith("sqlite") else None
    if file and not await asyncio.to_thread(Path(file).exists):
        return ok(f"{file} is not there yet; the first start makes it")
    engine = await asyncio.to_thread(create_async_engine, url)  # imports its driver
    try:
        async with engine.connect() as connection:
            await connection.execute(text("select 1"))
    except (SQLAlchemyError, OSError) as error:
        return failed(f"{told} does not answer: {error}", "start it, or mend LACQUER_DATABASE_URL")
    finally:
        await engine.dispose()
    return ok(f"{told} answers")


async def pictures(folder: Path) -> Verdict:
    """Something is written, read and deleted again."""
    blobs, data = LocalBlobs(folder), secrets.token_bytes(64)
    try:
        key = await blobs.put(data)
        same = await blobs.get(key) == data
        await blobs.delete(key)
    except OSError as error:
        return failed(f"{folder} cannot be written: {error.strerror}", "mend the folder's rights, or LACQUER_BLOB_DIR")
    if not same:
        return failed(f"{folder} gives back something else than was written", "look at the disk")
    return ok(f"{folder} can be written and read")
