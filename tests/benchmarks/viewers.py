"""What each further viewer of a session costs its worker: processor time, beside one encode for all of them.

    .venv/bin/python -m tests.benchmarks.viewers [--up-to 8] [--seconds 5] [--codec vp8|h264]

A publisher sends a drawn hand one way, 640x480 at 30 fps; viewers count packets and decode nothing. The server has no
vision, so that what is left is transport: the first line is a session that nobody watches.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from functools import partial
from typing import Any

import psutil
from aiohttp import ClientSession
from aiortc import RTCRtpReceiver
from aiortc.rtp import RtpPacket
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console
from rich.table import Table

from media_worker import drawn_hand
from media_worker.bench.film import Film
from media_worker.bench.light_client import REPORT_EVERY, Meter, put_meter
from tests.rtc_client import RtcClient

WARM_UP_SECONDS = 2.0


class Counter(Meter):
    """In the place of a receiver's jitter buffer and decoder, as the light client's `Meter`; it only counts."""

    def __init__(self, codec: str) -> None:
        super().__init__(codec, Film([], 0.0), 1)
        self.packets = self.frames = self.bits = 0

    async def take(self, packet: RtpPacket, arrival_time_ms: int) -> None:
        self._source = packet.ssrc
        self._statistics.add(packet)
        self.packets += 1
        self.frames += packet.marker
        self.bits += 8 * len(packet.payload)


@contextmanager
def server() -> Iterator[tuple[str, str, psutil.Process]]:
    """URLs of signaling and of the worker, which are one process."""
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.interop.server", folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert process.stdin and process.stdout
        try:
            url, worker = process.stdout.readline().split()
            yield url, worker, psutil.Process(process.pid)
        finally:
            process.stdin.close()
            process.wait(20)


async def post(http: ClientSession, url: str, token: str, sdp: str) -> str:
    headers = {"Content-Type": "application/sdp", **({"Authorization": f"Bearer {token}"} if token else {})}
    async with http.post(url, data=sdp, headers=headers) as response:
        assert response.status == 201, await response.text()
        return await response.text()


async def viewer(stack: AsyncExitStack, http: ClientSession, url: str, codec: str) -> Counter:
    client, counter = await stack.enter_async_context(RtcClient.player(codec)), Counter(codec)
    put_meter(client.pc.getReceivers()[0], counter)
    await client.connect(partial(post, http, url, ""))
    await client.until(lambda: counter.frames, 20)
    stack.push_async_callback(ended, asyncio.create_task(report(client.pc.getReceivers()[0], counter)))
    return counter


async def report(receiver: RTCRtpReceiver, counter: Counter) -> None:
    """As a browser on a good line does."""
    while True:
        await asyncio.sleep(REPORT_EVERY)
        for packet in counter.reports(1):
            await receiver.transport._send_rtp(packet)


async def ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def counted(http: ClientSession, worker: str) -> tuple[float, float]:
    """Frames processed, and frames encoded for viewers, so far."""
    async with http.get(f"{worker}/metrics") as response:
        families = list(text_string_to_metric_families(await response.text()))
    samples = [sample for family in families for sample in family.samples]

    def total(name: str) -> float:
        return sum(sample.value for sample in samples if sample.name == name)

    return total("lacquer_frames_out_total"), total("lacquer_viewer_frames_encoded_total")


def row(seconds: float, cpu: float, frames: float, made: float, counters: list[Counter]) -> dict[str, Any]:
    got = [counter.frames for counter in counters]
    return {
        "viewers": len(counters),
        "cpu_ms_a_frame": round(1000 * cpu / frames, 2),
        "core": round(cpu / seconds, 3),
        "encodes_a_frame": round(made / frames, 2),
        "slowest_fps": round(min(got, default=0) / seconds, 1),
        "kbit_s_each": round(sum(c.bits for c in counters) / max(1, len(counters)) / seconds / 1000),
        "packets_s_each": round(sum(c.packets for c in counters) / max(1, len(counters)) / seconds),
    }


async def measure(up_to: int, seconds: float, codec: str) -> list[dict[str, Any]]:
    rows = []
    frames = [drawing.rgb for drawing in drawn_hand.clip(drawn_hand.Scene(), 2)]
    async with AsyncExitStack() as stack:
        url, worker, process = stack.enter_context(server())
        http = await stack.enter_async_context(ClientSession())
        async with http.post(f"{url}/api/try-on/sessions/", json={"mode": "explore", "post_id": 1}) as response:
            created = await response.json()
        sender = await stack.enter_async_context(RtcClient.publisher(frames, codec))
        await sender.connect(partial(post, http, created["whip_url"], created["token"]))
        counters: list[Counter] = []
        for count in range(up_to + 1):
            if count:
                counters.append(await viewer(stack, http, created["watch_url"], codec))
            await asyncio.sleep(WARM_UP_SECONDS)
            rows.append(await _watched(http, worker, process, counters, seconds))
    return rows


async def _watched(
    http: ClientSession, worker: str, process: psutil.Process, counters: list[Counter], seconds: float
) -> dict[str, Any]:
    for counter in counters:
        counter.packets = counter.frames = counter.bits = 0
    before, cpu, began = await counted(http, worker), sum(process.cpu_times()[:2]), time.monotonic()
    await asyncio.sleep(seconds)
    after, spent = await counted(http, worker), sum(process.cpu_times()[:2]) - cpu
    return row(time.monotonic() - began, spent, max(1, after[0] - before[0]), after[1] - before[1], counters)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--up-to", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--codec", choices=["vp8", "h264"], default="vp8")
    options = parser.parse_args()
    rows = asyncio.run(measure(options.up_to, options.seconds, options.codec.upper()))
    table = Table(*rows[0], title=f"{options.codec}, load {psutil.getloadavg()[0]:.1f}")
    for each in rows:
        table.add_row(*map(str, each.values()))
    Console(width=120).print(table)
    watched = [(each["viewers"], each["cpu_ms_a_frame"]) for each in rows[1:]]
    if len(watched) > 1:
        more = statistics.linear_regression(*zip(*watched, strict=True)).slope
        Console().print(f"each further viewer: {more:.2f} ms of processor time a frame")


if __name__ == "__main__":
    main()
