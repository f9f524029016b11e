"""What a relay costs: pictures a second and glass-to-glass latency, direct and through coturn by UDP, TCP and TLS.

    sudo .venv/bin/python tests/benchmarks/relay.py [--seconds 5] [--rounds 3] [--codec h264|vp8]

Client, coturn (deploy/turnserver.conf) and worker are in network namespaces. One stream at a time, the ways by turns,
so that what else the machine does falls on all of them. Latency is from when a frame is sent to when the last packet of
its painted one is there.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))  # sudo passes no PYTHONPATH on

# ruff: noqa: E402  # see above
import numpy as np
from aiohttp import ClientSession
from aiortc import RTCConfiguration, RTCIceServer, RTCIceTransportPolicy

from media_worker.bench import camera, film
from media_worker.bench.machine import describe
from protocol.turn_credentials import credentials
from tests.benchmarks.streams import connect, worker
from tests.coturn import SECRET, coturn
from tests.namespaces import LACQUER, PAGE_PORT, TURN_TO_CLIENT, TURN_TO_LACQUER, inside, networks, why_not

WARM_UP_SECONDS = 2.0
CONNECT_SECONDS = 20.0

FEWEST_FPS, LARGEST_ADDED_MS = 25.0, 10.0
"""Targets."""


async def measure(
    http: ClientSession, number: int, packets: list[bytes], way: str, given: dict[str, Any]
) -> dict[str, Any]:
    """One stream by one way: its rate, and the latency of each of its pictures in ms."""
    configuration = RTCConfiguration([])
    if way != "direct":
        username, password = credentials(SECRET, f"bench-{number}", time.time() + 300)
        relay = RTCIceServer(urls=given["urls"][way], username=username, credential=password)
        configuration = RTCConfiguration([relay], iceTransportPolicy=RTCIceTransportPolicy.RELAY)
    client = await connect(http, given["worker"], number, packets, given["codec"], configuration=configuration)
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            while not client.meter.came_back:
                await asyncio.sleep(0.02)
        await asyncio.sleep(WARM_UP_SECONDS)
        first = len(client.meter.came_back)
        await asyncio.sleep(given["seconds"])
        latencies = [taken * 1000 for _, taken in client.meter.came_back[first:]]
    finally:
        await client.close()
    return {"way": way, "fps": len(latencies) / given["seconds"], "latencies": latencies}


async def run_client(given: dict[str, Any]) -> None:
    """In the client's network: one line of JSON a stream."""
    packets = film.encode(camera.numbered(None), given["codec"])
    async with ClientSession() as http:
        for number, way in enumerate(given["ways"] * given["rounds"]):
            print(json.dumps(await measure(http, number, packets, way, given)), flush=True)


def summed_up(streams: list[dict[str, Any]], rounds: int) -> dict[str, Any]:
    """By way: rate and median latency of each stream, and what a relay adds to the direct way's median, which is the
    middle of what it added in each round."""
    ways = list(dict.fromkeys(stream["way"] for stream in streams))
    medians = np.array([np.median(stream["latencies"]) for stream in streams]).reshape(rounds, len(ways))
    rates = np.array([stream["fps"] for stream in streams]).reshape(rounds, len(ways))
    added = np.median(medians - medians[:, :1], axis=0)
    return {
        way: {
            "fps": rates[:, number].round(1).tolist(),
            "p50_ms": medians[:, number].round(1).tolist(),
            "added_p50_ms": round(float(added[number]), 1),
            "met": bool(rates[:, number].min() >= FEWEST_FPS and added[number] <= LARGEST_ADDED_MS),
        }
        for number, way in enumerate(ways)
    }


def run(options: argparse.Namespace) -> dict[str, Any]:
    with (
        tempfile.TemporaryDirectory() as folder,
        networks() as there,
        coturn(
            Path(folder),
            TURN_TO_CLIENT,
            f"--allowed-peer-ip={LACQUER}",
            prefix=inside(there.turn),
            relay=TURN_TO_LACQUER,
        ) as relay,
        worker(1, inside(there.lacquer), LACQUER_WORKER_HOST=LACQUER, LACQUER_WORKER_PORT=str(PAGE_PORT)) as (url, _),
    ):
        there.open_direct_way()  # relayed streams are told not to take it
        given = {"worker": url, "urls": relay.urls, "ways": ["direct", *relay.urls], **vars(options)}
        done = subprocess.run(
            [*inside(there.client), sys.executable, __file__, "--client", json.dumps(given)],
            env={**os.environ, "SSL_CERT_FILE": str(relay.certificate)},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    return summed_up([json.loads(line) for line in done.stdout.splitlines()], options.rounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5, help="for which each stream is watched")
    parser.add_argument("--rounds", type=int, default=3, help="streams by each way")
    parser.add_argument("--codec", choices=["h264", "vp8"], default="h264")
    parser.add_argument("--client", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.client:
        asyncio.run(run_client(json.loads(options.client)))
        return
    if reason := why_not():
        sys.exit(f"relay.py: {reason}")
    machine = describe()  # the load before
    print(json.dumps({"machine": machine, "ways": run(options)}, indent=2))


if __name__ == "__main__":
    main()
