"""One job at a time, a few that wait."""

from __future__ import annotations

import asyncio
import os
import sys
import threading

import pytest

from media_worker.slot import NICENESS, WEAKEST, Slot
from protocol.errors import AtCapacity


async def test_jobs_run_one_after_the_other() -> None:
    at_work, most = 0, 0

    def job(number: int) -> int:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        threading.Event().wait(0.01)
        at_work -= 1
        return number

    place = Slot("test", 8)
    assert await asyncio.gather(*(place.run(lambda n=n: job(n)) for n in range(5))) == [0, 1, 2, 3, 4]  # type: ignore[misc]
    assert most == 1
    await place.close()


async def test_too_many_are_turned_away() -> None:
    place, free = Slot("test", 2), threading.Event()
    waiting = [asyncio.create_task(place.run(lambda: free.wait(5))) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(AtCapacity):
        await place.run(lambda: True)
    free.set()
    assert await asyncio.gather(*waiting) == [True, True]
    assert await place.run(lambda: True), "there is room again"
    await place.close()


async def test_a_job_whose_caller_is_gone_never_begins() -> None:
    place, free, done = Slot("test", 8), threading.Event(), []
    first = asyncio.create_task(place.run(lambda: free.wait(5)))
    second = asyncio.create_task(place.run(lambda: done.append("second")))
    await asyncio.sleep(0.01)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    free.set()
    await first
    assert await place.run(lambda: "third") == "third"
    assert done == []
    await place.close()


async def test_errors_reach_the_caller() -> None:
    place = Slot("test", 8)

    def broken() -> None:
        raise ValueError("why")

    with pytest.raises(ValueError, match="why"):
        await place.run(broken)
    await place.close()


@pytest.mark.skipif(sys.platform != "linux", reason="priorities of threads are Linux's")
async def test_jobs_give_way_to_streams() -> None:
    """Also where the whole worker was told to give way."""
    place = Slot("test", 1)
    job, stream = await place.run(_niceness), _niceness()
    assert job == min(stream + NICENESS, WEAKEST)
    await place.close()


def _niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
