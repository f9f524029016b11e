"""Sets of nails: kept as blobs, the last few in memory."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from protocol.errors import NotFound, UnknownNail
from signaling import nail_sets
from signaling.blobs import LocalBlobs
from signaling.kept_blobs import KeptBlobs
from signaling.nail_sets import NailSets, nail_picture
from signaling.store import open_store
from tests.nail_sets import nail_set


@pytest.fixture
async def blobs(tmp_path: Path) -> AsyncIterator[KeptBlobs]:
    async with open_store(f"sqlite+aiosqlite:///{tmp_path}/lacquer.db") as store:
        yield KeptBlobs(LocalBlobs(tmp_path / "blobs"), store.loose_blobs, time.time)


async def test_a_set_comes_back_as_it_was(blobs: KeptBlobs) -> None:
    key = await NailSets(blobs).put(nail_set())
    assert await NailSets(blobs).get(key) == nail_set()


async def test_what_is_deleted_is_gone_from_memory_too(blobs: KeptBlobs) -> None:
    sets = NailSets(blobs)
    key = await sets.put(nail_set())
    await sets.delete(key)
    await sets.delete(key)
    with pytest.raises(NotFound):
        await sets.get(key)


async def test_memory_holds_the_last_used(blobs: KeptBlobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nail_sets, "KEPT", 2)
    sets = NailSets(blobs)
    first, second = await sets.put(nail_set("#111111")), await sets.put(nail_set("#222222"))
    await sets.get(first)
    await sets.put(nail_set("#333333"))
    for key in (first, second):
        await blobs.delete(key)
    assert (await sets.get(first)) == nail_set("#111111")
    with pytest.raises(NotFound):
        await sets.get(second)


async def test_a_blob_that_holds_no_set_is_as_good_as_gone(blobs: KeptBlobs) -> None:
    """The first databases kept the person's picture there."""
    key = await blobs.put(b"\xff\xd8\xff a picture")
    with pytest.raises(NotFound):
        await NailSets(blobs).get(key)


def test_nails_are_named_by_their_place() -> None:
    assert nail_picture(nail_set(), "4") == nail_set().nails[4].image
    for text in ("5", "-1", "x", "", "٣", "²", "9" * 100):
        with pytest.raises(UnknownNail):
            nail_picture(nail_set(), text)
