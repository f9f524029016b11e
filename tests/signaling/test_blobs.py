"""Pictures on disk."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from protocol.errors import NotFound
from signaling.blobs import LocalBlobs


async def test_a_blob_comes_back_until_it_is_deleted(tmp_path: Path) -> None:
    blobs = LocalBlobs(tmp_path / "blobs")
    key = await blobs.put(b"picture")
    assert await blobs.get(key) == b"picture"
    await blobs.delete(key)
    await blobs.delete(key)
    with pytest.raises(NotFound):
        await blobs.get(key)


async def test_a_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="no space"):
        await LocalBlobs(tmp_path).put(b"picture")
    left = await asyncio.to_thread(lambda: [path for path in tmp_path.rglob("*") if path.is_file()])
    assert left == []
