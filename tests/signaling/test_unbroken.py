"""Work that outlives the client that asked for it."""

from __future__ import annotations

import asyncio

import pytest

from signaling.unbroken import Unbroken


async def test_the_answer_and_the_error_come_back() -> None:
    async def work(fail: bool) -> int:
        if fail:
            raise ZeroDivisionError
        return 7

    unbroken = Unbroken()
    assert await unbroken.run(work(False)) == 7
    with pytest.raises(ZeroDivisionError):
        await unbroken.run(work(True))
    await unbroken.close()


@pytest.mark.parametrize("fail", [False, True])
async def test_work_goes_on_where_its_caller_is_cancelled_and_close_waits(fail: bool) -> None:
    done = []

    async def work() -> None:
        await asyncio.sleep(0.05)
        done.append(True)
        if fail:
            raise OSError("nobody hears this, the log does")

    unbroken = Unbroken()
    caller = asyncio.create_task(unbroken.run(work()))
    await asyncio.sleep(0.01)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert not done
    await unbroken.close()
    assert done
