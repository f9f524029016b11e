"""Work that one process at a time does."""

from __future__ import annotations

import asyncio

from signaling.leases import Leases
from signaling.store import Store


async def test_one_process_at_a_time_holds_a_lease(store: Store) -> None:
    one, two = store.leases, Leases(store.database)
    assert await one.hold("tidy", now=100, seconds=60)
    assert await one.hold("tidy", now=130, seconds=60)
    assert not await two.hold("tidy", now=189, seconds=60)
    assert await two.hold("other", now=189, seconds=60)
    assert await two.hold("tidy", now=190, seconds=60), "its holder is gone"
    assert not await one.hold("tidy", now=191, seconds=60)


async def test_of_many_that_come_at_once_one_gets_it(store: Store) -> None:
    processes = [Leases(store.database) for _ in range(6)]
    for now in (100, 200):  # the first one ever, and one that has expired
        held = await asyncio.gather(*(it.hold("tidy", now=now, seconds=60) for it in processes))
        assert sum(held) == 1


async def test_what_is_released_need_not_expire(store: Store) -> None:
    other = Leases(store.database)
    await store.leases.hold("tidy", now=100, seconds=60)
    await other.release_all()
    assert not await other.hold("tidy", now=101, seconds=60)
    await store.leases.release_all()
    assert await other.hold("tidy", now=101, seconds=60)
