"""What each further stream costs one worker: memory, threads, processor time, and where a frame's time goes.

    .venv/bin/python tests/benchmarks/streams.py [--up-to 4] [--seconds 5] [--codec h264|vp8]

Light clients (`media_worker/bench`) send an encoded clip of a drawn hand and decode nothing. Memory counts once a
stream has been watched, as models, encoders and decoders are all at work by then; `resident_mb` also counts the hand
model's file, once for each time that it is mapped. Stages are means over all streams, ms.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psutil
from aiohttp import ClientSession
from aiortc import RTCConfiguration
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console
from rich.progress import track

from media_worker.bench import camera, film
from media_worker.bench.light_client import LightClient

WARM_UP_SECONDS = 4.0


@contextmanager
def worker(capacity: int, prefix: Sequence[str] = (), **environment: str) -> Iterator[tuple[str, psutil.Process]]:
    """A worker without signaling: its URL and its process. `prefix` is put before its command."""
    process = subprocess.Popen(
        [*prefix, sys.executable, "-m", "media_worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={
            **os.environ,
            "LACQUER_WORKER_PORT": "0",
            "LACQUER_WORKER_CAPACITY": str(capacity),
            **environment,
        },
    )
    assert process.stdout and process.stdin
    try:
        line = next(line for line in process.stdout if line.startswith(b"{"))
        yield json.loads(line)["url"], psutil.Process(process.pid)
    finally:
        process.stdin.close()  # it leaves with whoever started it
        process.wait(20)
        process.stdout.close()


async def connect(
    http: ClientSession,
    url: str,
    number: int,
    packets: list[bytes],
    codec: str,
    *,
    configuration: RTCConfiguration | None = None,
    lifetime: float = 600,
) -> LightClient:
    session = f"{url}/internal/sessions/bench-{number}"
    spec = {"session_id": f"bench-{number}", "design_id": 1, "expires_at": time.time() + lifetime}
    async with http.put(session, json=spec) as response:
        assert response.status in (201, 204), await response.text()

    async def offer(sdp: str) -> str:
        async with http.post(f"{session}/peers", data=sdp, headers={"Content-Type": "application/sdp"}) as response:
            assert response.status == 201, await response.text()
            return await response.text()

    client = LightClient(packets, codec, phase=number * 0.618 % 1, configuration=configuration)
    await client.connect(offer)
    return client


async def metrics(http: ClientSession, url: str) -> dict[tuple[str, str], float]:
    """Samples by name and by stage, level or reason."""
    async with http.get(f"{url}/metrics") as response:
        families = text_string_to_metric_families(await response.text())
        samples = [sample for family in families for sample in family.samples if "le" not in sample.labels]
    return {(sample.name, "".join(sample.labels.values())): sample.value for sample in samples}


async def watch(http: ClientSession, url: str, process: psutil.Process, seconds: float) -> dict[str, Any]:
    before, cpu = await metrics(http, url), sum(process.cpu_times()[:2])
    await asyncio.sleep(seconds)
    after, cpu = await metrics(http, url), sum(process.cpu_times()[:2]) - cpu
    grown = {key: value - before.get(key, 0.0) for key, value in after.items()}
    frames = max(grown["lacquer_frames_out_total", ""], 1)
    of_stage = {label: value for (name, label), value in grown.items() if name == "lacquer_stage_seconds_sum"}
    return {
        "fps": round(frames / seconds, 1),
        "cpu_ms_per_frame": round(cpu * 1000 / frames, 1),
        "memory_mb": round(process.memory_full_info().uss / 2**20, 1),
        "resident_mb": round(process.memory_info().rss / 2**20, 1),
        "threads": process.num_threads(),
        "stages_ms": {stage: round(total * 1000 / frames, 2) for stage, total in of_stage.items()},
        "retreat": {label: int(value) for (name, label), value in after.items() if name == "lacquer_retreat_level"},
    }


async def run(url: str, process: psutil.Process, options: argparse.Namespace) -> dict[str, Any]:
    packets = film.encode(camera.numbered(None), options.codec)
    clients, levels = [], []
    async with ClientSession() as http:
        for number in track(range(options.up_to), "streams", console=Console(stderr=True)):
            clients.append(await connect(http, url, number, packets, options.codec))
            await asyncio.sleep(WARM_UP_SECONDS)
            levels.append(await watch(http, url, process, options.seconds))
        await asyncio.gather(*(client.close() for client in clients))
    memory = [level["memory_mb"] for level in levels]
    further = (memory[-1] - memory[0]) / max(len(memory) - 1, 1)
    machine = {"cores": psutil.cpu_count(), "load": [round(load, 1) for load in os.getloadavg()]}
    return {"machine": machine, "memory_mb_a_further_stream": round(further, 1), "streams": levels}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--up-to", type=int, default=4, help="streams")
    parser.add_argument("--seconds", type=float, default=5, help="for which each number of streams is watched")
    parser.add_argument("--codec", choices=["h264", "vp8"], default="h264")
    options = parser.parse_args()
    with worker(options.up_to) as (url, process):
        print(json.dumps(asyncio.run(run(url, process, options)), indent=2))


if __name__ == "__main__":
    main()
