"""Stand-ins at the worker's two edges: vision without a model, and a transport without a network."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from media_worker.pipeline import Pipeline, Processed
from media_worker.polish.looks import Look
from media_worker.session import Session
from media_worker.shelf import Shelf
from media_worker.udp_ports import UdpPorts
from media_worker.vision.schedule import Retreat
from protocol import framing
from protocol.errors import VisionFailed
from protocol.internal import SessionSpec

NO_MODEL = Path("no-model-needed")


class FakePipeline(Pipeline):
    """Marks the first pixel of every frame instead of painting nails; can be slow, or fail."""

    built = 0
    closed = 0
    delay = 0.0
    failing = False

    trouble: VisionFailed | None = None

    def __init__(self, model_path: Path, look: Look, *, live: bool = False) -> None:
        type(self).built += 1
        self.hurried: list[bool] = []
        self.retreats: list[Retreat] = []
        self.look = look
        self.compare: float | None = None

    def process_rgb(self, rgb: np.ndarray, timestamp_ms: int) -> Processed:
        return self._process(rgb)

    def process_i420(self, i420: np.ndarray, timestamp_ms: int, *, hurry: bool = False) -> Processed:
        self.hurried.append(hurry)
        return self._process(i420)

    def retreat(self, to: Retreat) -> None:
        self.retreats.append(to)

    def _process(self, image: np.ndarray) -> Processed:
        time.sleep(self.delay)
        if self.failing:
            raise RuntimeError("the model is broken")
        image.flat[0] = 255
        return Processed(image, nails=[], hands=0, stages={"vision": 1.0, "render": 0.1}, trouble=self.trouble)

    def close(self) -> None:
        type(self).closed += 1


class FakeTransport:
    """Keeps what was sent. `hold` makes it a peer that does not read."""

    def __init__(self, max_message_size: int = 1 << 20) -> None:
        self.max_message_size = max_message_size
        self.sent: list[str | bytes] = []
        self.hold = asyncio.Event()
        self.hold.set()
        self.broken = False

    async def send(self, data: str | bytes) -> None:
        if self.broken:
            raise ConnectionError
        await self.hold.wait()
        self.sent.append(data)

    def texts(self, kind: str) -> list[dict[str, Any]]:
        messages = [json.loads(data) for data in self.sent if isinstance(data, str)]
        return [message for message in messages if message["type"] == kind]

    def binaries(self) -> list[tuple[dict[str, Any], bytes]]:
        return [framing.unpack(data) for data in self.sent if isinstance(data, bytes)]

    async def until(self, count: int, kind: str | None = None) -> None:
        """Waits until `count` messages of a text `kind`, or binary ones, were sent."""
        async with asyncio.timeout(5):
            while len(self.texts(kind) if kind else self.binaries()) < count:
                await asyncio.sleep(0.005)


class FakeConnection:
    """Somebody who is connected, so that the session keeps its engine."""

    def __init__(self, kind: str = "socket", name: str = "fake") -> None:
        self.kind, self.id = kind, name
        self.closed_with: list[object] = []
        self.told: list[Any] = []

    def tell(self, message: Any) -> None:
        self.told.append(message)

    async def close(self, error: object) -> None:
        self.closed_with.append(error)


def session(design_id: int | None = 1, shelf: Shelf | None = None, **changes: Any) -> Session:
    spec = SessionSpec(session_id="s-1", design_id=design_id, expires_at=time.time() + 600)
    return Session(spec.model_copy(update=changes), NO_MODEL, shelf or Shelf())


def free_ports(count: int, address: str) -> UdpPorts:
    """So many in a row that nobody has at the moment, below those that the system gives away by itself."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for first in range(20_000, 32_000, count):
        with ExitStack() as stack:
            try:
                for port in range(first, first + count):
                    stack.enter_context(socket.socket(family, socket.SOCK_DGRAM)).bind((address, port))
            except OSError:
                continue
            return UdpPorts(first, first + count - 1)
    raise AssertionError("no free ports")
