"""A real PostgreSQL, Debian's, in a temporary folder: its server refuses root, so as root it runs as somebody else."""

from __future__ import annotations

import asyncio
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import asyncpg
import psutil

START_SECONDS = 20.0
STOP_SECONDS = 20.0


def binaries() -> Path | None:
    """The newest version that is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


class Postgres:
    """One server, on a port of its own that it keeps over restarts."""

    def __init__(self) -> None:
        found = binaries()
        assert found is not None, "PostgreSQL is missing; run `make test`, which installs it"
        self._bin = found
        self._folder = Path(tempfile.mkdtemp(prefix="lacquer-postgres-"))
        self._user = _user()
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._databases = itertools.count()
        if self._user:
            shutil.chown(self._folder, self._user)
        self._run("initdb", "-D", self._data, "-U", "lacquer", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    def _run(self, name: str, *arguments: str) -> None:
        command = [str(self._bin / name), *arguments]
        done = subprocess.run(command, user=self._user, cwd="/", capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def start(self) -> None:
        options = ["-c", "listen_addresses=127.0.0.1", "-c", f"port={self._port}"]
        options += ["-c", f"unix_socket_directories={self._folder}"]
        # It outlives its own crash so, with all that it has committed, but not one of the machine; and it starts fast.
        options += ["-c", "fsync=off", "-c", "full_page_writes=off"]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._bin / "postgres"), "-D", self._data, *options],
                user=self._user,
                cwd="/",
                stdout=log,
                stderr=log,
            )
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        ready = [str(self._bin / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self._port)]
        while subprocess.run(ready, check=False).returncode != 0:
            assert time.monotonic() < deadline, (self._folder / "log").read_text()
            time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT ends connections and saves all; SIGQUIT is as a crash: what was promised must be in the log."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(STOP_SECONDS)
        self._process = None

    def pause(self) -> None:
        """All of its processes stand still: connections stay, and nothing answers."""
        self._signal_all(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, number: signal.Signals) -> None:
        if self._process is not None:
            server = psutil.Process(self._process.pid)
            for process in (server, *server.children(recursive=True)):
                process.send_signal(number)

    def close(self) -> None:
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self._folder)

    def url(self, database: str) -> str:
        return f"postgresql+asyncpg://lacquer@127.0.0.1:{self._port}/{database}"

    async def create(self, template: str = "template0") -> str:
        """A new database's URL."""
        name = f"test{next(self._databases)}"
        await self._execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    async def drop(self, url: str) -> None:
        await self._execute(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(user="lacquer", host="127.0.0.1", port=self._port, database="postgres")
        try:
            async with asyncio.timeout(START_SECONDS):
                await connection.execute(statement)
        finally:
            await connection.close()


def _user() -> str | None:
    """Whom to become: nobody else, unless we are root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise AssertionError("there is no user `postgres` or `nobody` to run PostgreSQL as")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
