"""What every `Router` must do, against real (fake) workers; then what `LocalRouter` does alone."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable

import pytest

from protocol.errors import AtCapacity, NotFound, WorkerUnavailable
from protocol.internal import SessionSpec
from protocol.registry import DEAD_AFTER
from signaling.placement import BACK_AFTER
from signaling.routing import LocalRouter
from tests.signaling.conftest import Clock
from tests.signaling.fake_worker import FakeWorker, Held
from tests.signaling.fleets import Fleet, LocalFleet, RedisFleet

MakeFleet = Callable[..., Fleet]


@pytest.fixture(params=["local", "redis"])
def make_fleet(request: pytest.FixtureRequest) -> MakeFleet:
    if request.param == "local":
        return LocalFleet
    url = request.getfixturevalue("redis_url")
    return lambda region="": RedisFleet(url, region)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine with other work, a worker may take longer to say that somebody left."""
    monkeypatch.setattr("signaling.routing.SECOND_LOOK", 5.0)


@pytest.fixture
def fleet(make_fleet: MakeFleet) -> Fleet:
    return make_fleet()


def stream(worker: FakeWorker, session_id: str) -> None:
    """The worker has a client that streams."""
    worker.sessions[session_id] = Held(SessionSpec(session_id=session_id, design_id=1, expires_at=0))
    worker.sessions[session_id].peers["peer-1"] = []


# --- placing --------------------------------------------------------------------------------------------------------
async def test_concurrent_placements_never_exceed_capacity(fleet: Fleet) -> None:
    async with FakeWorker(capacity=3) as a, FakeWorker(capacity=2) as b, fleet:
        await fleet.join(a, b)
        router = fleet.router
        placed = await asyncio.gather(*(router.place(f"s{i}") for i in range(12)), return_exceptions=True)
        assert Counter(url for url in placed if isinstance(url, str)) == {a.url: 3, b.url: 2}
        assert all(isinstance(refusal, AtCapacity) for refusal in placed if not isinstance(refusal, str))
        assert await router.free_slots() == 0


async def test_the_least_loaded_worker_gets_the_session(fleet: Fleet) -> None:
    async with FakeWorker(capacity=4) as a, FakeWorker(capacity=4) as b, fleet:
        stream(a, "x")
        await fleet.join(a, b)
        assert await fleet.router.place("s1") == b.url
        assert {await fleet.router.place("s2"), await fleet.router.place("s3")} == {a.url, b.url}
        assert await fleet.router.free_slots() == 4


async def test_a_slot_freed_since_the_last_poll_is_found(fleet: Fleet, patient: None) -> None:
    async with FakeWorker(capacity=1) as worker, fleet:
        await fleet.join(worker)
        await fleet.router.place("s1")
        await fleet.router.accepted("s1")  # the worker counts it from here on, and says that it left again
        assert await fleet.router.place("s2") == worker.url


async def test_a_reservation_ends_when_the_worker_counts_the_session_itself(fleet: Fleet) -> None:
    async with FakeWorker(capacity=2) as worker, fleet:
        await fleet.join(worker)
        await fleet.router.place("s1")
        assert await fleet.router.free_slots() == 1
        stream(worker, "s1")
        await fleet.router.accepted("s1")
        await fleet.counted()
        assert await fleet.router.free_slots() == 1


async def test_a_session_stays_with_its_worker_even_where_that_looks_full(fleet: Fleet) -> None:
    async with FakeWorker(capacity=1) as a, FakeWorker(capacity=4) as b, fleet:
        await fleet.join(a)
        assert await fleet.router.place("s1") == a.url
        stream(a, "s1")
        await fleet.router.accepted("s1")
        await fleet.join(b)
        assert await fleet.router.place("s1") == a.url
        assert await fleet.router.place("s1") == a.url


async def test_avoided_workers_are_left_even_by_their_sessions(fleet: Fleet, short_wait: None) -> None:
    async with FakeWorker(capacity=1) as a, FakeWorker(capacity=1) as b, fleet:
        await fleet.join(a, b)
        first = await fleet.router.place("s1")
        second = await fleet.router.place("s1", avoid=[first])
        assert {first, second} == {a.url, b.url}
        assert await fleet.router.owner("s1") == second
        assert await fleet.router.free_slots() == 1
        with pytest.raises(WorkerUnavailable):
            await fleet.router.place("s1", avoid=[a.url, b.url])


