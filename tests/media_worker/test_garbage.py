"""Garbage at a worker's UDP ports: a shorter run of tests/benchmarks/garbage.py, and what a packet of it costs."""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path
from typing import Any

import pytest

from media_worker.datagrams import MAX_QUEUED
from tests.benchmarks import garbage
from tests.media_worker.test_datagrams import connected, protocol_of

SECONDS, TURNS = 1.0, 5
SHORT: dict[str, Any] = {"pictures": 30, "turns": TURNS}

ALL_FPS, ENOUGH_FPS = 29.0, 25.0
"""Where a stream of 30 frames a second has the former without garbage, it keeps the latter."""

KEPT = 0.6
"""Else, on a machine that is busy with other things, it keeps this share of what it has without. Garbage takes up to a
tenth of a core (below), and a worker that gets two tenths in all loses a third of its frames to that."""

GROWTH_MB = 2.0
"""A second, beyond what it grows by without garbage: several times as much as all the garbage of that time, so what it
stands for is a packet that costs a multiple of its size."""


@pytest.mark.media
@pytest.mark.long
async def test_a_stream_runs_on_while_a_thousand_packets_of_garbage_arrive_a_second(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    with garbage.worker(log) as (url, process):
        found = await garbage.run(url, process, pps=1000, seconds=SECONDS, codec="h264", **SHORT)
    assert found["packets_sent"] > 1000
    assert found["packets_refused"] > 200, found
    before = found["before"]["fps"]
    assert found["meanwhile"]["fps"] >= (ENOUGH_FPS if before >= ALL_FPS else KEPT * before) > 0, found
    assert found["meanwhile"]["growth_mb"] < found["before"]["growth_mb"] + GROWTH_MB, found
    told = garbage.told(log)
    assert told["tracebacks"] == 0
    assert told["lines_on_refused_packets"] <= 2 * TURNS * SECONDS + 2


async def test_a_packet_of_garbage_costs_little() -> None:
    """A thousand a second take a tenth of a core at most, from strangers and from the peer's own address."""
    async with connected() as pair:
        protocol, connection = protocol_of(pair), pair.transport.transport._connection
        made = garbage.packets(random.Random(1), f"{connection.local_username}:{connection.remote_username}")
        packets = [next(made) for _ in range(6000)]
        peer = connection._nominated[1].remote_addr
        began = time.thread_time()
        for number, packet in enumerate(packets):
            protocol.datagram_received(packet, peer if number % 2 else ("192.0.2.1", 4000 + number % 50))
            if number % 100 == 0:
                await asyncio.sleep(0)
        assert (time.thread_time() - began) / len(packets) < 1e-4
        assert connection._queue.qsize() <= MAX_QUEUED
        pair.channel.send("still here")
        assert await asyncio.wait_for(pair.heard.get(), 5) == "still here"
