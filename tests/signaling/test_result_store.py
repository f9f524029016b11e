"""Results in SQL, on both databases."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from protocol.errors import StoreUnavailable
from signaling.paging import Page
from signaling.store import Store
from tests.signaling.test_loose_blobs import written
from tests.signaling.test_store import RESULT, SESSION


async def add(store: Store, *results: str, owner: str = "ann", first: float = 1000.0) -> None:
    """A session each, and a result in it with a blob of the same name, one second apart."""
    for number, name in enumerate(results):
        await store.add_session(replace(SESSION, session_id=name, owner=owner))
        await written(store, name)
        made = {"result_id": name, "session_id": name, "owner": owner, "blob": name, "created_at": first + number}
        await store.results.add(replace(RESULT, **made))  # type: ignore[arg-type]


async def names(store: Store, owner: str = "ann") -> list[str]:
    found = await store.results.of(owner, Page(100))
    assert found is not None
    return [result.result_id for result in found]


async def test_deleting_says_what_is_loose_now_once(store: Store) -> None:
    await add(store, "a", "b")
    assert await store.results.delete("a") == ["a"]
    assert await store.results.delete("a") == []
    assert await store.loose_blobs.take_due(0, 10, again_at=1) == ["a"]
    assert await names(store) == ["b"]


async def test_of_many_that_delete_it_one_has_its_blob(store: Store) -> None:
    await add(store, "a")
    assert sorted(await asyncio.gather(*(store.results.delete("a") for _ in range(6)))) == [[]] * 5 + [["a"]]


async def test_a_result_takes_its_blob_or_is_not_there(store: Store) -> None:
    await store.add_session(SESSION)
    with pytest.raises(StoreUnavailable):
        await store.results.add(RESULT)
    assert await store.results.get(RESULT.result_id) is None
    await written(store, RESULT.blob)
    with pytest.raises(IntegrityError):
        await store.results.add(replace(RESULT, session_id="nobody's"))
    assert await store.loose_blobs.count() == 1, "its blob is still nobody's"


async def test_the_oldest_go_first_so_many_at_once(store: Store) -> None:
    await add(store, "a", "b", "c", "d")
    assert sorted(await store.results.delete_older(1002, 2)) == ["a", "b"]
    assert await store.results.delete_older(1002, 2) == ["c"]
    assert await store.results.delete_older(1002, 2) == []
    assert await names(store) == ["d"]


async def test_ones_own_go_and_nobody_elses(store: Store) -> None:
    await add(store, "a", "b", "c")
    await add(store, "z", owner="bob")
    assert await store.results.delete_of("ann", 10, only="b") == ["b"]
    assert len(await store.results.delete_of("ann", 1)) == 1
    assert len(await store.results.delete_of("ann", 10)) == 1
    assert await store.results.delete_of("ann", 10) == []
    assert await names(store, "bob") == ["z"]
