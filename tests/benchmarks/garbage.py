"""What becomes of a running stream while garbage arrives at its worker's UDP ports.

    .venv/bin/python tests/benchmarks/garbage.py [--pps 1000] [--seconds 20] [--codec h264|vp8]

A light client (`media_worker/bench`) streams a drawn hand. Then strangers send to the same port, from ports of their
own and from the client's own: random bytes; RTP, RTCP (goodbyes among it) and DTLS records that look right and were
never authenticated; STUN requests that know the name but not the password, and STUN with attributes of wrong lengths.
Printed: frames a second, the share of a core that the worker takes, and by how much it grows, before and meanwhile;
what its log says of it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from statistics import fmean
from typing import Any

import aioice.stun
import psutil
from aiohttp import ClientSession

from media_worker import drawn_hand, frame_code
from media_worker.bench import camera, film
from media_worker.bench.light_client import LightClient
from media_worker.vision.arrays import Pixels
from tests.benchmarks.streams import connect, metrics

WARM_UP_FRAMES, WARM_UP_SECONDS = 60, 30.0
"""Measuring begins when so many have come back, as networks are loaded and buffers made by then; or after that time."""

TICK = 0.01
"""Seconds between two handfuls of packets."""


@contextmanager
def worker(log: Path) -> Iterator[tuple[str, psutil.Process]]:
    """A worker without signaling, that writes its log there: its URL and its process."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "media_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            env={**os.environ, "LACQUER_WORKER_PORT": "0", "LACQUER_WORKER_CAPACITY": "2"},
        )
    assert process.stdout and process.stdin
    try:
        line = next(line for line in process.stdout if line.startswith(b"{"))
        yield json.loads(line)["url"], psutil.Process(process.pid)
    finally:
        process.stdin.close()  # it leaves with whoever started it
        process.wait(20)
        process.stdout.close()


def packets(chance: random.Random, username: str) -> Iterator[bytes]:
    """Without an end. `username` is what the worker's STUN wants to hear."""
    makers: list[Callable[[], bytes]] = [
        lambda: chance.randbytes(chance.randint(1, 1200)),
        lambda: struct.pack("!BBHII", 0x80, chance.choice((96, 99, 0xE3)), chance.getrandbits(16), 1, 7) + bytes(900),
        lambda: b"\x90\xe3" + chance.randbytes(10) + b"\xbe\xde\x00\x01\x32abc" + chance.randbytes(1000),
        lambda: struct.pack("!BBHI", 0x81, 203, 1, chance.getrandbits(32)) + chance.randbytes(14),  # goodbye
        lambda: struct.pack("!BBHI", 0x80, 200, 6, chance.getrandbits(32)) + chance.randbytes(34),
        lambda: b"\x17\xfe\xfd\x00\x01" + chance.randbytes(6) + b"\x00\x40" + chance.randbytes(64),
        lambda: b"\x15\xfe\xfd" + bytes(8) + b"\x00\x02\x02\x28",  # a fatal alert, in the clear
        lambda: b"\x16\xfe\xfd" + bytes(8) + chance.randbytes(200),
        lambda: bytes(_request(username, chance)),
        lambda: _request_cut(username, chance),
    ]
    while True:
        packet = chance.choice(makers)()
        if chance.random() < 0.3:
            at = chance.randrange(len(packet))
            packet = packet[:at] + chance.randbytes(1) + packet[at + 1 :]
        yield packet


def _request(username: str, chance: random.Random) -> aioice.stun.Message:
    message = aioice.stun.Message(aioice.stun.Method.BINDING, aioice.stun.Class.REQUEST)
    message.attributes = {"USERNAME": username, "PRIORITY": chance.getrandbits(32), "USE-CANDIDATE": None}
    message.add_message_integrity(b"not the password")
    return message


def _request_cut(username: str, chance: random.Random) -> bytes:
    raw = bytes(_request(username, chance))
    body = raw[20 : 20 + chance.randrange(len(raw) - 20)] + struct.pack("!HH", 0x24, chance.randrange(9)) + bytes(4)
    return raw[:2] + struct.pack("!H", len(body)) + raw[4:20] + body