async def test_full_and_gone_are_told_apart(fleet: Fleet, short_wait: None) -> None:
    async with FakeWorker(capacity=0) as worker, fleet:
        with pytest.raises(WorkerUnavailable) as refusal:
            await fleet.router.place("s1")
        assert refusal.value.retry_after == BACK_AFTER
        await fleet.join(worker)
        with pytest.raises(AtCapacity):
            await fleet.router.place("s1")
        assert await fleet.router.any_worker() == worker.url


async def test_workers_of_the_own_region_go_first(make_fleet: MakeFleet) -> None:
    async with (
        FakeWorker(capacity=2, region="eu") as near,
        FakeWorker(capacity=4, region="us") as far,
        make_fleet("eu") as fleet,
    ):
        await fleet.join(near, far)
        places = [await fleet.router.place(f"s{i}") for i in range(4)]
        assert places == [near.url, near.url, far.url, far.url]


# --- owning ---------------------------------------------------------------------------------------------------------
async def test_owners_change_by_compare_and_set(fleet: Fleet) -> None:
    async with FakeWorker() as a, FakeWorker() as b, fleet:
        await fleet.join(a, b)
        router = fleet.router
        assert await router.claim("s1", b.url)
        assert await router.owner("s1") == b.url
        assert not await router.claim("s1", a.url)
        assert not await router.claim("s2", "http://unknown:1")
        await router.release("s1", held_by=a.url)
        assert await router.owner("s1") == b.url
        await router.release("s1", held_by=b.url)
        assert await router.owner("s1") is None
        assert await router.claim("s1", a.url)
        await router.release("s1")
        assert await router.owner("s1") is None


async def test_release_frees_the_slot(fleet: Fleet) -> None:
    async with FakeWorker(capacity=1) as worker, fleet:
        await fleet.join(worker)
        await fleet.router.place("s1")
        await fleet.router.release("s1")
        await fleet.router.accepted("s1")  # nothing is there to be accepted
        assert await fleet.router.free_slots() == 1


# --- workers come and go --------------------------------------------------------------------------------------------
async def test_a_worker_not_heard_of_is_dead_and_another_one_takes_over(fleet: Fleet, short_wait: None) -> None:
    async with FakeWorker() as first, FakeWorker() as second, fleet:
        await fleet.join(first)
        assert await fleet.router.place("s1") == first.url
        await fleet.die(first)
        await fleet.wait_long()
        assert await fleet.router.owner("s1") is None
        assert await fleet.router.free_slots() == 0
        with pytest.raises(WorkerUnavailable):
            await fleet.router.place("s1")
        with pytest.raises(WorkerUnavailable):
            await fleet.router.any_worker()
        await fleet.join(second)
        assert await fleet.router.place("s1") == second.url
        assert [view.url for view in await fleet.router.workers() if view.live] == [second.url]


async def test_a_worker_that_left_owns_nothing(fleet: Fleet) -> None:
    async with FakeWorker() as first, FakeWorker() as second, fleet:
        await fleet.join(first)
        assert await fleet.router.place("s1") == first.url
        await fleet.leave(first)
        assert await fleet.router.owner("s1") is None
        assert await fleet.router.workers() == []
        await fleet.join(second)
        assert await fleet.router.place("s1") == second.url


async def test_a_placement_waits_for_a_worker_that_is_started_again(fleet: Fleet) -> None:
    async with FakeWorker() as first, FakeWorker() as second, fleet:
        await fleet.join(first)
        await fleet.leave(first)
        waiting = asyncio.create_task(fleet.router.place("s1"))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        await fleet.join(second)
        async with asyncio.timeout(1):
            assert await waiting == second.url


async def test_nobody_waits_for_a_worker_that_has_been_gone_for_long(fleet: Fleet, short_wait: None) -> None:
    async with FakeWorker() as first, fleet:
        await fleet.join(first)
        await fleet.leave(first)
        await fleet.wait_long()
        with pytest.raises(WorkerUnavailable) as refusal:
            async with asyncio.timeout(0.5):
                await fleet.router.place("s1")
        assert refusal.value.retry_after == BACK_AFTER


