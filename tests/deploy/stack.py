"""Every service of compose.yaml that Debian has a package of, started as the file says, on free ports of loopback.

`commands.py` knows how; health checks are those of compose.yaml, too. Once all is up, `Stack` tells where.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import typer
import typer.core
import typer.main

from signaling import cli
from tests.deploy.commands import (
    COMMANDS,
    clean_environment,
    free_port,
    initialise_postgres,
    lacquer,
    postgres_binaries,
)
from tests.deploy.files import EXAMPLE, compose

START_SECONDS = 40.0
STOP_SECONDS = 20.0
SERVICES = (
    "redis",
    "postgres",
    "signaling-1",
    "signaling-2",
    "worker-1",
    "caddy",
    "prometheus",
    "node-exporter",
    "coturn",
)
PROGRAMS = {
    "redis-server": "redis-server",
    "caddy": "caddy",
    "prometheus": "prometheus",
    "prometheus-node-exporter": "prometheus-node-exporter",
    "turnserver": "coturn",
}
"""Program → its Debian package."""


def missing() -> list[str]:
    """Debian packages that are not installed."""
    packages = [package for program, package in PROGRAMS.items() if shutil.which(program) is None]
    return [*packages, *([] if postgres_binaries() else ["postgresql"])]


@dataclass
class Stack:
    """The running services. `folder` holds what they write, `log-SERVICE` among it."""

    folder: Path
    ports: dict[str, int]
    services: dict[str, Any] = field(default_factory=lambda: compose(EXAMPLE)["services"])
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def site(self) -> str:
        return f"https://localhost:{self.ports['caddy']}"

    def url(self, service: str) -> str:
        return f"http://127.0.0.1:{self.ports[service]}"

    def log(self, service: str) -> str:
        return (self.folder / f"log-{service}").read_text(errors="replace")

    def trust(self) -> ssl.SSLContext:
        """Trusts the authority that Caddy made for itself, and nobody else."""
        root = self.folder / "caddy" / "caddy" / "pki" / "authorities" / "local" / "root.crt"
        return ssl.create_default_context(cafile=str(root))

    def start(self, service: str) -> None:
        command, environment = COMMANDS[service](self)
        with (self.folder / f"log-{service}").open("ab") as output:
            self.processes[service] = subprocess.Popen(
                command,
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                cwd=self.folder,
                env={**clean_environment(), **environment},
            )

    def tell_to_stop(self, service: str) -> None:
        """SIGINT is PostgreSQL's fast shutdown."""
        self.processes[service].send_signal(signal.SIGINT if service == "postgres" else signal.SIGTERM)

    def stop(self, service: str) -> None:
        """Told or not yet; killed where it does not leave, which fails the test."""
        self.tell_to_stop(service)
        process = self.processes.pop(service)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise

    def wait(self, service: str) -> None:
        """Until its health check of compose.yaml, or of its image, passes."""
        deadline = time.monotonic() + START_SECONDS
        while not self._healthy(service):
            alive = self.processes[service].poll() is None
            assert alive and time.monotonic() < deadline, f"{service} did not come up:\n{self.log(service)[-3000:]}"
            time.sleep(0.1)

    def _healthy(self, service: str) -> bool:
        check = self.services[service].get("healthcheck")
        if check is None:  # in the image, and a request of Python's
            path = "health" if service.startswith("worker") else "healthz"
            return _answers(f"{self.url(service)}/{path}")
        kind, *words = check["test"]
        text = " ".join(words)
        if "wget" in text:  # from BusyBox in the image, so not on Debian
            port = self.ports["caddy-admin" if service == "caddy" else service]
            return _answers(re.sub(r"127\.0\.0\.1:\d+", f"127.0.0.1:{port}", words[-1]))
        words = [word.replace("3478", str(self.ports["coturn"])) for word in words]
        if words[0] == "pg_isready":
            words[1:1] = ["-p", str(self.ports["postgres"])]
        environment = {**os.environ, **self.services[service].get("environment", {})}
        if kind == "CMD-SHELL":
            words = ["sh", "-c", text.replace("redis-cli", f"redis-cli -p {self.ports['redis']}")]
        done = subprocess.run(words, env=environment, capture_output=True, check=False, timeout=10)
        return done.returncode == 0


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def _has_migrations() -> bool:
    """Whether Lacquer has the command of the service `migrate`. Without it, the first replica makes the tables."""
    command = typer.main.get_command(cli.app)
    return isinstance(command, typer.core.TyperGroup) and "db" in command.commands


def _migrate(stack: Stack) -> None:
    """The service `migrate`."""
    command, environment = lacquer(stack, "migrate", "signaling")
    variables = {**clean_environment(), **environment}
    done = subprocess.run(command, env=variables, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr.decode()


@contextlib.contextmanager
def running() -> Iterator[Stack]:
    """All of it, up and healthy. Slow ones first, and together; in the order that depends_on asks for."""
    names = [*SERVICES, "caddy-admin"]
    ports = {name: free_port(socket.SOCK_DGRAM if name == "coturn" else socket.SOCK_STREAM) for name in names}
    # Not pytest's own folder, which only root may enter: PostgreSQL runs as another user.
    folder = Path(tempfile.mkdtemp(prefix="lacquer-deploy-"))
    folder.chmod(0o755)
    stack = Stack(folder, ports)
    try:
        for service in ("redis", "worker-1", "coturn", "node-exporter", "prometheus"):
            stack.start(service)
        initialise_postgres(stack)
        stack.start("postgres")
        stack.wait("postgres")
        if _has_migrations():
            _migrate(stack)
        for service in ("signaling-1", "signaling-2", "caddy"):
            stack.start(service)
            if service != "signaling-1" or not _has_migrations():
                stack.wait(service)
        for service in stack.processes:
            stack.wait(service)
        yield stack
    finally:
        first = [name for name in stack.processes if name not in ("redis", "postgres")]
        for service in first:
            stack.tell_to_stop(service)
        for service in [*first, *(stack.processes.keys() - set(first))]:
            stack.stop(service)
        shutil.rmtree(folder, ignore_errors=True)
