from __future__ import annotations

import asyncio
import time

from protocol.loop_lag import INTERVAL, LoopLag


async def test_a_loop_that_is_held_up_is_late() -> None:
    told: list[float] = []
    lag = LoopLag(told.append)
    measuring = asyncio.create_task(lag.measure())
    await asyncio.sleep(INTERVAL / 2)
    ends = time.monotonic() + INTERVAL
    while time.monotonic() < ends:  # as a callback that computes
        pass
    await asyncio.sleep(2 * INTERVAL)
    measuring.cancel()
    await asyncio.gather(measuring, return_exceptions=True)
    assert max(told) > INTERVAL / 3
    assert lag.recent_ms > 1000 * INTERVAL / 4
