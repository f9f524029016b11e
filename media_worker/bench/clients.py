"""Light clients in a process of their own: `python -m media_worker.bench.clients URL CODEC [VIDEO]`.

Commands are lines of JSON on stdin, answers are lines of JSON on stdout, one for each:
`{"do": "add"}` opens one more stream; `{"do": "measure", "seconds": 5}` watches all of them. The end of stdin ends it.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

from media_worker.bench import camera, film
from media_worker.bench.errors import BenchError
from media_worker.bench.hub import Sessions
from media_worker.bench.light_client import LightClient

GOLDEN = 0.618
"""Multiples of it, modulo 1, spread any number of streams evenly over a frame's time."""

FIRST_FRAME_SECONDS = 15.0


class Clients:
    def __init__(self, packets: list[bytes], codec: str, sessions: Sessions) -> None:
        self._packets, self._codec, self._sessions = packets, codec, sessions
        self._clients: list[LightClient] = []

    async def add(self) -> dict[str, Any]:
        """Returns once the new stream's pictures come back. Raises BenchError."""
        client = LightClient(self._packets, self._codec, len(self._clients) * GOLDEN % 1)
        self._clients.append(client)
        await client.connect(self._sessions.offer)
        deadline = time.monotonic() + FIRST_FRAME_SECONDS
        while not client.meter.came_back:
            if time.monotonic() > deadline:
                raise BenchError(f"stream {len(self._clients)} brought no picture within {FIRST_FRAME_SECONDS:.0f} s")
            await asyncio.sleep(0.05)
        return {"streams": len(self._clients)}

    async def measure(self, seconds: float) -> dict[str, Any]:
        """Each stream's frames sent, and the round trips of those that came back, in milliseconds."""
        began, cpu = time.perf_counter(), time.process_time()
        await asyncio.sleep(seconds)
        ended = time.perf_counter()
        streams = [
            {
                "sent": sum(began <= at < ended for at in client.film.sent_at),
                "round_trips_ms": [lag * 1000 for at, lag in client.meter.came_back if began <= at < ended],
            }
            for client in self._clients
        ]
        return {"seconds": ended - began, "cpu_seconds": time.process_time() - cpu, "streams": streams}

    async def close(self) -> None:
        await asyncio.gather(*(client.close() for client in self._clients))


async def obey(clients: Clients, command: dict[str, Any]) -> dict[str, Any]:
    try:
        return await (clients.add() if command["do"] == "add" else clients.measure(command["seconds"]))
    except BenchError as error:
        return {"error": str(error)}


async def main(url: str, codec: str, video: Path | None) -> None:
    packets = film.encode(camera.numbered(video), codec)
    async with Sessions(url) as sessions:
        clients = Clients(packets, codec, sessions)
        try:
            while line := await asyncio.to_thread(sys.stdin.readline):
                print(json.dumps(await obey(clients, json.loads(line))), flush=True)
        finally:
            await clients.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]) if len(sys.argv) > 3 else None))
