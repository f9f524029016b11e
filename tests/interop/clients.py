"""Other people's WebRTC as processes of their own: what they say is read line by line."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

HERE = Path(__file__).parent
PATIENCE = 30.0
"""Seconds on a busy machine; a second is usual."""


class Client:
    """A running client; it ends with the block."""

    def __init__(self, command: Sequence[str], role: str, url: str, codec: str, token: str = "") -> None:
        self.said: list[dict[str, Any]] = []
        self._name = f"{Path(command[-1]).name} {role} {codec}"
        self._process = subprocess.Popen(
            [*command, role, url, codec, *([token] if token else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=HERE,
        )
        self._errors: list[str] = []
        self._readers = [threading.Thread(target=self._read), threading.Thread(target=self._read_errors)]

    def __enter__(self) -> Self:
        for reader in self._readers:
            reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for reader in self._readers:
            reader.join()
        for pipe in (self._process.stdout, self._process.stderr):
            assert pipe
            pipe.close()

    def of(self, kind: str) -> list[Any]:
        return [line[kind] for line in list(self.said) if kind in line]

    def until(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            told = [line for line in self.said if "frame" not in line]
            assert time.monotonic() < deadline, (self._name, told, len(self.of("frame")), self._errors[-20:])
            time.sleep(0.02)

    def until_frames(self, count: int) -> None:
        self.until(lambda: len(self.of("frame")) >= count)

    def until_connected(self) -> None:
        self.until(lambda: "connected" in self.of("state"))

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            if line.startswith("{"):
                self.said.append(json.loads(line))

    def _read_errors(self) -> None:
        assert self._process.stderr
        self._errors.extend(self._process.stderr)
