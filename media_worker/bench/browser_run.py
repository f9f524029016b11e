"""One run: a real Chromium, a server, a camera; and the runs of a whole benchmark, one after the other."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from media_worker.bench import camera, devtools, machine, quality, servers
from media_worker.bench.hub import Hub, Offer, Sessions, echo_offer
from media_worker.bench.results import ECHO, OURS, Results, Run, Stream
from media_worker.bench.servers import Server
from media_worker.vision.arrays import Pixels

CLIP = "camera.mjpeg"

GRAB_LIMIT_MS = 8000
"""The page gives up grabbing pairs after this long."""

TICK_SECONDS = 0.2

Ticker = Callable[[int, int], None]


@dataclass(frozen=True)
class Plan:
    codecs: Sequence[str]
    streams: Sequence[int]
    """Each number of streams gets runs of its own."""
    seconds: float
    warm_up: float
    """Seconds before watching begins: rates settle."""
    camera: Path | None
    """A video; None is the drawn hand."""
    browser: str
    model: Path
    compare_echo: bool = False
    url: str | None = None
    """A server that runs already; None starts one."""
    workers: int | None = None
    pairs: int = 8
    """Pictures to compare with what was sent."""


@dataclass(frozen=True)
class Grabbed:
    sent: Pixels
    returned: Pixels


@dataclass(frozen=True)
class Case:
    """What one run measures."""

    target: str
    codec: str
    streams: int

    def __str__(self) -> str:
        return f"{self.target}, {self.codec}, x{self.streams}"


def run_all(plan: Plan, ticker_of: Callable[[str], Ticker]) -> tuple[Results, dict[str, Grabbed]]:
    """All runs, and a pair of pictures of each run by its name. Raises BenchError."""
    described = machine.describe()
    runs: list[Run] = []
    pictures: dict[str, Grabbed] = {}
    with tempfile.TemporaryDirectory(prefix="lacquer-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        camera.write(folder / CLIP, plan.camera, ticker_of("writing the camera's clip"))
        for case in _cases(plan):
            run, pairs = asyncio.run(_run(plan, case, folder, ticker_of(str(case))))
            runs.append(run)
            pictures |= {run.name: pairs[0]} if pairs else {}
    shown = plan.camera.name if plan.camera else "drawn hand"
    return Results(described, shown, plan.seconds, runs), pictures


def _cases(plan: Plan) -> list[Case]:
    """What is compared runs one right after the other, so that the machine's mood is the same."""
    targets = (OURS, ECHO) if plan.compare_echo else (OURS,)
    return [Case(target, codec, count) for codec in plan.codecs for count in plan.streams for target in targets]


async def _run(plan: Plan, case: Case, folder: Path, tick: Ticker) -> tuple[Run, list[Grabbed]]:
    async with _target(plan, case, folder) as (server, offer):
        hub, profile = Hub(offer), folder / f"profile {case}"
        async with hub.serve() as url, devtools.page(plan.browser, folder / CLIP, profile, url, "window.bench") as page:
            await page.evaluate(f"bench.start({case.streams}, {json.dumps(case.codec)})")
            await asyncio.sleep(plan.warm_up)
            before = server.cpu_seconds()
            found = await _ticking(page.evaluate(f"bench.measure({plan.seconds})"), plan.seconds, tick)
            after, memory = server.cpu_seconds(), server.memory_mb()
            await page.evaluate(f"bench.grab({plan.pairs}, {GRAB_LIMIT_MS})")
    pairs = [Grabbed(*pair) for pair in zip(hub.pictures["sent"], hub.pictures["returned"], strict=True)]
    likeness = quality.outside_nails(((pair.sent, pair.returned) for pair in pairs), plan.model)
    spent = after - before if after is not None and before is not None else None
    return Run(case.target, case.codec, [Stream.of(each) for each in found], spent, memory, likeness), pairs


@asynccontextmanager
async def _target(plan: Plan, case: Case, folder: Path) -> AsyncIterator[tuple[Server, Offer]]:
    """A server of its own for each run, so that no run inherits another's memory, and how it takes an offer."""
    if case.target == ECHO:
        with servers.echo(folder) as server:
            yield server, partial(echo_offer, server.url)
    elif plan.url:
        async with Sessions(plan.url) as sessions:
            yield Server(plan.url, None), sessions.offer
    else:
        with servers.lacquer(folder, plan.workers, LACQUER_WORKER_CAPACITY=str(max(4, case.streams))) as server:
            async with Sessions(server.url) as sessions:
                yield server, sessions.offer


async def _ticking(job: Any, seconds: float, tick: Ticker) -> Any:
    """The job's result; meanwhile the bar moves."""
    task = asyncio.ensure_future(job)
    loop = asyncio.get_running_loop()
    began = loop.time()
    while not task.done():
        await asyncio.wait([task], timeout=TICK_SECONDS)
        tick(min(round(loop.time() - began), round(seconds)), round(seconds))
    return task.result()
