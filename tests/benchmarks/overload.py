"""Three times as many people as there are places: whoever is in stays well, whoever is not is told at once.

    PYTHONPATH=. .venv/bin/python tests/benchmarks/overload.py [--capacity 2] [--times 3] [--seconds 20]

`lacquer serve` with one worker of so many places; light clients (`media_worker/bench`) offer all at the same time, and
who is refused asks again every half a second, more often than any page. The exit code is 1 where a target is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from aiohttp import ClientSession, ClientTimeout, CookieJar

from media_worker.bench import camera, film
from media_worker.bench.light_client import LightClient
from tests.serving import lacquer_serve

LEAST_FPS = 25.0
MOST_MS = 100.0
LEAST_IN_A_SECOND = 10
"""Frames that a stream gets in each second, or it is starved."""

WARM_UP = 3.0
ASK_AGAIN = 0.5
SDP = {"Content-Type": "application/sdp"}
ASK_AT_WILL = {"LACQUER_RATE_SESSIONS_PER_ADDRESS": "0", "LACQUER_RATE_SESSIONS_PER_OWNER": "0"}
"""All of them come from one address, with one cookie. How many sessions they have open is still counted."""


class Refused(Exception):
    """503, with Retry-After."""


@dataclass
class Asked:
    """What was answered to whom."""

    accepted: list[LightClient] = field(default_factory=list)
    refused_ms: list[float] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)
    """Answers that are neither."""


class Crowd:
    def __init__(self, http: ClientSession, url: str, packets: list[bytes], codec: str) -> None:
        self._http, self._url, self._packets, self._codec = http, url, packets, codec
        self.asked = Asked()

    async def person(self, number: int, until: float) -> None:
        """Asks until there is a place, or the time is up."""
        while time.monotonic() < until:
            try:
                created = await self._ask(f"{self._url}/api/try-on/sessions/", json={"mode": "explore", "post_id": 1})
                self.asked.accepted.append(await self._connect(json.loads(created), number))
                return
            except Refused:
                await asyncio.sleep(ASK_AGAIN)

    async def _connect(self, session: dict[str, Any], number: int) -> LightClient:
        client = LightClient(self._packets, self._codec, phase=number * 0.618 % 1)
        try:
            await client.connect(lambda sdp: self._ask(session["webrtc_url"], data=sdp, headers=SDP))
        except Refused:
            await client.close()
            raise
        return client

    async def _ask(self, url: str, **request: Any) -> str:
        began = time.perf_counter()
        async with self._http.post(url, **request) as response:
            text = await response.text()
        took = (time.perf_counter() - began) * 1000
        if response.status == 201:
            return text
        if response.status == 503 and response.headers.get("Retry-After") and "at_capacity" in text:
            self.asked.refused_ms.append(took)
        else:
            self.asked.odd.append(f"{response.status} {text[:200]}")
        raise Refused


def in_each_second(client: LightClient, began: float, seconds: int) -> list[int]:
    counts = [0] * seconds
    for at, _ in client.meter.came_back:
        if 0 <= (second := math.floor(at - began)) < seconds:
            counts[second] += 1
    return counts


async def run(url: str, options: argparse.Namespace) -> dict[str, Any]:
    packets = film.encode(camera.numbered(None), options.codec)
    async with ClientSession(cookie_jar=CookieJar(unsafe=True), timeout=ClientTimeout(total=30)) as http:
        crowd = Crowd(http, url, packets, options.codec)
        until = time.monotonic() + WARM_UP + options.seconds
        people = options.capacity * options.times
        asking = [asyncio.create_task(crowd.person(number, until)) for number in range(people)]
        await asyncio.sleep(WARM_UP)
        began, load = time.perf_counter(), os.getloadavg()[0]
        await asyncio.sleep(options.seconds)
        seconds = [in_each_second(client, began, options.seconds) for client in crowd.asked.accepted]
        await asyncio.gather(*asking)
        await asyncio.gather(*(client.close() for client in crowd.asked.accepted))
    return report(crowd.asked, people, seconds, load, options)


def report(
    asked: Asked, people: int, seconds: list[list[int]], load: float, options: argparse.Namespace
) -> dict[str, Any]:
    refused = sorted(asked.refused_ms)
    p99 = refused[min(len(refused) - 1, int(0.99 * len(refused)))] if refused else float("inf")
    median = statistics.median(refused) if refused else float("inf")
    fps = [round(statistics.mean(counts), 1) for counts in seconds]
    worst = [min(counts) for counts in seconds]
    targets = {
        f"accepted: {options.capacity}": len(asked.accepted) == options.capacity,
        f"each of them {LEAST_FPS:.0f} frames a second": bool(fps) and min(fps) >= LEAST_FPS,
        f"none under {LEAST_IN_A_SECOND} in any second": bool(worst) and min(worst) >= LEAST_IN_A_SECOND,
        f"refused within {MOST_MS:.0f} ms, median and p99": max(median, p99) <= MOST_MS,
        "nothing else was answered": not asked.odd,
    }
    return {
        "machine": {"cores": psutil.cpu_count(), "load_with_this": round(load, 1)},
        **{"people": people, "accepted": len(asked.accepted), "fps_each": fps, "fewest_in_a_second_each": worst},
        **{"refusals": len(refused), "refused_ms": {"median": round(median, 1), "p99": round(p99, 1)}},
        **{"odd": asked.odd[:5], "targets_met": targets},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--capacity", type=int, default=2)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--codec", choices=["h264", "vp8"], default="h264")
    options = parser.parse_args()
    environment = {"LACQUER_WORKER_CAPACITY": str(options.capacity), **ASK_AT_WILL}
    with (
        tempfile.TemporaryDirectory() as folder,
        lacquer_serve(Path(folder), "--workers", "1", **environment) as served,
    ):
        found = asyncio.run(run(served.url, options))
    print(json.dumps(found, indent=2))
    sys.exit(0 if all(found["targets_met"].values()) else 1)


if __name__ == "__main__":
    main()
