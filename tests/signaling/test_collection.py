"""All designs there are: changes that meet, and files of many designs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from protocol.designs import Design, Finger
from protocol.errors import UnknownDesign
from signaling.blobs import LocalBlobs
from signaling.collection import Collection
from signaling.design_store import DesignStore
from signaling.nail_sets import NailSets
from signaling.own_designs import Own
from signaling.store import Store, open_store
from tests.nail_sets import nail_set

ROSE = {"name": "Rose gold", "family": "Own designs", "colours": ["#B76E79"]}


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with open_store(f"sqlite+aiosqlite:///{tmp_path}/designs.db") as store:
        yield store


@pytest.fixture
def collection(store: Store, tmp_path: Path) -> Collection:
    return Collection(store.designs, NailSets(LocalBlobs(tmp_path)))


async def test_of_changes_that_meet_neither_is_lost(collection: Collection) -> None:
    design_id = (await collection.add(ROSE, nail_set())).design.id
    await asyncio.gather(
        collection.change(design_id, {}, {Finger.RING: 0}),
        collection.change(design_id, {"name": "Rose gold, matte"}, {}),
    )
    told = await collection.for_worker(design_id)
    assert told is not None and told.nail_set is not None
    assert (told.design.name, told.nail_set.fingers[Finger.RING]) == ("Rose gold, matte", 0)


async def test_a_change_that_comes_too_late_brings_nothing_back(collection: Collection) -> None:
    design_id = (await collection.add(ROSE)).design.id
    await collection.remove(design_id)
    with pytest.raises(UnknownDesign):
        await collection.change(design_id, {"name": "Again"}, {})
    assert collection.own(design_id) is None


class CountingStore(DesignStore):
    reads = 0

    async def all(self) -> list[Own]:
        self.reads += 1
        return await super().all()


async def test_a_file_of_many_designs_is_read_back_once(store: Store, tmp_path: Path) -> None:
    """Not after each of them: 500 took five seconds so."""
    counting = CountingStore(store.designs._begin)
    collection = Collection(counting, NailSets(LocalBlobs(tmp_path)))
    found = [Design(id=1000 + k, name=f"Red {k}", family="Reds", colours=("#B3001B",)) for k in range(20)]
    await collection.take_designs("reds.toml", "hash", found)
    assert [collection.find(design.id) for design in found] == found
    assert counting.reads <= 2
