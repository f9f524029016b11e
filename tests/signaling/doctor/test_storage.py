from __future__ import annotations

import asyncio
import os
import sqlite3
from pathlib import Path

import pytest

from protocol.checkup import Outcome
from signaling import migrate
from signaling.doctor.storage import database, pictures
from tests.postgres import Postgres, free_port
from tests.s3 import BUCKET, ENVIRONMENT, S3Server


def files(folder: Path) -> list[str]:
    return sorted(name for _, _, names in os.walk(folder) for name in names)


async def test_a_database_that_is_not_there_yet_is_left_so(tmp_path: Path) -> None:
    verdict = await database(f"sqlite+aiosqlite:///{tmp_path}/lacquer.db")
    assert verdict.outcome is Outcome.OK
    assert await asyncio.to_thread(files, tmp_path) == []


async def test_a_database_as_it_should_be_and_one_that_was_changed(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/lacquer.db"
    await migrate.upgrade(url)
    assert (await database(url)).outcome is Outcome.OK

    def change() -> None:
        with sqlite3.connect(tmp_path / "lacquer.db") as connection:
            connection.execute("DROP TABLE leases")
        connection.close()

    await asyncio.to_thread(change)
    verdict = await database(url)
    assert verdict.outcome is Outcome.WARNING
    assert "lacquer db check" in verdict.mend


async def test_postgresql(postgres: Postgres) -> None:
    url = await postgres.create()
    try:
        before = await database(url)
        await migrate.upgrade(url)
        after = await database(url)
    finally:
        await postgres.drop(url)
    assert before.outcome is Outcome.WARNING
    assert "lacquer db upgrade" in before.mend
    assert after.outcome is Outcome.OK, after


@pytest.mark.parametrize("url", ["postgresql+asyncpg://lacquer:hunter2@127.0.0.1:{port}/lacquer", "nonsense"])
async def test_a_database_that_is_away_or_none(url: str) -> None:
    verdict = await database(url.format(port=free_port()))
    assert verdict.outcome is Outcome.FAILED, verdict
    assert "hunter2" not in verdict.said


async def test_a_folder_that_is_not_there_yet_is_left_so(tmp_path: Path) -> None:
    verdict = await pictures((tmp_path / "data" / "blobs").as_uri())
    assert verdict.outcome is Outcome.OK
    assert await asyncio.to_thread(os.listdir, tmp_path) == []
    await asyncio.to_thread((tmp_path / "data").write_text, "a file is in the way")
    assert (await pictures((tmp_path / "data" / "blobs").as_uri())).outcome is Outcome.FAILED


async def test_pictures_leave_nothing_behind(tmp_path: Path) -> None:
    verdict = await pictures(tmp_path.as_uri())
    assert verdict.outcome is Outcome.OK
    assert await asyncio.to_thread(files, tmp_path) == []


async def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    await asyncio.to_thread((tmp_path / "blobs").write_text, "a file is in the way")
    verdict = await pictures((tmp_path / "blobs").as_uri())
    assert verdict.outcome is Outcome.FAILED
    assert verdict.mend


async def test_s3(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**ENVIRONMENT, "AWS_ENDPOINT_URL": s3.url}.items():
        monkeypatch.setenv(name, value)
    assert (await pictures(f"s3://{BUCKET}/doctor")).outcome is Outcome.OK
    assert (await pictures("s3://no-such-bucket/doctor")).outcome is Outcome.FAILED