async def test_a_worker_that_a_call_did_not_find_is_avoided_until_it_is_heard_of(fleet: Fleet) -> None:
    async with FakeWorker() as a, FakeWorker() as b, fleet:
        await fleet.join(a)
        assert await fleet.router.place("s1") == a.url
        await fleet.join(b)
        await fleet.router.silent(a.url)
        assert await fleet.router.place("s1") == b.url
        assert {view.url: view.live for view in await fleet.router.workers()}[b.url]
        async with asyncio.timeout(2):
            while await fleet.router.free_slots() < 3:
                await asyncio.sleep(0.02)


# --- drained --------------------------------------------------------------------------------------------------------
async def test_a_draining_worker_gets_nothing_but_still_owns_what_it_has(fleet: Fleet) -> None:
    async with FakeWorker() as a, FakeWorker() as b, fleet:
        await fleet.join(a)
        assert await fleet.router.place("s1") == a.url
        a.draining = True
        await fleet.counted()
        await fleet.join(b)
        assert await fleet.router.owner("s1") == a.url
        assert await fleet.router.free_slots() == 2
        assert await fleet.router.place("s1") == b.url  # a client that reconnects lands elsewhere


async def test_a_drained_worker_gets_nobody_until_it_is_let_in_again(fleet: Fleet) -> None:
    async with FakeWorker(worker_id="a") as a, FakeWorker(worker_id="b", region="eu") as b, fleet:
        await fleet.join(a, b)
        await fleet.router.drain("a")
        views = {view.worker_id: (view.url, view.region, view.draining) for view in await fleet.router.workers()}
        assert views == {"a": (a.url, "", True), "b": (b.url, "eu", False)}
        assert [await fleet.router.place(f"s{i}") for i in range(2)] == [b.url, b.url]
        await fleet.router.undrain("a")
        assert await fleet.router.place("s2") == a.url


async def test_only_known_workers_that_answer_are_drained(fleet: Fleet) -> None:
    async with FakeWorker(worker_id="a", secret="another") as a, fleet:
        await fleet.join(a)
        for call in (fleet.router.drain, fleet.router.undrain):
            with pytest.raises(NotFound):
                await call("b")
            with pytest.raises(NotFound):
                await call("")
            with pytest.raises(WorkerUnavailable):
                await call("a")


@pytest.fixture
def short_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the clock is Redis's own."""
    monkeypatch.setattr("signaling.redis_router.COMES_BACK", 0.005)


# --- LocalRouter alone ----------------------------------------------------------------------------------------------
async def test_waiting_placements_share_a_poll() -> None:
    async with FakeWorker(capacity=0) as worker, LocalRouter([worker.url]) as router:
        before = worker.health_polls
        await asyncio.gather(*(router.place(f"s{i}") for i in range(50)), return_exceptions=True)
        assert worker.health_polls - before <= 3


async def test_nobody_is_kept_waiting_by_a_full_worker_that_is_busy() -> None:
    async with FakeWorker(capacity=1) as worker, LocalRouter([worker.url]) as router:
        await router.place("s1")
        await router.accepted("s1")  # and left again, as only the worker knows
        worker.health_delay = 0.5
        began = time.monotonic()
        with pytest.raises(AtCapacity):
            await router.place("s2")
        assert time.monotonic() - began < worker.health_delay
        async with asyncio.timeout(5):
            while not await router.free_slots():  # what was said too late helps who asks next
                await asyncio.sleep(0.01)
        assert await router.place("s2") == worker.url


async def test_a_stopped_worker_dies_after_6_s() -> None:
    clock = Clock()
    async with FakeWorker() as first, LocalRouter([first.url], clock=clock) as router:
        await router.place("s1")
        await first.stop()
        clock.advance(DEAD_AFTER - 0.1)
        assert await router.owner("s1") == first.url
        clock.advance(0.1)
        assert await router.owner("s1") is None


async def test_a_worker_that_answers_nonsense_is_not_live() -> None:
    async with FakeWorker() as worker:
        worker.garbage = True
        async with LocalRouter([worker.url, "http://127.0.0.1:9"]) as router:
            assert [view.live for view in await router.workers()] == [False, False]
            with pytest.raises(WorkerUnavailable):
                await router.any_worker()
            with pytest.raises(NotFound):
                await router.drain("")  # as those call themselves that nobody has heard of


async def test_workers_are_polled_without_being_asked() -> None:
    async with FakeWorker() as worker, LocalRouter([worker.url]) as router:
        before = worker.health_polls
        router.add_worker(worker.url)  # known already: it is only asked again at once
        async with asyncio.timeout(1):
            while worker.health_polls == before:
                await asyncio.sleep(0.01)
