"""A real redis-server, in a folder of its own, that tests stop, pause and start again."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

import redis

START_SECONDS = 10.0
STOP_SECONDS = 5.0
HURRIED = 0.3
"""Seconds that a call of Redis may take in tests that wait for it to fail (fixture `hurried`)."""


def free_port() -> int:
    """One of loopback that nobody listens at now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def answers(port: int) -> bool:
    try:
        with redis.Redis(port=port, socket_timeout=2) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


class RedisServer:
    """Listens on a free port of loopback and on a socket; nothing outlives it, for it writes no file."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._arguments = arguments
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    @property
    def socket_url(self) -> str:
        return f"unix://{self.folder / 'redis.sock'}"

    def start(self) -> None:
        """Returns when it answers. It has forgotten all."""
        binary = shutil.which("redis-server")
        assert binary, "redis-server is missing; run `make test`, which installs it"
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        options += ["--dir", str(self.folder), "--unixsocket", str(self.folder / "redis.sock"), *self._arguments]
        with (self.folder / "redis.log").open("ab") as output:
            self._process = subprocess.Popen([binary, *options], stdout=output, stderr=output)
        deadline = time.monotonic() + START_SECONDS
        while not answers(self.port):
            assert self._process.poll() is None, (self.folder / "redis.log").read_text()
            assert time.monotonic() < deadline, (self.folder / "redis.log").read_text()
            time.sleep(0.02)

    def command(self, *words: str | int) -> object:
        with redis.Redis(port=self.port, socket_timeout=2) as client:
            return client.execute_command(*words)

    def pause(self) -> None:
        """Takes connections and answers nothing."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.kill()
        self._process.wait(STOP_SECONDS)
        self._process = None
