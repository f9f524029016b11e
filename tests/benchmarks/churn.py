"""What is left after many visits: memory, tasks, threads, files, sockets, slots.

    PYTHONPATH=. .venv/bin/python tests/benchmarks/churn.py [--cycles 50] [--sessions 500]

Cycles are people who connect, see the first painted frame and leave. Sessions are dropped in every ugly way there is
(`ugly.py`), many at once; the exit code is 1 where something of them stays.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import psutil
from aiohttp import ClientSession, ClientTimeout, CookieJar
from rich.progress import track

from media_worker import drawn_hand
from tests.benchmarks.resources import Resources, settled, taken
from tests.benchmarks.ugly import WAYS, Visitor
from tests.rtc_client import RtcClient
from tests.serving import UNLIMITED, lacquer_serve

WARM_UP_CYCLES = 10
FEW = 5
"""Visits that are looked at together."""

AT_ONCE = 12
CAPACITY = 64
LIFETIME = 75.0
"""Seconds that a session lives here: what nobody ended must expire by itself while we watch."""

SETTLE = LIFETIME + 30
MOST_GROWTH_MB = 40.0
IDLE_THREADS = 6
"""Of asyncio's pools, which come with work and stay."""


async def visit(http: ClientSession, url: str, frames: list[Any], codec: str) -> None:
    """One person: a session, a peer, a painted frame, goodbye."""
    created = await http.post(f"{url}/api/try-on/sessions/", json={"mode": "explore", "post_id": 1})
    session = await created.json()

    async def offer(sdp: str) -> str:
        headers = {"Content-Type": "application/sdp"}
        async with http.post(session["webrtc_url"], data=sdp, headers=headers) as response:
            assert response.status == 201, await response.text()
            return await response.text()

    async with RtcClient(frames, codec=codec) as client:
        await client.connect(offer)
        await client.until(lambda: client.of("metadata") and client.pictures, seconds=20)
    async with http.delete(f"{url}/api/try-on/sessions/{session['session_id']}/") as response:
        assert response.status == 204, await response.text()


async def until_free(http: ClientSession, url: str, slots: int) -> None:
    async with asyncio.timeout(15):
        while True:
            async with http.get(f"{url}/readyz") as response:
                if (await response.json())["free_slots"] == slots:
                    return
            await asyncio.sleep(0.05)


async def run(url: str, worker: psutil.Process, cycles: int) -> dict[str, Any]:
    frames = [drawing.rgb for drawing in drawn_hand.clip(drawn_hand.Scene(), 0.5)]
    memory, threads, files, began = [], [], [], time.monotonic()
    async with ClientSession() as http:
        for number in track(range(cycles), "visits"):
            await visit(http, url, frames, "H264" if number % 2 else "VP8")
            await until_free(http, url, 4)
            await asyncio.sleep(0.3)  # the slot is free at once; the model follows
            memory.append(worker.memory_info().rss / 2**20)
            threads.append(worker.num_threads())
            files.append(worker.num_fds())
    return {
        "cycles": cycles,
        "seconds": round(time.monotonic() - began, 1),
        "rss_mb": {"after_10": round(memory[WARM_UP_CYCLES - 1], 1), "end": round(memory[-1], 1)},
        "growth_mb_after_10": round(memory[-1] - memory[WARM_UP_CYCLES - 1], 1),
        "threads": {"after_10": _least(threads, WARM_UP_CYCLES), "end": _least(threads, cycles)},
        "open_files": {"after_10": _least(files, WARM_UP_CYCLES), "end": _least(files, cycles)},
        "rss_mb_each": [round(value) for value in memory],
    }


def _least(counted: Sequence[int], until: int) -> int:
    """After the visits up to this one: what one of them still winds down, as on a busy machine, does not stay."""
    return min(counted[max(until - FEW, 0) : until])


