"""Pictures that the database knows of: nothing stays behind for ever."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocol.errors import NotFound, StoreUnavailable
from signaling.blobs import LocalBlobs
from signaling.kept_blobs import AT_ONCE, RETRY, WRITING, KeptBlobs
from signaling.store import Store
from tests.signaling.conftest import Clock
from tests.signaling.test_loose_blobs import claimed


class Flaky(LocalBlobs):
    """A folder that can be away."""

    away = False
    asked = 0

    async def put(self, key: str, data: bytes) -> None:
        self._ask()
        await super().put(key, data)

    async def delete(self, key: str) -> None:
        self._ask()
        await super().delete(key)

    def _ask(self) -> None:
        self.asked += 1
        if self.away:
            raise StoreUnavailable


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def flaky(tmp_path: Path) -> Flaky:
    return Flaky(tmp_path)


@pytest.fixture
def kept(flaky: Flaky, store: Store, clock: Clock) -> KeptBlobs:
    return KeptBlobs(flaky, store.loose_blobs, clock)


async def test_what_a_crash_leaves_without_a_row_is_deleted(kept: KeptBlobs, clock: Clock, store: Store) -> None:
    owned, orphan = await kept.put(b"owned"), await kept.put(b"orphan")
    assert await claimed(store, owned)
    clock.advance(WRITING - 1)
    assert await kept.sweep(10) == 0
    clock.advance(1)
    assert await kept.sweep(10) == 1
    assert await kept.get(owned) == b"owned"
    with pytest.raises(NotFound):
        await kept.get(orphan)
    assert await store.loose_blobs.count() == 0


async def test_what_could_not_be_written_is_not_forgotten_either(
    kept: KeptBlobs, flaky: Flaky, clock: Clock, store: Store
) -> None:
    """It may have been, in part or behind our back."""
    flaky.away = True
    with pytest.raises(StoreUnavailable):
        await kept.put(b"picture")
    assert await store.loose_blobs.count() == 1
    flaky.away = False
    clock.advance(WRITING)
    assert await kept.sweep(10) == 1
    assert await store.loose_blobs.count() == 0


async def loose(kept: KeptBlobs, clock: Clock, number: int) -> list[str]:
    keys = [await kept.put(b"x") for _ in range(number)]
    clock.advance(WRITING)
    return keys


async def test_deletion_that_fails_is_tried_again(kept: KeptBlobs, flaky: Flaky, clock: Clock, store: Store) -> None:
    (key,) = await loose(kept, clock, 1)
    flaky.away = True
    await kept.delete(key)  # nobody is told: it is remembered
    assert await store.loose_blobs.count() == 1
    clock.advance(RETRY)
    with pytest.raises(StoreUnavailable):
        await kept.sweep(10)
    flaky.away = False
    assert await kept.sweep(10) == 0, "not at once"
    clock.advance(RETRY)
    assert await kept.sweep(10) == 1
    assert await store.loose_blobs.count() == 0


async def test_a_store_that_is_away_holds_up_the_first_alone(kept: KeptBlobs, flaky: Flaky, clock: Clock) -> None:
    keys = await loose(kept, clock, 3)
    flaky.away, flaky.asked = True, 0
    for key in keys:
        await kept.delete(key)
    assert flaky.asked == 1


async def test_a_store_that_is_away_is_asked_a_few_times_in_a_look(kept: KeptBlobs, flaky: Flaky, clock: Clock) -> None:
    await loose(kept, clock, 2 * AT_ONCE)
    flaky.away, flaky.asked = True, 0
    with pytest.raises(StoreUnavailable):
        await kept.sweep(100)
    assert await kept.sweep(100) == 0
    assert flaky.asked == AT_ONCE


async def test_deleting_strikes_off(kept: KeptBlobs, store: Store) -> None:
    key = await kept.put(b"x")
    await kept.delete(key)
    assert await store.loose_blobs.count() == 0
    with pytest.raises(NotFound):
        await kept.get(key)
