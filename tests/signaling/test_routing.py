"""LocalRouter against real (fake) workers."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from protocol.errors import AtCapacity, NotFound, WorkerUnavailable
from signaling.placement import BACK_AFTER, DEAD_AFTER
from signaling.routing import COMES_BACK, LocalRouter
from tests.signaling.conftest import Clock
from tests.signaling.fake_worker import FakeWorker


async def test_concurrent_placements_never_exceed_capacity() -> None:
    async with FakeWorker(capacity=3) as a, FakeWorker(capacity=2) as b, LocalRouter([a.url, b.url]) as router:
        placed = await asyncio.gather(*(router.place(f"s{i}") for i in range(12)), return_exceptions=True)
        assert Counter(url for url in placed if isinstance(url, str)) == {a.url: 3, b.url: 2}
        assert all(isinstance(refusal, AtCapacity) for refusal in placed if not isinstance(refusal, str))
        assert await router.free_slots() == 0


async def test_a_slot_freed_since_the_last_poll_is_found() -> None:
    async with FakeWorker(capacity=1) as worker, LocalRouter([worker.url]) as router:
        await router.place("s1")
        await router.accepted("s1")  # the worker counts it from here on, and says that it left again
        assert await router.place("s2") == worker.url


async def test_waiting_placements_share_a_poll() -> None:
    async with FakeWorker(capacity=0) as worker, LocalRouter([worker.url]) as router:
        before = worker.health_polls
        await asyncio.gather(*(router.place(f"s{i}") for i in range(50)), return_exceptions=True)
        assert worker.health_polls - before <= 3


async def test_a_stopped_worker_dies_after_6_s_and_a_new_one_takes_over() -> None:
    clock = Clock()
    async with FakeWorker() as first, LocalRouter([first.url], clock=clock) as router:
        assert await router.place("s1") == first.url
        await first.stop()
        clock.advance(DEAD_AFTER)
        assert await router.owner("s1") is None
        with pytest.raises(WorkerUnavailable):
            await router.place("s1")
        async with FakeWorker() as second:
            router.add_worker(second.url + "/")
            router.remove_worker(first.url)
            async with asyncio.timeout(2):
                while not await router.free_slots():
                    await asyncio.sleep(0.01)
            assert await router.place("s1") == second.url
            assert [view.url for view in await router.workers()] == [second.url]


async def test_a_placement_waits_for_a_worker_that_is_started_again() -> None:
    async with FakeWorker() as first, FakeWorker() as second, LocalRouter([first.url]) as router:
        router.remove_worker(first.url)
        waiting = asyncio.create_task(router.place("s1"))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        router.add_worker(second.url)
        async with asyncio.timeout(1):
            assert await waiting == second.url


async def test_nobody_waits_for_a_worker_that_has_been_gone_for_long() -> None:
    clock = Clock()
    async with FakeWorker() as first, LocalRouter([first.url], clock=clock) as router:
        router.remove_worker(first.url)
        clock.advance(COMES_BACK)
        with pytest.raises(WorkerUnavailable) as refusal:
            await router.place("s1")
        assert refusal.value.retry_after == BACK_AFTER


async def test_a_worker_that_answers_nonsense_is_not_live() -> None:
    async with FakeWorker() as worker:
        worker.garbage = True
        async with LocalRouter([worker.url, "http://127.0.0.1:9"]) as router:
            assert [view.live for view in await router.workers()] == [False, False]
            with pytest.raises(WorkerUnavailable):
                await router.any_worker()


async def test_workers_are_polled_without_being_asked() -> None:
    async with FakeWorker() as worker, LocalRouter([worker.url]) as router:
        before = worker.health_polls
        router.add_worker(worker.url)  # known already: it is only asked again at once
        async with asyncio.timeout(1):
            while worker.health_polls == before:
                await asyncio.sleep(0.01)


async def test_a_drained_worker_gets_nobody_until_it_is_let_in_again() -> None:
    async with (
        FakeWorker(worker_id="a") as a,
        FakeWorker(worker_id="b", region="eu") as b,
        LocalRouter([a.url, b.url], secret="worker-secret") as router,
    ):
        assert await router.place("s1") == a.url
        await router.drain("a")
        views = {view.worker_id: (view.url, view.region, view.draining) for view in await router.workers()}
        assert views == {"a": (a.url, "", True), "b": (b.url, "eu", False)}
        assert await router.owner("s1") == a.url
        assert await router.place("s1") == b.url
        await router.undrain("a")
        assert await router.place("s2") == a.url


async def test_only_known_workers_that_answer_are_drained() -> None:
    async with FakeWorker(worker_id="a") as a, LocalRouter([a.url, "http://127.0.0.1:9"], secret="wrong") as router:
        for call in (router.drain, router.undrain):
            with pytest.raises(NotFound):
                await call("b")
            with pytest.raises(NotFound):
                await call("")  # nobody heard of the second one yet
            with pytest.raises(WorkerUnavailable):
                await call("a")
