"""How many streams a machine holds: one light client after the other, until one more is too many."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from media_worker.bench import machine, servers
from media_worker.bench.camera import FPS
from media_worker.bench.errors import BenchError
from media_worker.bench.results import Latency

P95_MS = 200.0
"""A stream is held while 95 % of its frames come back within this time…"""

FPS_SHARE = 0.95
"""… and it gets this share of 30 frames a second."""

WORKER_CAPACITY = "64"

Ticker = Callable[[int, int], None]


@dataclass(frozen=True)
class Plan:
    codec: str
    up_to: int
    seconds: float
    warm_up: float
    camera: Path | None = None
    workers: int | None = None


@dataclass(frozen=True)
class Level:
    """What was measured with so many streams at once."""

    streams: int
    fps: float
    """Of the slowest stream."""
    latency: Latency | None
    """Of all streams' round trips."""
    cpu_ms: float
    """Of the server, a frame that came back."""
    server_cores: float
    """Cores that the server kept busy."""
    client_cores: float
    memory_mb: float

    @property
    def holds(self) -> bool:
        return self.latency is not None and self.latency.p95 < P95_MS and self.fps >= FPS_SHARE * FPS

    @classmethod
    def of(cls, found: dict[str, Any], cpu_seconds: float, memory_mb: float) -> Level:
        seconds = found["seconds"]
        each = [stream["round_trips_ms"] for stream in found["streams"]]
        frames = sum(map(len, each))
        return cls(
            streams=len(each),
            fps=min(map(len, each)) / seconds,
            latency=Latency.of([value for values in each for value in values]),
            cpu_ms=cpu_seconds * 1000 / max(frames, 1),
            server_cores=cpu_seconds / seconds,
            client_cores=found["cpu_seconds"] / seconds,
            memory_mb=memory_mb,
        )

    def as_dict(self) -> dict[str, Any]:
        return {
            "streams": self.streams,
            "holds": self.holds,
            "fps_slowest": round(self.fps, 1),
            "round_trip_ms": self.latency.as_dict() if self.latency else None,
            "server_cpu_ms_per_frame": round(self.cpu_ms, 2),
            "server_cores": round(self.server_cores, 2),
            "client_cores": round(self.client_cores, 2),
            "server_memory_mb": round(self.memory_mb),
        }


@dataclass(frozen=True)
class Capacity:
    machine: dict[str, Any]
    codec: str
    levels: list[Level]
    workers: int = 1

    @property
    def held(self) -> int:
        """Streams that this machine held, with the clients on it."""
        return max((level.streams for level in self.levels if level.holds), default=0)

    @property
    def by_server_alone(self) -> float | None:
        """Streams that the server's processor time alone leaves room for, if clients were elsewhere: a computed figure,
        not a measured one. None where nothing was held."""
        level = next((level for level in reversed(self.levels) if level.holds), None)
        return self.machine["cores"] * 1000 / (level.cpu_ms * FPS) if level else None

    @property
    def memory_a_stream(self) -> float | None:
        """MB that each further stream took, once every worker had its first one, and with it networks and libraries."""
        first, last = self.levels[min(self.workers, len(self.levels)) - 1], self.levels[-1]
        return (last.memory_mb - first.memory_mb) / (last.streams - first.streams) if last is not first else None

    @property
    def growth(self) -> float | None:
        """By what share a frame takes more of the server's processor time with all streams held than with one."""
        return self.levels[self.held - 1].cpu_ms / self.levels[0].cpu_ms - 1 if self.held > 1 else None

    def as_dict(self) -> dict[str, Any]:
        alone, memory = self.by_server_alone, self.memory_a_stream
        return {
            "machine": self.machine,
            "codec": self.codec,
            "workers": self.workers,
            "streams_held_clients_on_the_same_machine": self.held,
            "streams_by_server_cpu_alone_computed": None if alone is None else round(alone, 1),
            "memory_mb_a_further_stream": None if memory is None else round(memory, 1),
            "cpu_growth_from_one_to_all_held": None if self.growth is None else round(self.growth, 3),
            "levels": [level.as_dict() for level in self.levels],
        }


def measure(plan: Plan, tick: Ticker) -> Capacity:
    """Adds streams until one more is too many, or `up_to` are reached. Raises BenchError."""
    described = machine.describe()
    levels: list[Level] = []
    with (
        tempfile.TemporaryDirectory(prefix="lacquer-bench-") as folder,
        servers.lacquer(Path(folder), plan.workers, LACQUER_WORKER_CAPACITY=WORKER_CAPACITY) as server,
        _clients(server.url, plan) as ask,
    ):
        while len(levels) < plan.up_to and (not levels or levels[-1].holds):
            ask({"do": "add"})
            ask({"do": "measure", "seconds": plan.warm_up})
            levels.append(_level(server, ask, plan.seconds))
            tick(len(levels), plan.up_to)
        workers = server.workers()
    return Capacity(described, plan.codec, levels, workers)


Ask = Callable[[dict[str, Any]], dict[str, Any]]


def _level(server: servers.Server, ask: Ask, seconds: float) -> Level:
    before = server.cpu_seconds() or 0.0
    found = ask({"do": "measure", "seconds": seconds})
    return Level.of(found, (server.cpu_seconds() or 0.0) - before, server.memory_mb() or 0.0)


@contextmanager
def _clients(url: str, plan: Plan) -> Iterator[Ask]:
    """The clients' process; the function asks it to do something and returns its answer. Raises BenchError."""
    arguments = [url, plan.codec, *([str(plan.camera)] if plan.camera else [])]
    process = subprocess.Popen(
        [sys.executable, "-m", "media_worker.bench.clients", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None
    stdin, stdout = process.stdin, process.stdout

    def ask(command: dict[str, Any]) -> dict[str, Any]:
        stdin.write(json.dumps(command) + "\n")
        stdin.flush()
        line = stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {"error": "the clients' process died"}
        if "error" in answer:
            raise BenchError(answer["error"])
        return answer

    try:
        yield ask
    finally:
        stdin.close()
        process.wait(servers.STOP_SECONDS)
        stdout.close()


HEADINGS = ("streams", "fps", "p50 ms", "p95 ms", "CPU ms", "server", "clients", "MB", "")


def as_text(found: Capacity) -> str:
    """A table, and what it means."""
    alone, memory = found.by_server_alone, found.memory_a_stream
    return "\n".join(
        [
            machine.as_line(found.machine),
            f"\n{found.codec}, workers: {found.workers}",
            "fps of the slowest stream, round trips, server CPU a frame, busy cores, server memory",
            "".join(f"{heading:>9}" for heading in HEADINGS),
            *map(_row, found.levels),
            f"\nheld, with the clients on this machine:       {found.held}",
            f"by server CPU alone (computed, not measured): {_text(alone, 1)}",
            f"memory a further stream, MB:                  {_text(memory, 0)}",
            f"CPU a frame, growth from one stream to these: {'–' if found.growth is None else f'{found.growth:+.0%}'}",
        ]
    )


def _row(level: Level) -> str:
    p50, p95 = (level.latency.p50, level.latency.p95) if level.latency else (None, None)
    cells = [
        *(f"{level.streams}", f"{level.fps:.1f}"),
        *(_text(p50, 0), _text(p95, 0)),
        *(f"{level.cpu_ms:.1f}", f"{level.server_cores:.2f}", f"{level.client_cores:.2f}", f"{level.memory_mb:.0f}"),
    ]
    return "".join(f"{cell:>9}" for cell in cells) + ("  held" if level.holds else "  too many")


def _text(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
