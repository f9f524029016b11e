from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Lacquer:
    """A running server, asked as any program would."""

    url: str

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        data = json.dumps(body).encode() if body else None
        request = urllib.request.Request(
            f"{self.url}{path}", method=method, data=data, headers={"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            text = response.read()
        return json.loads(text) if text else None

    def create(self) -> Any:
        return self.call("POST", "/api/try-on/sessions/", {"mode": "explore", "post_id": 1})

    def end(self, created: dict[str, Any]) -> None:
        self.call("DELETE", f"/api/try-on/sessions/{created['session_id']}/")


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lacquer]:
    folder = tmp_path_factory.mktemp("interop")
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.interop.server", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=ROOT,
        )
    assert process.stdin and process.stdout
    try:
        lines = iter(process.stdout.readline, "")
        yield Lacquer(next(line.split()[0] for line in lines if line.startswith("http")))
    finally:
        process.stdin.close()
        process.wait(20)
        process.stdout.close()
