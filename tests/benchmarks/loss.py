"""Packets are lost in both directions: does the picture of a person who watches freeze?

    PYTHONPATH=. .venv/bin/python tests/benchmarks/loss.py [--clients browserlike,aiortc,chromium] [--seconds 60]

640x480, 30 frames a second, a round trip of 40 ms; painting is a stand-in, the rest of a worker is real. Each case runs
with several seeds of the loss. The exit code is 1 where a picture stood still for more than 500 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import logging
import os
import sys
import tempfile
import time
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import structlog

from media_worker import associations, codecs, datagrams, drawn_hand, receiving, sending, session, stage_times
from media_worker.ice import IceOptions
from media_worker.peer import Peer
from tests.benchmarks.loss_clients import Seen, aiortc_client, chromium_client
from tests.media_worker import fakes
from tests.relay import Link, Relay
from tests.rtc_client import Offer

FREEZE = 0.5
"""Seconds; a gap of more is a freeze, and misses the target."""

NOTED = 0.3
"""Seconds; where longer gaps come from is told."""

WARM_UP = 2.0
PATIENCE = 15.0
DELAY = 0.02

CASES: dict[str, dict[str, float]] = {
    "random": {"loss": 0.05},
    "bursts": {"loss": 0.05, "burst": 10},
    "gaps": {"gap_every": 1.0, "gap": 10},
}
"""5 % at random; 5 % in bursts of 10 on average; exactly 10 packets each second. In each direction."""


@dataclass(frozen=True)
class Client:
    kind: str
    codec: str
    camera: Path


class NotingLink(Link):
    """Notes when packets go in."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.entered: list[float] = []

    def arrival(self, now: float, size: int) -> float | None:
        self.entered.append(now)
        return super().arrival(now, size)


@dataclass
class Watched:
    """What one run saw."""

    seconds: float
    first: float
    """Seconds from the offer to the first picture."""
    seen: list[float]
    """When a painted picture was with the client; before them the beginning, after them the end."""
    camera: list[float]
    """When the worker had a frame of the camera."""
    sent: list[float]
    """When the client sent a packet."""
    lost: tuple[float, float]
    """Shares of packets, up and down."""
    kbits: int
    """kbit/s that came down."""
    gaps: list[float] = field(init=False)

    def __post_init__(self) -> None:
        self.gaps = sorted(np.diff(self.seen)) if len(self.seen) > 1 else [self.seconds]

    @property
    def freezes(self) -> int:
        return sum(gap > FREEZE for gap in self.gaps)

    def __str__(self) -> str:
        p99 = self.gaps[int(0.99 * (len(self.gaps) - 1))]
        return (
            f"{(len(self.seen) - 2) / self.seconds:5.1f} fps {self.freezes:4} freezes, longest {self.gaps[-1]:5.2f} s, "
            f"p99 {p99:4.2f} s, over {NOTED:.1f} s: {', '.join(self.causes()) or 'none'}; "
            f"lost {self.lost[0]:.1%} up, {self.lost[1]:.1%} down; {self.kbits} kbit/s; first picture after "
            f"{self.first:.1f} s"
        )

    def causes(self) -> list[str]:
        """Each long gap, and what was missing first: packets of the client (the machine was busy), frames at the worker
        (the way up), or only the painted ones (the way down)."""
        told = []
        for before, after in itertools.pairwise(self.seen):
            if after - before > NOTED:
                names = {"client": self.sent, "up": self.camera}
                held = (
                    name for name, times in names.items() if _longest(times, before, after) > 0.6 * (after - before)
                )
                told.append(f"{after - before:.2f} {next(held, 'down')} at {before - self.seen[0]:.1f}")
        return told


def _longest(times: list[float], before: float, after: float) -> float:
    """Seconds that nothing happened, of those in which a picture did not come, and a little before."""
    begins = before - 3 * DELAY
    return float(max(np.diff([begins, *(at for at in times if begins < at < after), after])))


async def watch(client: Client, case: str, seed: int, seconds: float) -> Watched:
    link = CASES[case]
    up, down = (NotingLink(delay=DELAY, seed=2 * seed + way, **link) for way in (0, 1))  # type: ignore[arg-type]
    relay = Relay(up, down)
    peer = Peer(fakes.session(), IceOptions())
    frames: list[float] = []
    received = peer.session.statistics.received

    def note() -> None:
        frames.append(time.monotonic())
        received()

    peer.session.statistics.received = note  # type: ignore[method-assign]
    try:
        async with relay, connected(client, relay.between(peer.answer)) as seen:
            began = time.monotonic()
            while not await seen():
                if time.monotonic() - began > PATIENCE:
                    return Watched(seconds, PATIENCE, [], frames, up.entered, (0, 0), 0)
                await asyncio.sleep(0.1)
            first = time.monotonic() - began
            await asyncio.sleep(WARM_UP)
            since, carried = time.monotonic(), down.carried
            await asyncio.sleep(seconds)
            kbits = round((down.carried - carried) / seconds / 1000)
            ended = time.monotonic()
            pictures = [at for at in await seen() if since <= at <= ended]
    finally:
        await peer.close(None)
    return Watched(
        seconds, first, [since, *pictures, ended], frames, up.entered, (share_lost(up), share_lost(down)), kbits
    )


def share_lost(link: Link) -> float:
    return link.lost / max(1, link.lost + link.passed)


def connected(client: Client, offer: Offer) -> AbstractAsyncContextManager[Seen]:
    if client.kind == "chromium":
        return chromium_client(client.camera, client.codec, offer)
    return aiortc_client(client.kind, client.codec, offer)


async def run(options: argparse.Namespace) -> bool:
    for part in (associations, codecs, datagrams, receiving, sending, stage_times):
        part.install()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    vars(session)["Pipeline"] = fakes.FakePipeline
    met = True
    with tempfile.TemporaryDirectory() as folder:
        camera = Path(folder) / "hand.mjpeg"
        if "chromium" in options.clients:
            await asyncio.to_thread(drawn_hand.write_mjpeg, camera, seconds=3)
        for case, client, codec in itertools.product(options.cases, options.clients, options.codecs):
            for seed in range(1, options.seeds + 1):
                load = os.getloadavg()[0]
                found = await watch(Client(client, codec, camera), case, seed, options.seconds)
                met = met and not found.freezes
                print(f"{case:7} {client:11} {codec:5} seed {seed}, load {load:4.1f}: {found}", flush=True)
    print(f"{'met   ' if met else 'MISSED'} no picture stood still for more than {FREEZE * 1000:.0f} ms")
    return met


def names(allowed: tuple[str, ...]) -> dict[str, object]:
    """Arguments for an option that takes some of these, with commas between them."""

    def chosen(text: str) -> list[str]:
        wanted = text.split(",")
        if unknown := set(wanted) - set(allowed):
            raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}; there are {', '.join(allowed)}")
        return wanted

    return {"type": chosen, "default": list(allowed), "metavar": ",".join(allowed)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", **names(tuple(CASES)))  # type: ignore[arg-type]
    parser.add_argument("--clients", **names(("browserlike", "aiortc", "chromium")))  # type: ignore[arg-type]
    parser.add_argument("--codecs", **names(("h264", "vp8")))  # type: ignore[arg-type]
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=60)
    sys.exit(0 if asyncio.run(run(parser.parse_args())) else 1)


if __name__ == "__main__":
    main()
