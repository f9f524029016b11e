"""How fast, how even and how safe sessions are placed by a real Redis: simulated workers and sessions, no media.

The workers speak as real ones do (`Registry.heartbeat`), the placers ask as signaling does (`Registry.place`). What
each worker holds is counted here as well, apart from what Redis believes: one session too many does not go unseen.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from media_worker.bench.errors import BenchError
from media_worker.evaluation.figures import Figure
from protocol.errors import RegistryUnavailable
from protocol.registry import DEAD_AFTER, HEARTBEAT_INTERVAL, USUAL, Heartbeat, Moment, Refusal, Registry, Timing

START_SECONDS = 10.0
STALE_SECONDS = 30.0
"""Dead workers' sessions must be nobody's by then, or the benchmark says that they are not."""

TOTAL_SECONDS = 600.0
"""For everything: a benchmark that hangs tells nothing."""

RUN = "bench"

SAME_AGAIN = 0.1
"""Share of the sessions that connect once more during churn, as a browser that lost its network does."""

Ticker = Callable[[int, int], None]


@dataclass(frozen=True)
class Plan:
    workers: int = 1000
    sessions: int = 50_000
    placers: int = 4
    failures: int = 50
    """Workers that are killed at once, without a word."""
    redis: str | None = None
    """None: one is started."""
    seed: int = 1
    timing: Timing = USUAL


@dataclass
class Worker:
    """A simulated one: what it really holds."""

    name: int
    capacity: int
    held: set[str] = field(default_factory=set)
    alive: bool = True
    moment: Moment = field(default_factory=Moment)
    most: int = 0
    """It ever held."""

    @property
    def url(self) -> str:
        return f"http://worker-{self.name}:8001"

    def take(self, session: str) -> None:
        self.held.add(session)
        self.most = max(self.most, len(self.held))

    def beat(self) -> Heartbeat:
        held = tuple(self.held)
        return Heartbeat(self.url, f"w{self.name}", RUN, self.capacity, len(held), "", "ok", held)


@dataclass(frozen=True)
class Measured:
    placements: int
    per_second: float
    p50_ms: float
    p99_ms: float
    imbalance: int
    """Slots between the most and the least loaded worker, at worst, while nothing failed."""
    over_capacity: int
    """Sessions that a worker was given beyond its slots, over the whole run."""
    refused: int
    """Placements that found no room, while more people came than there are slots."""
    killed: int
    replaced: int
    """Sessions of killed workers that found another place."""
    stale_seconds: float | None
    """From the killing until Redis named no killed worker as an owner; None where it still did at the end."""

    def as_dict(self) -> dict[str, Any]:
        return {name: round(value, 2) if isinstance(value, float) else value for name, value in vars(self).items()}

    def figures(self) -> list[Figure]:
        stale = self.stale_seconds if self.stale_seconds is not None else STALE_SECONDS
        return [
            Figure("placements a second", self.per_second, 0, at_least=2000),
            Figure("p50, ms", self.p50_ms, 2),
            Figure("p99, ms", self.p99_ms, 2, at_most=10),
            Figure("worst imbalance, slots", self.imbalance, 0, at_most=1),
            Figure("sessions over a worker's capacity", self.over_capacity, 0, at_most=0),
            Figure("turned away while all was full", self.refused, 0),
            Figure("sessions of killed workers placed anew", self.replaced, 0, note=f"{self.killed} workers killed"),
            Figure("until no stale owner was left, s", stale, 1, at_most=DEAD_AFTER + 2 * HEARTBEAT_INTERVAL),
        ]


class Bench:
    def __init__(self, plan: Plan, registry: Registry, ticker: Callable[[str], Ticker]) -> None:
        self._plan, self._registry, self._ticker = plan, registry, ticker
        self._rng = random.Random(plan.seed)
        capacity = -(-plan.sessions // plan.workers)
        self._workers = {worker.url: worker for worker in (Worker(n, capacity) for n in range(plan.workers))}
        self._where: dict[str, Worker] = {}
        self._took: list[float] = []
        self._refused = 0

    async def run(self) -> Measured:
        await self._speak_once(list(self._workers.values()))
        speaking = asyncio.create_task(self._keep_speaking())
        try:
            per_second, imbalance = await self._fill()
            await self._churn()
            await self._crowd()
            stale_seconds, killed, replaced = await self._fail()
        finally:
            speaking.cancel()
            await asyncio.gather(speaking, return_exceptions=True)
            for worker in self._workers.values():
                await self._registry.leave(worker.url, RUN)
        took = sorted(self._took)
        return Measured(
            placements=len(took),
            per_second=per_second,
            p50_ms=took[len(took) // 2] * 1000,
            p99_ms=took[int(len(took) * 0.99)] * 1000,
            imbalance=imbalance,
            over_capacity=sum(max(0, worker.most - worker.capacity) for worker in self._workers.values()),
            refused=self._refused,
            killed=killed,
            replaced=replaced,
            stale_seconds=stale_seconds,
        )

    # --- workers ----------------------------------------------------------------------------------------------------
    async def _speak_once(self, workers: list[Worker]) -> None:
        ticker = self._ticker("registering workers")
        for done, worker in enumerate(workers, 1):
            await self._speak(worker)
            ticker(done, len(workers))

    async def _keep_speaking(self) -> None:
        """Every worker thrice in the time after which it counts as dead, evenly spread."""
        workers = list(self._workers.values())
        pause = self._plan.timing.dead_after / 3 / len(workers)
        due = time.perf_counter()
        while True:
            for worker in workers:
                due += pause
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                if worker.alive:
                    await self._speak(worker)

    async def _speak(self, worker: Worker) -> None:
        beat = worker.beat()
        server_ms = await self._registry.heartbeat(beat, worker.moment.at(time.monotonic()))
        worker.moment.heard(server_ms, time.monotonic())

    # --- sessions ---------------------------------------------------------------------------------------------------
    async def _place(self, session: str, avoid: tuple[str, ...] = ()) -> Worker | None:
        began = time.perf_counter()
        placed = await self._registry.place(session, "", avoid)
        self._took.append(time.perf_counter() - began)
        if placed.url is None:
            self._refused += placed.refusal is Refusal.FULL
            return None
        worker = self._workers[placed.url]
        if worker.alive:
            worker.take(session)
            self._where[session] = worker
            await self._registry.accepted(session)
        return worker

    async def _leave(self, session: str) -> None:
        worker = self._where.pop(session)
        worker.held.discard(session)
        await self._registry.release(session, worker.url)

    async def _each(self, what: str, sessions: list[str], do: Callable[[str], Any]) -> None:
        """All placers at once, each with its share."""
        ticker, done = self._ticker(what), 0

        async def work(share: Iterator[str]) -> None:
            nonlocal done
            for session in share:
                await do(session)
                done += 1
                if done % 100 == 0:
                    ticker(done, len(sessions))

        share = iter(sessions)
        await asyncio.gather(*(work(share) for _ in range(self._plan.placers)))

    # --- what happens -----------------------------------------------------------------------------------------------
    async def _fill(self) -> tuple[float, int]:
        """Placements a second, and the worst imbalance."""
        worst, since_look = 0, 0

        async def place(session: str) -> None:
            nonlocal worst, since_look
            await self._place(session)
            since_look += 1
            if since_look >= 500:  # not each time: it would cost more than the placement
                since_look = 0
                worst = max(worst, self._imbalance())

        sessions = [f"session-{number}" for number in range(self._plan.sessions)]
        began = time.perf_counter()
        await self._each("placing sessions", sessions, place)
        return len(sessions) / (time.perf_counter() - began), max(worst, self._imbalance())

    def _imbalance(self) -> int:
        loads = [len(worker.held) for worker in self._workers.values()]
        return max(loads) - min(loads)

    async def _churn(self) -> None:
        """A fifth leaves, others come, some connect once more."""

        async def replace(session: str) -> None:
            await self._leave(session)
            await self._place(f"{session}-next")
            if self._rng.random() < SAME_AGAIN:
                await self._place(f"{session}-next")

        leaving = self._rng.sample(sorted(self._where), len(self._where) // 5)
        await self._each("churn", leaving, replace)

    async def _crowd(self) -> None:
        """More people than slots: everybody beyond is turned away."""
        slots = sum(worker.capacity for worker in self._workers.values())
        crowd = [f"crowd-{number}" for number in range(slots - len(self._where) + self._plan.workers)]
        await self._each("more people than slots", crowd, self._place)
        for session in crowd:
            if session in self._where:
                await self._leave(session)
        # Room for those who lose their worker.
        for session in self._rng.sample(sorted(self._where), len(self._where) // 5):
            await self._leave(session)

    async def _fail(self) -> tuple[float | None, int, int]:
        """(seconds until no killed worker is an owner, workers killed, sessions that found another place)"""
        plan = self._plan
        killed = self._rng.sample(list(self._workers.values()), min(plan.failures, plan.workers // 2))
        orphans = [session for worker in killed for session in worker.held]
        for worker in killed:
            worker.alive = False
        began = time.perf_counter()
        replaced = 0

        async def reconnect(session: str) -> None:
            """As signaling does: finds nobody at the address, says so, and asks for another worker."""
            nonlocal replaced
            tried: tuple[str, ...] = ()
            for _ in range(2):
                worker = await self._place(session, tried)
                if worker is None or worker.alive:
                    replaced += worker is not None
                    return
                await self._registry.release(session, worker.url)
                await self._registry.silent(worker.url)
                tried = (*tried, worker.url)

        # The clients of the others never come back: nobody finds those workers dead but Redis.
        missed = [session for worker in killed[: -(-len(killed) // 2)] for session in worker.held]
        await self._each("clients of killed workers", missed, reconnect)
        return (
            await self._until_nothing_is_stale(orphans, {worker.url for worker in killed}, began),
            len(killed),
            replaced,
        )

    async def _until_nothing_is_stale(self, orphans: list[str], dead: set[str], began: float) -> float | None:
        ticker, left = self._ticker("waiting for stale owners to go"), orphans
        while left and time.perf_counter() - began < STALE_SECONDS:
            left = [session for session in left if await self._registry.owner(session) in dead]
            ticker(len(orphans) - len(left), len(orphans))
            await asyncio.sleep(0.1)
        return None if left else time.perf_counter() - began


async def measure(plan: Plan, ticker: Callable[[str], Ticker]) -> Measured:
    """Raises BenchError."""
    try:
        async with asyncio.timeout(TOTAL_SECONDS), _server(plan) as url, Registry(url, plan.timing) as registry:
            if await registry.view():
                raise BenchError("workers are registered in this Redis: it is in use; give another one, or another db")
            return await Bench(plan, registry, ticker).run()
    except RegistryUnavailable as error:
        raise BenchError(f"Redis does not answer: {error.__cause__ or error}") from error
    except TimeoutError:
        raise BenchError(f"not done within {TOTAL_SECONDS:.0f} s") from None


@asynccontextmanager
async def _server(plan: Plan) -> AsyncIterator[str]:
    if plan.redis is not None:
        yield plan.redis
        return
    with tempfile.TemporaryDirectory(prefix="lacquer-bench-") as folder, _started(Path(folder)) as url:
        await _until_it_answers(url)
        yield url


@contextmanager
def _started(folder: Path) -> Iterator[str]:
    binary = shutil.which("redis-server")
    if binary is None:
        raise BenchError("there is no redis-server here; install it, or name one with --redis")
    socket = folder / "redis.sock"
    options = ["--port", "0", "--unixsocket", str(socket), "--save", "", "--appendonly", "no", "--dir", str(folder)]
    process = subprocess.Popen([binary, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield f"unix://{socket}"
    finally:
        process.kill()
        process.wait()


async def _until_it_answers(url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    async with Registry(url) as registry:
        while True:
            try:
                await registry.view()
                return
            except RegistryUnavailable as error:
                if time.monotonic() > deadline:
                    raise BenchError("the redis-server that was started does not answer") from error
                await asyncio.sleep(0.05)
