"""Blobs that no row points to, on both databases."""

from __future__ import annotations

import asyncio

import pytest

from protocol.errors import StoreUnavailable
from signaling.loose_blobs import claim
from signaling.store import Store


async def written(store: Store, *keys: str) -> None:
    """As if these blobs had just been written."""
    for key in keys:
        await store.loose_blobs.intend(key, until=1e12)


async def claimed(store: Store, key: str) -> bool:
    try:
        async with store.loose_blobs._begin() as db:
            await claim(db, key)
    except StoreUnavailable:
        return False
    return True


async def test_what_is_claimed_is_loose_no_more(store: Store) -> None:
    await store.loose_blobs.intend("k", until=100)
    assert await claimed(store, "k")
    assert await store.loose_blobs.take_due(200, 10, again_at=300) == []
    assert not await claimed(store, "k"), "a blob has one owner"


async def test_what_nobody_claims_in_time_comes_up_until_it_is_struck_off(store: Store) -> None:
    await store.loose_blobs.intend("k", until=100)
    assert await store.loose_blobs.take_due(99, 10, again_at=0) == []
    assert await store.loose_blobs.take_due(100, 10, again_at=160) == ["k"]
    assert not await claimed(store, "k"), "it may be deleted by now"
    assert await store.loose_blobs.take_due(159, 10, again_at=220) == []
    assert await store.loose_blobs.take_due(160, 10, again_at=220) == ["k"]
    await store.loose_blobs.strike_off(["k"])
    assert await store.loose_blobs.count() == 0


async def test_a_look_is_bounded_and_begins_with_the_oldest(store: Store) -> None:
    for number in range(5):
        await store.loose_blobs.intend(f"k{number}", until=100 - number)
    assert set(await store.loose_blobs.take_due(100, 2, again_at=200)) == {"k4", "k3"}


async def test_of_a_claim_and_a_deletion_that_meet_exactly_one_wins(store: Store) -> None:
    keys = [f"k{number}" for number in range(8)]
    for key in keys:
        await store.loose_blobs.intend(key, until=100)
    taking = asyncio.create_task(store.loose_blobs.take_due(100, 100, again_at=200))
    mine = await asyncio.gather(*(claimed(store, key) for key in keys))
    taken = await taking
    assert [key not in taken for key in keys] == mine


async def test_a_claim_that_is_rolled_back_is_none(store: Store) -> None:
    await store.loose_blobs.intend("k", until=100)
    with pytest.raises(RuntimeError):
        async with store.loose_blobs._begin() as db:
            await claim(db, "k")
            raise RuntimeError
    assert await claimed(store, "k")
