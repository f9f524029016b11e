"""One session on this worker: its settings, its statistics, its newest picture, and whoever is connected to it.

The vision engine, which is what costs memory and threads, lives only while somebody is connected. The rest is small
and stays until signaling ends the session, so a client that reconnects finds its design and its counters.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
import structlog

from media_worker import engine, images
from media_worker.engine import Engine
from media_worker.measures import PAINTED, STREAMS
from media_worker.pipeline import Pipeline, Processed
from media_worker.shelf import Shelf
from media_worker.stats import StreamStatistics
from media_worker.viewers import Viewers
from media_worker.vision import patience
from media_worker.wardrobe import Wardrobe
from protocol import limits, wishes
from protocol.errors import LacquerError, NoFrameYet, NotFound, Replaced, SessionEnded
from protocol.internal import FrameInfo, SessionReport, SessionSpec
from protocol.messages import Config, ErrorMessage, ImageFormat, Message, SessionEvent

log = structlog.get_logger(__name__)
T = TypeVar("T")


class Connection(Protocol):
    """A peer or a socket, as its session sees it."""

    id: str
    kind: str
    """`peer` or `socket`: a new connection takes the place of an older one of its kind."""

    def tell(self, message: Message) -> None: ...
    async def close(self, error: LacquerError | None) -> None: ...


@dataclass(slots=True)
class Picture:
    """The newest processed frame: all about it is made on demand, because captures are rare and frames are not."""

    processed: Processed
    width: int
    height: int
    to_rgb: Callable[[], np.ndarray]

    @property
    def info(self) -> FrameInfo:
        nails, confidence = len(self.processed.nails), round(self.processed.confidence, 3)
        return FrameInfo(width=self.width, height=self.height, nails=nails, confidence=confidence)


class Session:
    def __init__(self, spec: SessionSpec, model_path: Path, shelf: Shelf) -> None:
        """Raises CatalogueUnknown, UnknownDesign, BadRequest."""
        self.spec = spec
        self.settings = spec.settings
        self.statistics = StreamStatistics()
        self.viewers = Viewers()
        self._over: LacquerError | None = None
        """Why nothing more happens to this session here, once that is so."""
        self._model_path = model_path
        self._wardrobe = Wardrobe(spec, shelf)
        self._engine: Engine | None = None
        self._connections: list[Connection] = []
        self._picture: Picture | None = None
        self._warned = False

    @property
    def id(self) -> str:
        return self.spec.session_id

    @property
    def connections(self) -> int:
        return len(self._connections)

    # --- settings --------------------------------------------------------------------------------------------------
    def refresh(self, spec: SessionSpec) -> None:
        """Signaling says it again: the expiry may have moved, the settings held here are newer."""
        extended = spec.expires_at > self.spec.expires_at
        self.spec = spec
        if extended:
            self._warned = False
            self.tell(SessionEvent(event="extended", expires_at=spec.expires_at))

    def choose(self, change: Config) -> None:
        """Changes the fields that `change` names; `dress` makes it seen.

        Raises UnknownDesign, UnknownNail, and then nothing is changed.
        """
        settings = wishes.changed(self.settings, change)
        self._wardrobe.check(change, settings)
        self.settings = settings

    async def dress(self) -> None:
        """Returns when the next frame wears the settings as they are by then. Raises VisionFailed."""
        if self._engine:
            await self._engine.run(self._dress, keep=True)

    def _dress(self, pipeline: Pipeline) -> None:
        """Runs in the engine's thread, because the pictures of nails are decoded."""
        pipeline.look = self._wardrobe.look(self.settings)
        pipeline.compare = self.settings.compare

    def _build(self) -> Pipeline:
        pipeline = Pipeline(self._model_path, self._wardrobe.look(self.settings), live=True)
        pipeline.compare = self.settings.compare
        return pipeline

    # --- connections -----------------------------------------------------------------------------------------------
    async def attach(self, connection: Connection) -> None:
        """Takes a connection in. An older one of its kind is closed with `replaced`.

        Raises SessionEnded, or WorkerUnavailable where it goes on elsewhere.
        """
        if self._over:
            raise self._over
        replaced = [other for other in self._connections if other.kind == connection.kind]
        self._connections.append(connection)
        STREAMS.labels(connection.kind).inc()
        if self._engine is None:
            self._engine = Engine(self._build)
        try:
            for other in replaced:
                await other.close(Replaced())
        except BaseException:  # the new one was cancelled while it waited: it must not hold a slot for nobody
            await self.detach(connection)
            raise

    async def detach(self, connection: Connection) -> None:
        """Lets a connection go; the last one takes the engine with it. Idempotent."""
        if connection in self._connections:
            self._connections.remove(connection)
            STREAMS.labels(connection.kind).dec()
        if not self._connections and self._engine:
            engine, self._engine = self._engine, None
            await engine.close()

    def connection(self, connection_id: str) -> Connection:
        """Raises NotFound when it is gone."""
        for connection in self._connections:
            if connection.id == connection_id:
                return connection
        raise NotFound("this connection is gone")

    def tell(self, message: Message) -> None:
        """Says it on every connection."""
        for connection in self._connections:
            connection.tell(message)

    def notice(self, trouble: LacquerError) -> None:
        """People are told why nails are bare where that lasts, once each time; a frame or two are nothing to tell."""
        if isinstance(trouble, (engine.Hung, patience.Hung)):
            self.tell(ErrorMessage.of(trouble))

    # --- frames ----------------------------------------------------------------------------------------------------
    async def run(self, job: Callable[[Pipeline], T]) -> T:
        """Runs `job` on the pipeline, in its thread. Raises SessionEnded when nobody is connected any more."""
        if self._engine is None:
            raise SessionEnded
        return await self._engine.run(job)

    def keep(self, processed: Processed, width: int, height: int, to_rgb: Callable[[], np.ndarray]) -> None:
        """Remembers the newest processed frame for captures and results."""
        if processed.nails:
            PAINTED.inc()
        self._picture = Picture(processed, width, height, to_rgb)

    async def capture(self, image_format: ImageFormat) -> tuple[bytes, FrameInfo]:
        """The newest processed frame at full resolution. Raises NoFrameYet."""
        picture = self._picture
        if picture is None:
            raise NoFrameYet("no frame has been processed in this session yet")
        return await asyncio.to_thread(lambda: images.encode(picture.to_rgb(), image_format)), picture.info

    # --- end -------------------------------------------------------------------------------------------------------
    def check_expiry(self, now: float | None = None) -> bool:
        """Warns once, a minute before the end. Whether the session is over."""
        left = self.spec.expires_at - (time.time() if now is None else now)
        if left <= limits.EXPIRY_WARNING and not self._warned:
            self._warned = True
            self.tell(SessionEvent(event="expiring", expires_at=self.spec.expires_at))
        return left <= 0

    async def end(self, reason: str) -> SessionReport:
        """Tells everybody, closes every connection with 4410 and frees all. Idempotent."""
        if not self._over:
            self.tell(SessionEvent(event="ended", expires_at=self.spec.expires_at, reason=reason))
            await self.leave(SessionEnded(f"the session is over: {reason}"))
        return self.report()

    async def leave(self, reason: LacquerError) -> None:
        """Closes every connection and frees all: nothing more happens to the session on this worker."""
        self._over = reason
        await asyncio.gather(
            *(connection.close(reason) for connection in self._connections), self.viewers.close(reason)
        )
        self._picture = None

    def report(self) -> SessionReport:
        return SessionReport(
            session_id=self.id,
            connections=len(self._connections),
            viewers=len(self.viewers),
            settings=self.settings,
            statistics=self.statistics.snapshot(),
            nails=self._picture.info.nails if self._picture else None,
            confidence=self._picture.info.confidence if self._picture else None,
        )