# --- ugly endings --------------------------------------------------------------------------------------------------
class Churn:
    """Opens and drops sessions, and remembers them."""

    def __init__(self, http: ClientSession, url: str) -> None:
        self._http, self._url = http, url
        self.sessions: list[str] = []
        self.waited = 0
        """Times that somebody was told that every place is taken."""
        self.failed: Counter[str] = Counter()
        self._places = asyncio.Semaphore(AT_ONCE)

    async def drop(self, count: int) -> None:
        """Returns when the server has had time to notice all of them: its longest patience is 30 s."""
        ways = itertools.islice(itertools.cycle(WAYS), count)
        open_ends = await asyncio.gather(*map(self._drop_one, ways))
        await asyncio.sleep(0)
        deadline = time.monotonic() + 45
        while await self._used() and time.monotonic() < deadline:
            await asyncio.sleep(0.5)
        await asyncio.gather(*(close() for close in open_ends if close), return_exceptions=True)

    async def _drop_one(self, way: Callable[[Visitor], Awaitable[Any]]) -> Callable[[], Awaitable[None]] | None:
        async with self._places:
            created = await self._http.post(f"{self._url}/api/try-on/sessions/", json={"mode": "explore", "post_id": 1})
            while created.status == 503:
                self.waited += 1
                await asyncio.sleep(0.5)
                created = await self._http.post(
                    f"{self._url}/api/try-on/sessions/", json={"mode": "explore", "post_id": 1}
                )
            assert created.status == 201, await created.text()
            visitor = Visitor(self._http, self._url, await created.json())
            self.sessions.append(visitor.session["session_id"])
            try:
                close: Callable[[], Awaitable[None]] | None = await way(visitor)
            except (AssertionError, OSError, TimeoutError) as error:
                self.failed[f"{way.__name__}: {error!r:.120}"] += 1
                return None
            finally:
                self.waited += len(visitor.waited)
            return close

    async def _used(self) -> int:
        async with self._http.get(f"{self._url}/readyz") as response:
            return CAPACITY - int((await response.json())["free_slots"])

    async def states(self) -> Counter[str]:
        states: Counter[str] = Counter()
        for session_id in self.sessions:
            async with self._http.get(f"{self._url}/api/try-on/sessions/{session_id}/") as response:
                states[(await response.json())["status"]] += 1
        return states

    async def all_over(self) -> Counter[str]:
        """The sessions' states once all are over, or when the time is up."""
        deadline = time.monotonic() + SETTLE
        while set(states := await self.states()) - {"ended", "expired"} and time.monotonic() < deadline:
            await asyncio.sleep(2)
        return states


async def ugly(url: str, worker: psutil.Process, signaling: psutil.Process, count: int) -> dict[str, Any]:
    listening = [each for each in worker.net_connections("tcp") if each.status == psutil.CONN_LISTEN]
    worker_url = f"http://127.0.0.1:{listening[0].laddr.port}"
    async with ClientSession(cookie_jar=CookieJar(unsafe=True), timeout=ClientTimeout(total=60)) as http:
        look = partial(taken, http, worker_url, worker)
        await Churn(http, url).drop(2 * len(WAYS))  # models, pools and caches are there after that
        await asyncio.sleep(3)
        before, ours, began = await look(), outside(signaling), time.monotonic()
        churn = Churn(http, url)
        await churn.drop(count)
        dropped_after = time.monotonic() - began
        states = await churn.all_over()
        after = await settled(look, before, within=30, threads=IDLE_THREADS)
        return report(churn, states, dropped_after, (before, after), (ours, outside(signaling)))


def ugly_run(folder: Path, count: int) -> dict[str, Any]:
    environment = {
        **UNLIMITED,
        **{"LACQUER_WORKER_CAPACITY": str(CAPACITY), "LACQUER_SESSION_LIFETIME": str(LIFETIME)},
    }
    with lacquer_serve(folder, "--workers", "1", **environment) as served:
        signaling = psutil.Process(served.process.pid)
        return asyncio.run(ugly(served.url, served.workers()[0], signaling, count))


def outside(process: psutil.Process) -> dict[str, float]:
    return {
        "rss_mb": round(process.memory_info().rss / 2**20, 1),
        "threads": process.num_threads(),
        "files": process.num_fds(),
        "sockets": len(process.net_connections("all")),
    }


def report(
    churn: Churn,
    states: Counter[str],
    seconds: float,
    worker: tuple[Resources, Resources],
    signaling: tuple[dict[str, float], dict[str, float]],
) -> dict[str, Any]:
    before, after = worker
    left = after.left_beyond(before, threads=IDLE_THREADS)
    grown = round(after.rss_mb - before.rss_mb, 1)
    ours = {name: round(signaling[1][name] - signaling[0][name], 1) for name in signaling[0]}
    clean = (
        not left
        and grown < MOST_GROWTH_MB
        and not churn.failed
        and not set(states) - {"ended", "expired"}
        and ours["files"] <= 2
        and ours["sockets"] <= 2
        and ours["threads"] <= IDLE_THREADS
        and ours["rss_mb"] < MOST_GROWTH_MB
    )
    return {
        **{"sessions": len(churn.sessions), "ways": len(WAYS), "all_dropped_after_s": round(seconds, 1)},
        **{"states": dict(states), "told_that_all_is_full": churn.waited, "failed": dict(churn.failed)},
        **{"worker_before": vars(before), "worker_after": vars(after), "worker_left": left, "worker_grown_mb": grown},
        **{"signaling_grown": ours, "clean": clean},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cycles", type=int, default=50)
    parser.add_argument("--sessions", type=int, default=0, help="sessions to drop in ugly ways")
    options = parser.parse_args()
    if options.cycles:
        with (
            tempfile.TemporaryDirectory() as folder,
            lacquer_serve(Path(folder), "--workers", "1", **UNLIMITED) as served,
        ):
            print(json.dumps(asyncio.run(run(served.url, served.workers()[0], options.cycles)), indent=2))
    if options.sessions:
        with tempfile.TemporaryDirectory() as folder:
            found = ugly_run(Path(folder), options.sessions)
        print(json.dumps(found, indent=2))
        sys.exit(0 if found["clean"] else 1)


if __name__ == "__main__":
    main()
