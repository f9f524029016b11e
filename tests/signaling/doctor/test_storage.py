from __future__ import annotations

from pathlib import Path

from protocol.checkup import Outcome
from signaling.doctor.storage import database, pictures
from signaling.settings import Settings
from signaling.store import open_store
from tests.redis_server import free_port


async def test_a_database_that_is_not_there_yet_is_left_so(tmp_path: Path) -> None:
    verdict = await database(Settings(data_dir=tmp_path).async_database_url)
    assert verdict.outcome is Outcome.OK
    assert list(tmp_path.iterdir()) == []


async def test_a_database_in_use(tmp_path: Path) -> None:
    url = Settings(data_dir=tmp_path).async_database_url
    async with open_store(url):
        assert (await database(url)).outcome is Outcome.OK


async def test_a_database_that_is_away() -> None:
    verdict = await database(f"postgresql+asyncpg://lacquer:hunter2@127.0.0.1:{free_port()}/lacquer")
    assert verdict.outcome is Outcome.FAILED
    assert "hunter2" not in verdict.said


async def test_pictures_leave_nothing_behind(tmp_path: Path) -> None:
    verdict = await pictures(tmp_path)
    assert verdict.outcome is Outcome.OK
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


async def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "blobs").write_text("a file is in the way")
    assert (await pictures(tmp_path / "blobs")).outcome is Outcome.FAILED
