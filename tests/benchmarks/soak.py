"""Streams for a long time: what grows, what decays, what is left when all are gone.

    make soak [FLAGS="--minutes 20 --streams 4 --codec h264"]

One worker, light clients (`media_worker/bench`). A line each minute; the exit code is 1 where a target is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import psutil
from aiohttp import ClientSession, ClientTimeout

from media_worker.bench import camera, film
from media_worker.bench.light_client import LightClient
from tests.benchmarks.resources import Resources, settled, taken
from tests.benchmarks.streams import connect, worker

MOST_MB_A_MINUTE = 1.0
MOST_DECAY = 0.05
"""Share of the frame rate that the last third of the run may be below the first."""

WARM_UP_SHARE, WARM_UP_MOST = 0.5, 3.5
"""Of the run, minutes at most. On a quiet machine memory stands still after half a minute: networks have made their
code for all that is asked of them. Where cores are short it takes three and a half: streams retreat, which asks for a
smaller map, and FFmpeg's decoders keep room for as many frames as ever waited at once, 0.4 MB each (four streams at a
load of 5 to 9: 25 MB in the first minute, 5 in the second, 2 in the third, 1 in the fourth, then none for five).
Runs of less than ten minutes tell little."""

SETTLE = 15.0
IDLE_THREADS = 4
"""Of asyncio's pool, which come with work and stay."""


@dataclass
class Record:
    minutes: list[float] = field(default_factory=list)
    fps: list[float] = field(default_factory=list)
    """Of the slowest stream."""
    resources: list[Resources] = field(default_factory=list)

    def warmed_up(self) -> slice:
        """What was noted after the warm-up."""
        begin = min(WARM_UP_SHARE * self.minutes[-1], WARM_UP_MOST)
        return slice(sum(minute <= begin for minute in self.minutes), None)

    def slope(self, measure: Callable[[Resources], float]) -> float:
        """MB a minute, the straight line that fits best."""
        minutes = self.minutes[self.warmed_up()]
        memory = [measure(each) for each in self.resources[self.warmed_up()]]
        return statistics.linear_regression(minutes, memory).slope if len(minutes) > 1 else 0.0

    def decay(self) -> float:
        """Share of the first third's frame rate that the last third lacks."""
        fps = self.fps[self.warmed_up()]
        third = max(len(fps) // 3, 1)
        first, last = statistics.median(fps[:third]), statistics.median(fps[-third:])
        return 1 - last / first if first else 1.0


def fps_since(clients: list[LightClient], began: float) -> float:
    """Of the slowest; forgets what is older, so that the clients do not grow either."""
    seconds = time.perf_counter() - began
    counts = []
    for client in clients:
        counts.append(sum(at >= began for at, _ in client.meter.came_back))
        client.meter.came_back.clear()
    return min(counts) / seconds


async def run(url: str, process: psutil.Process, options: argparse.Namespace) -> bool:
    packets = film.encode(camera.numbered(None), options.codec)
    record = Record()
    async with ClientSession(timeout=ClientTimeout(total=30)) as http:
        look = partial(taken, http, url, process)
        before = await visited(http, url, process, packets, options.codec)
        lifetime = options.minutes * 60 + 600
        clients = [
            await connect(http, url, number, packets, options.codec, lifetime=lifetime)
            for number in range(options.streams)
        ]
        began = time.monotonic()
        print("minute   fps  RSS MB  heap: used  free  tasks  threads  files  sockets  load", flush=True)
        while (minutes := (time.monotonic() - began) / 60) < options.minutes:
            since = time.perf_counter()
            await asyncio.sleep(min(options.every, (options.minutes - minutes) * 60))
            note(record, (time.monotonic() - began) / 60, fps_since(clients, since), await look())
        await asyncio.gather(*(client.close() for client in clients))
        for number in range(options.streams):
            await http.delete(f"{url}/internal/sessions/bench-{number}")
        after = await settled(look, before, within=SETTLE, threads=IDLE_THREADS)
    return judged(record, before, after)


async def visited(
    http: ClientSession, url: str, process: psutil.Process, packets: list[bytes], codec: str
) -> Resources:
    """What is held once somebody has been here and is gone: models are loaded, pools have their threads."""
    client = await connect(http, url, 0, packets, codec)
    await asyncio.sleep(3)
    await client.close()
    await http.delete(f"{url}/internal/sessions/bench-0")
    await asyncio.sleep(3)
    return await taken(http, url, process)


def note(record: Record, minute: float, fps: float, now: Resources) -> None:
    record.minutes.append(minute)
    record.fps.append(fps)
    record.resources.append(now)
    print(
        f"{minute:6.1f} {fps:5.1f} {now.rss_mb:7.1f} {now.heap_used_mb:11.1f} {now.heap_free_mb:5.1f} {now.tasks:6} "
        f"{now.threads:8} {now.files:6} {now.sockets:8} {os.getloadavg()[0]:5.1f}",
        flush=True,
    )


def judged(record: Record, before: Resources, after: Resources) -> bool:
    left = after.left_beyond(before, threads=IDLE_THREADS)
    resident = record.slope(lambda now: now.rss_mb)
    used, free = record.slope(lambda now: now.heap_used_mb), record.slope(lambda now: now.heap_free_mb)
    print(f"       of the C library's heaps: {used:+.2f} MB a minute in use, {free:+.2f} free")
    verdicts = {
        f"memory after warm-up: {resident:+.2f} MB a minute (target: {MOST_MB_A_MINUTE:.0f} at most)": (
            resident <= MOST_MB_A_MINUTE
        ),
        f"frame rate: {record.decay():+.1%} lost from first to last third (target: {MOST_DECAY:.0%} at most)": (
            record.decay() <= MOST_DECAY
        ),
        f"left when all are gone: {left or 'nothing'} (target: nothing)": not left,
    }
    for said, met in verdicts.items():
        print(f"{'met   ' if met else 'MISSED'} {said}")
    return all(verdicts.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--streams", type=int, default=4)
    parser.add_argument("--every", type=float, default=60, help="seconds between two lines")
    parser.add_argument("--codec", choices=["h264", "vp8"], default="h264")
    options = parser.parse_args()
    with worker(options.streams) as (url, process):
        met = asyncio.run(run(url, process, options))
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