class Strangers:
    """Half of the packets come from sockets of their own, half from the client's."""

    def __init__(self, client: LightClient) -> None:
        connection = client._receiver.transport.transport._connection
        pair = connection._nominated[1]
        self._own, self._to = pair.protocol.transport, pair.remote_addr
        family = socket.AF_INET6 if ":" in self._to[0] else socket.AF_INET
        self._sockets = [socket.socket(family, socket.SOCK_DGRAM) for _ in range(8)]
        for each in self._sockets:
            each.setblocking(False)
        self._packets = packets(random.Random(7), f"{connection.remote_username}:{connection.local_username}")
        self.sent = 0

    async def send(self, pps: float, seconds: float) -> None:
        began, before = time.monotonic(), self.sent
        while (passed := time.monotonic() - began) < seconds:
            while self.sent - before < passed * pps:
                self._send(next(self._packets))
            await asyncio.sleep(TICK)

    def _send(self, packet: bytes) -> None:
        self.sent += 1
        if self.sent % 2:
            self._own.sendto(packet, self._to)
        else:
            try:
                self._sockets[self.sent // 2 % len(self._sockets)].sendto(packet, self._to)
            except BlockingIOError:
                self.sent -= 1

    def close(self) -> None:
        for each in self._sockets:
            each.close()


async def run(
    url: str,
    process: psutil.Process,
    *,
    pps: float,
    seconds: float,
    codec: str,
    pictures: int | None = None,
    turns: int = 1,
) -> dict[str, Any]:
    """`pictures` of the clip are drawn, by default all. With and without garbage by turns, of `seconds` each: what else
    the machine does then weighs on both alike."""
    encoded = await asyncio.to_thread(
        lambda: film.encode(_drawn(pictures) if pictures else camera.numbered(None), codec)
    )
    async with ClientSession() as http:
        client = await connect(http, url, 0, encoded, codec)
        strangers: Strangers | None = None
        try:
            await _warmed_up(client)
            before, during = [], []
            refused = await _refused(http, url)
            strangers = Strangers(client)
            for _ in range(turns):
                before.append(await _watched(client, process, min(seconds, 5.0)))
                sending = asyncio.create_task(strangers.send(pps, seconds))
                during.append(await _watched(client, process, seconds))
                await sending
            return {
                "before": _mean(before),
                "meanwhile": _mean(during),
                "packets_sent": strangers.sent,
                "packets_refused": await _refused(http, url) - refused,
            }
        finally:
            if strangers:
                strangers.close()
            await client.close()


def _drawn(pictures: int) -> Iterator[Pixels]:
    """As `camera.numbered`, but a shorter loop, with a jump."""
    scene = drawn_hand.Scene(width=camera.WIDTH, height=camera.HEIGHT)
    for number, drawing in enumerate(islice(drawn_hand.clip(scene, 1, camera.FPS), pictures)):
        rgb = drawing.rgb.copy()
        frame_code.write(rgb, number)
        yield rgb


async def _warmed_up(client: LightClient) -> None:
    deadline = time.monotonic() + WARM_UP_SECONDS
    while len(client.meter.came_back) < WARM_UP_FRAMES and time.monotonic() < deadline:
        await asyncio.sleep(0.1)


def _mean(turns: Sequence[dict[str, float]]) -> dict[str, float]:
    return {key: round(fmean(turn[key] for turn in turns), 2) for key in turns[0]}


async def _watched(client: LightClient, process: psutil.Process, seconds: float) -> dict[str, float]:
    began, frames, cpu = time.monotonic(), len(client.meter.came_back), sum(process.cpu_times()[:2])
    memory = process.memory_info().rss
    await asyncio.sleep(seconds)
    passed = time.monotonic() - began
    return {
        "fps": round((len(client.meter.came_back) - frames) / passed, 1),
        "cores": round((sum(process.cpu_times()[:2]) - cpu) / passed, 2),
        "growth_mb": round((process.memory_info().rss - memory) / 2**20, 1),
    }


async def _refused(http: ClientSession, url: str) -> int:
    found = await metrics(http, url)
    return int(sum(value for (name, _), value in found.items() if name == "lacquer_packets_refused_total"))


def told(log: Path) -> dict[str, int]:
    """Of a worker's log: how many lines, lines on refused packets, and tracebacks."""
    text = log.read_text("utf-8", errors="replace")
    return {
        "log_lines": text.count("\n"),
        "lines_on_refused_packets": text.count("packets refused"),
        "tracebacks": text.count("Traceback"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pps", type=float, default=1000, help="packets a second")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--codec", choices=["h264", "vp8"], default="h264")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "worker.log"
        with worker(log) as (url, process):
            asked = run(url, process, pps=options.pps, seconds=options.seconds, codec=options.codec)
            found = asyncio.run(asked)
        print(json.dumps({**found, **told(log)}, indent=2))


if __name__ == "__main__":
    main()
