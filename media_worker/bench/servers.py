"""Servers under test, as processes of their own: `lacquer serve`, and a stock echo to compare with."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from media_worker.bench.errors import BenchError

START_SECONDS = 60.0
STOP_SECONDS = 20.0


@dataclass(frozen=True)
class Server:
    url: str
    process: psutil.Process | None
    """None for a server that runs elsewhere: its processor time is then unknown."""

    def cpu_seconds(self) -> float | None:
        """Processor time that the server took so far, its children included."""
        if self.process is None:
            return None
        times = [process.cpu_times() for process in self._family(self.process)]
        return float(sum(each.user + each.system for each in times))

    def memory_mb(self) -> float | None:
        """Resident memory, its children included, in MiB."""
        if self.process is None:
            return None
        return float(sum(process.memory_info().rss for process in self._family(self.process))) / 2**20

    def workers(self) -> int:
        """Its child processes; at least 1."""
        return max(len(self.process.children()) if self.process else 0, 1)

    @staticmethod
    def _family(process: psutil.Process) -> list[psutil.Process]:
        return [process, *process.children(recursive=True)]


@contextmanager
def lacquer(folder: Path, workers: int | None, **environment: str) -> Iterator[Server]:
    """`lacquer serve` on a free port of loopback, with its data in `folder`. Raises BenchError."""
    arguments = ["signaling.cli", "serve", "--port", "0", "--host", "127.0.0.1"]
    arguments += ["--workers", str(workers)] if workers else []
    with _running(arguments, folder / "serve.log", LACQUER_DATA_DIR=str(folder / "data"), **environment) as server:
        yield server


@contextmanager
def echo(folder: Path) -> Iterator[Server]:
    """The stock echo (`echo.py`) on a free port of loopback. Raises BenchError."""
    with _running(["media_worker.bench.echo"], folder / "echo.log") as server:
        yield server


@contextmanager
def _running(arguments: list[str], log: Path, **environment: str) -> Iterator[Server]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments], stdout=output, stderr=output, env={**os.environ, **environment}
        )
    try:
        yield Server(_address(process, log), psutil.Process(process.pid))
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    """The address that a server prints once it is ready."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if found := re.search(r"ready: (http://\S+)", log.read_text("utf-8", "replace")):
            return found[1]
        time.sleep(0.05)
    last = log.read_text("utf-8", "replace").strip().splitlines()[-3:]
    raise BenchError("the server did not come up; its last words: " + " | ".join(last))
