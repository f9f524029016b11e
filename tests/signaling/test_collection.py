"""All designs there are: changes that meet, and files of many designs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from protocol.designs import Design, Finger
from protocol.errors import InvalidFields, UnknownDesign
from signaling.blobs import LocalBlobs
from signaling.collection import Collection
from signaling.design_store import DesignStore
from signaling.kept_blobs import KeptBlobs
from signaling.nail_sets import NailSets
from signaling.own_designs import Own
from signaling.store import Store, open_store
from tests.nail_sets import nail_set

ROSE = {"name": "Rose gold", "family": "Own designs", "colours": ["#B76E79"]}


def opened(store: Store, tmp_path: Path) -> Collection:
    """As one signaling process has it."""
    return Collection(store.designs, NailSets(KeptBlobs(LocalBlobs(tmp_path), store.loose_blobs, time.time)))


@pytest.fixture
def collection(store: Store, tmp_path: Path) -> Collection:
    return opened(store, tmp_path)


@pytest.fixture
async def other(database_url: str, tmp_path: Path) -> AsyncIterator[Collection]:
    """Another signaling process with the same database and pictures."""
    async with open_store(database_url) as second:
        yield opened(second, tmp_path)


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
    collection = opened(store, tmp_path)
    collection._store = counting = CountingStore(store.database)
    found = [Design(id=1000 + k, name=f"Red {k}", family="Reds", colours=("#B3001B",)) for k in range(20)]
    await collection.take_designs("reds.toml", "hash", found)
    assert [collection.find(design.id) for design in found] == found
    assert counting.reads <= 2


# --- several processes ----------------------------------------------------------------------------------------------
async def test_of_many_that_are_added_at_once_each_has_an_id_of_its_own(
    collection: Collection, other: Collection, store: Store
) -> None:
    adding = [it.add({**ROSE, "name": f"Rose {number}"}) for number in range(10) for it in (collection, other)]
    # Straight at the database as well: a collection makes its own wait for each other.
    straight = [
        store.designs.add(lambda new: Own(Design(id=new, name="Red", family="Reds", colours=("#B3001B",))))
        for _ in range(10)
    ]
    added = await asyncio.gather(*adding, *straight)
    assert sorted(own.design.id for own in added) == list(range(100_000, 100_030))
    assert {own.design.id: own.design for own in await store.designs.all()} == {
        own.design.id: own.design for own in added
    }


async def test_an_id_is_never_given_out_twice(collection: Collection, other: Collection) -> None:
    first = await collection.add(ROSE)
    await other.remove(first.design.id)
    assert (await other.add(ROSE)).design.id == first.design.id + 1
    with pytest.raises(InvalidFields):
        await collection.add({**ROSE, "finish": "furry"})
    assert (await collection.add(ROSE)).design.id == first.design.id + 2, "what is refused takes no id"


async def test_changes_of_two_processes_are_both_kept(collection: Collection, other: Collection) -> None:
    design_id = (await collection.add(ROSE, nail_set())).design.id
    await asyncio.gather(
        *(collection.change(design_id, {}, {finger: 1}) for finger in (Finger.RING, Finger.MIDDLE)),
        *(other.change(design_id, change, {}) for change in ({"name": "Rose, matte"}, {"finish": "matte"})),
    )
    await collection.refresh()
    told = await collection.for_worker(design_id)
    assert told is not None and told.nail_set is not None
    assert (told.design.name, told.design.finish) == ("Rose, matte", "matte")
    assert (told.nail_set.fingers[Finger.RING], told.nail_set.fingers[Finger.MIDDLE]) == (1, 1)


async def test_what_another_process_removed_does_not_come_back(collection: Collection, other: Collection) -> None:
    design_id = (await collection.add(ROSE)).design.id
    await other.remove(design_id)
    with pytest.raises(UnknownDesign):
        await collection.change(design_id, {"name": "Again"}, {})


async def test_a_photo_that_two_processes_take_in_is_one_design(
    collection: Collection, other: Collection, store: Store
) -> None:
    await asyncio.gather(*(it.take_photo("rose.jpg", "hash", ROSE, nail_set()) for it in (collection, other)))
    (own,) = await store.designs.all()
    assert own.nail_set is not None and await collection.nail_set(own) is not None
    assert await store.loose_blobs.count() == 1, "the other's nails, which nobody wears"


async def test_a_file_of_designs_that_two_processes_take_in_is_there_once(
    collection: Collection, other: Collection, store: Store
) -> None:
    found = [Design(id=1000 + k, name=f"Red {k}", family="Reds", colours=("#B3001B",)) for k in range(3)]
    await asyncio.gather(*(it.take_designs("reds.toml", "hash", found) for it in (collection, other)))
    assert [own.design for own in await store.designs.all()] == found


async def test_nails_that_no_design_wears_are_loose(collection: Collection, store: Store) -> None:
    design_id = (await collection.add(ROSE, nail_set())).design.id
    assert await store.loose_blobs.count() == 0
    await collection.change(design_id, {}, {Finger.RING: 0})
    await collection.remove(design_id)
    assert await store.loose_blobs.count() == 0, "they were deleted at once"
    with pytest.raises(UnknownDesign):
        await collection.change(design_id, {}, {Finger.RING: 0})
