"""Sets of nails: kept as blobs, the last few in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocol.errors import NotFound, UnknownNail
from signaling import nail_sets
from signaling.blobs import LocalBlobs
from signaling.nail_sets import NailSets, nail_picture
from tests.nail_sets import nail_set


async def test_a_set_comes_back_as_it_was(tmp_path: Path) -> None:
    key = await NailSets(LocalBlobs(tmp_path)).put(nail_set())
    assert await NailSets(LocalBlobs(tmp_path)).get(key) == nail_set()


async def test_what_is_deleted_is_gone_from_memory_too(tmp_path: Path) -> None:
    sets = NailSets(LocalBlobs(tmp_path))
    key = await sets.put(nail_set())
    await sets.delete(key)
    await sets.delete(key)
    with pytest.raises(NotFound):
        await sets.get(key)


async def test_memory_holds_the_last_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nail_sets, "KEPT", 2)
    blobs = LocalBlobs(tmp_path)
    sets = NailSets(blobs)
    first, second = await sets.put(nail_set("#111111")), await sets.put(nail_set("#222222"))
    await sets.get(first)
    await sets.put(nail_set("#333333"))
    for key in (first, second):
        await blobs.delete(key)
    assert (await sets.get(first)) == nail_set("#111111")
    with pytest.raises(NotFound):
        await sets.get(second)


async def test_a_blob_that_holds_no_set_is_as_good_as_gone(tmp_path: Path) -> None:
    """The first databases kept the person's picture there."""
    blobs = LocalBlobs(tmp_path)
    key = await blobs.put(b"\xff\xd8\xff a picture")
    with pytest.raises(NotFound):
        await NailSets(blobs).get(key)


def test_nails_are_named_by_their_place() -> None:
    assert nail_picture(nail_set(), "4") == nail_set().nails[4].image
    for text in ("5", "-1", "x", "", "٣", "²", "9" * 100):
        with pytest.raises(UnknownNail):
            nail_picture(nail_set(), text)
