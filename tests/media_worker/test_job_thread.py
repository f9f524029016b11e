from __future__ import annotations

import asyncio
import gc
import threading
import weakref

import pytest

from media_worker.job_thread import JobHung, JobThread
from media_worker.vision.hangs import HANGS


async def test_jobs_run_in_order_in_one_thread_and_give_back_what_comes_of_them() -> None:
    worker = JobThread("worker")
    order: list[int] = []

    def job(number: int) -> str:
        order.append(number)
        return threading.current_thread().name

    names = await asyncio.gather(*(worker.run(lambda n=n: job(n)) for n in range(5)))  # type: ignore[misc]
    assert (order, set(names)) == ([0, 1, 2, 3, 4], {"worker"})
    with pytest.raises(ZeroDivisionError):
        await worker.run(lambda: 1 // 0)
    assert await worker.run(lambda: 7) == 7, "it goes on"
    worker.close()


async def test_jobs_that_nobody_waits_for_are_left_out() -> None:
    worker, release, ran = JobThread("worker"), threading.Event(), []
    running = worker.run(lambda: release.wait(5))
    waiting = worker.run(lambda: ran.append(1))
    waiting.cancel()
    release.set()
    assert await running
    await worker.run(lambda: None)
    assert not ran
    worker.close()


async def test_a_job_cancelled_while_it_runs_disturbs_nobody() -> None:
    worker, started, release = JobThread("worker"), threading.Event(), threading.Event()

    def job() -> None:
        started.set()
        release.wait(5)

    running = worker.run(job)
    await asyncio.to_thread(started.wait, 5)
    running.cancel()
    release.set()
    assert await worker.run(lambda: 7) == 7
    worker.close()


async def test_a_job_that_hangs_is_given_up_and_counted_until_it_comes_back() -> None:
    worker, release, before = JobThread("worker"), threading.Event(), HANGS.count()
    assert await worker.run_in_time(lambda: 7, 5) == 7
    with pytest.raises(JobHung):
        await worker.run_in_time(lambda: release.wait(10), 0.05)
    assert HANGS.count() == before + 1
    with pytest.raises(RuntimeError):
        worker.run(lambda: 7)
    release.set()
    async with asyncio.timeout(5):
        while HANGS.count() > before:
            await asyncio.sleep(0.01)


async def test_a_job_may_time_out_by_itself() -> None:
    worker = JobThread("worker")

    def job() -> None:
        raise TimeoutError("of a socket, say")

    with pytest.raises(TimeoutError, match="of a socket"):
        await worker.run_in_time(job, 5)
    assert await worker.run(lambda: 7) == 7
    worker.close()


async def test_close_does_what_waits_first_and_takes_nothing_more() -> None:
    worker = JobThread("worker")
    last = worker.run(lambda: 7)
    worker.close()
    worker.close()
    assert await last == 7
    with pytest.raises(RuntimeError):
        worker.run(lambda: 8)


async def test_nothing_of_a_job_outlives_it() -> None:
    class Heavy:
        pass

    worker, heavy = JobThread("worker"), Heavy()
    gone = weakref.ref(heavy)
    await worker.run(lambda held=heavy: None)  # type: ignore[misc]
    del heavy
    await asyncio.sleep(0.01)
    gc.collect()
    assert gone() is None
    worker.close()


async def test_a_thread_that_is_forgotten_ends() -> None:
    await JobThread("forgotten").run(lambda: None)
    async with asyncio.timeout(5):
        while any(thread.name == "forgotten" for thread in threading.enumerate()):
            await asyncio.sleep(0.01)
