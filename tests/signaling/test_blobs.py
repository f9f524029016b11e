"""Pictures in a folder and in a bucket: one suite for both."""

from __future__ import annotations

import asyncio
import sys
import uuid
from pathlib import Path

import pytest

from protocol.errors import NotFound, StoreUnavailable
from signaling.blobs import Blobs, BlobsUnusable, LocalBlobs, open_blobs
from tests.s3 import BUCKET, ENVIRONMENT, S3Server

KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture(params=["folder", "bucket"])
async def blobs(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Blobs:
    if request.param == "folder":
        return open_blobs((tmp_path / "deep" / "blö bs").as_uri())
    server: S3Server = request.getfixturevalue("s3")
    for name, value in {**ENVIRONMENT, "AWS_ENDPOINT_URL": server.url}.items():
        monkeypatch.setenv(name, value)
    return await asyncio.to_thread(open_blobs, f"s3://{BUCKET}/{uuid.uuid4()}/pictures/")


# --- both -----------------------------------------------------------------------------------------------------------
async def test_a_blob_comes_back_until_it_is_deleted(blobs: Blobs) -> None:
    data = bytes(range(256)) * 8192  # 2 MB
    await blobs.put(KEY, data)
    assert await blobs.get(KEY) == data
    await blobs.delete(KEY)
    await blobs.delete(KEY)
    with pytest.raises(NotFound):
        await blobs.get(KEY)


async def test_many_at_once(blobs: Blobs) -> None:
    keys = [uuid.uuid4().hex for _ in range(20)]
    await asyncio.gather(*(blobs.put(key, key.encode()) for key in keys))
    assert await asyncio.gather(*map(blobs.get, keys)) == [key.encode() for key in keys]


async def test_one_key_does_not_touch_another(blobs: Blobs) -> None:
    other = KEY[:-1] + "0"
    await blobs.put(KEY, b"one")
    await blobs.put(other, b"other")
    await blobs.delete(KEY)
    assert await blobs.get(other) == b"other"


async def test_it_is_there_before_the_first_picture_is(blobs: Blobs) -> None:
    for _ in range(2):
        await blobs.check()
    with pytest.raises(NotFound):
        await blobs.get(KEY)


# --- where ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("url", ["/folder", "file://host/folder", "http://bucket", "s3:bucket", ""])
def test_an_address_that_is_none_is_told(url: str) -> None:
    with pytest.raises(BlobsUnusable, match="LACQUER_BLOB_URL must be"):
        open_blobs(url)


def test_without_the_extra_it_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "signaling.s3_blobs", raising=False)
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(BlobsUnusable, match=r"pip install 'lacquer\[s3\]'"):
        open_blobs("s3://bucket")


# --- the folder -----------------------------------------------------------------------------------------------------
async def test_a_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(StoreUnavailable):
        await LocalBlobs(tmp_path).put(KEY, b"picture")
    assert await files(tmp_path) == []


async def test_what_a_crash_half_way_left_goes_with_the_blob(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def killed(*_: object) -> None:
        raise Killed

    blobs = LocalBlobs(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr("os.replace", killed)
        with pytest.raises(Killed):
            await blobs.put(KEY, b"picture")
    assert len(await files(tmp_path)) == 1
    await blobs.delete(KEY)
    assert await files(tmp_path) == []


async def files(folder: Path) -> list[Path]:
    return await asyncio.to_thread(lambda: [path for path in folder.rglob("*") if path.is_file()])
