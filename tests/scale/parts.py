"""The parts as an operator runs them, each a process of its own, joined by a real Redis."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.redis_server import RedisServer
from tests.serving import UNLIMITED

START_SECONDS = 60.0
STOP_SECONDS = 40.0
DRAIN_SECONDS = 10
SECRET = {"LACQUER_WORKER_SECRET": "between-us", "SECRET_KEY": "a key for tests that is long enough for HS256"}


@dataclass
class Part:
    url: str
    process: subprocess.Popen[bytes]

    def terminate(self) -> float:
        """SIGTERM; the seconds until it was gone."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(STOP_SECONDS) == 0
        return time.monotonic() - began

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(STOP_SECONDS)


@dataclass
class Parts:
    """Two signaling processes, and workers that come and go."""

    folder: Path
    redis: RedisServer
    started: list[Part] = field(default_factory=list)
    signaling: list[Part] = field(default_factory=list)

    def worker(self) -> Part:
        return self._start(
            "worker", r"listens at (http://\S+)", LACQUER_WORKER_PORT="0", LACQUER_WORKER_HOST="127.0.0.1"
        )

    def signaling_process(self, **environment: str) -> Part:
        where = {"LACQUER_PORT": "0", "LACQUER_HOST": "127.0.0.1"}
        return self._start("signaling", r"ready: (http://\S+)", **where, **environment)

    def kill(self) -> None:
        for part in self.started:
            part.process.kill()
            part.process.wait(STOP_SECONDS)

    def _start(self, command: str, says: str, **environment: str) -> Part:
        log = self.folder / f"{command}-{time.monotonic_ns()}.log"
        ours = {
            **SECRET,
            **UNLIMITED,
            "REDIS_URL": self.redis.url,
            "LACQUER_DATA_DIR": str(self.folder / "data"),
            "LACQUER_WORKER_CAPACITY": "64",
            "LACQUER_DRAIN_SECONDS": str(DRAIN_SECONDS),
        }
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "signaling.cli", command],
                stdout=output,
                stderr=output,
                env={**os.environ, **ours, **environment},
            )
        part = Part("", process)
        self.started.append(part)
        deadline = time.monotonic() + START_SECONDS
        while not (found := re.search(says, log.read_text())):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        part.url = found[1]
        return part

    def logs(self) -> str:
        return "\n".join(f"--- {log.name}\n{log.read_text()[-3000:]}" for log in sorted(self.folder.glob("*.log")))


@contextmanager
def running(folder: Path) -> Iterator[tuple[Parts, list[Part]]]:
    """Redis, two signaling processes and two workers, ready; and the workers."""
    with RedisServer(folder) as redis:
        parts = Parts(folder, redis)
        try:
            with ThreadPoolExecutor() as pool:
                workers = [pool.submit(parts.worker) for _ in range(2)]
                parts.signaling = [pool.submit(parts.signaling_process).result()]  # it makes the tables
                parts.signaling.append(pool.submit(parts.signaling_process).result())
                ready = [worker.result() for worker in workers]
            yield parts, ready
        finally:
            parts.kill()
