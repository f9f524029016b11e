"""What is left after many visits: connect, see the first painted frame, leave; memory, threads and files of the worker.

.venv/bin/python tests/benchmarks/churn.py [--cycles 50]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from aiohttp import ClientSession
from rich.progress import track

from media_worker import drawn_hand
from tests.rtc_client import RtcClient
from tests.serving import UNLIMITED, lacquer_serve

WARM_UP_CYCLES = 10


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
        "threads": {"after_10": threads[WARM_UP_CYCLES - 1], "end": threads[-1]},
        "open_files": {"after_10": files[WARM_UP_CYCLES - 1], "end": files[-1]},
        "rss_mb_each": [round(value) for value in memory],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cycles", type=int, default=50)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, lacquer_serve(Path(folder), "--workers", "1", **UNLIMITED) as served:
        print(json.dumps(asyncio.run(run(served.url, served.workers()[0], options.cycles)), indent=2))


if __name__ == "__main__":
    main()
