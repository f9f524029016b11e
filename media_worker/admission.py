"""Every session on this worker, and whether one more may stream."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import structlog

from media_worker.memory_left import MemoryWatch
from media_worker.session import Session
from media_worker.shelf import Shelf
from protocol.errors import AtCapacity, NotFound, Replaced, WorkerUnavailable
from protocol.internal import SessionReport, SessionSpec
from protocol.messages import Draining

log = structlog.get_logger(__name__)

SWEEP_INTERVAL = 5.0
IDLE_RETENTION = 120.0
"""Seconds that a session without a connection keeps its counters and newest picture here. Signaling has copied the
counters by then, and a person who took a photo has stored it."""


class Sessions:
    """The worker's sessions by id. A slot is held by every session with at least one connection."""

    def __init__(self, capacity: int, model_path: Path, shelf: Shelf, memory: MemoryWatch | None = None) -> None:
        self._places = capacity
        self._memory = memory or MemoryWatch()
        self.draining = False
        self._shelf = shelf
        self._model_path = model_path
        self._sessions: dict[str, Session] = {}
        self._idle_since: dict[str, float] = {}
        self._emptying: asyncio.Task[None] | None = None

    @property
    def capacity(self) -> int:
        """No more than are taken while memory is short."""
        return min(self._places, self.used) if self._memory.short else self._places

    @property
    def used(self) -> int:
        return sum(session.connections > 0 for session in self._sessions.values())

    def open(self, spec: SessionSpec) -> Session:
        """The session that `spec` describes, new or refreshed. Raises CatalogueUnknown, UnknownDesign, BadRequest."""
        self._shelf.check(spec.catalogue)
        session = self._sessions.get(spec.session_id)
        if session is None:
            session = self._sessions[spec.session_id] = Session(spec, self._model_path, self._shelf)
        else:
            session.refresh(spec)
        self._idle_since[spec.session_id] = time.monotonic()  # somebody is about to connect
        return session

    def __contains__(self, session_id: str) -> bool:
        return session_id in self._sessions

    def get(self, session_id: str) -> Session:
        """Raises NotFound."""
        try:
            return self._sessions[session_id]
        except KeyError:
            raise NotFound(f"session {session_id:.40} is not on this worker") from None

    def admit(self, session: Session) -> None:
        """Whether `session` may take one more connection. Raises AtCapacity, or WorkerUnavailable when draining."""
        if self.draining:
            raise _going_away()
        if session.connections:
            return
        if self._memory.short:
            raise AtCapacity("this worker has too little memory for one more stream")
        if self.used >= self.capacity:
            raise AtCapacity(f"all {self.capacity} places of this worker are taken")

    def admit_viewer(self) -> None:
        """Whether somebody may begin to watch here. Raises WorkerUnavailable when draining."""
        if self.draining:
            raise _going_away()

    def reports(self) -> list[SessionReport]:
        return [session.report() for session in self._sessions.values()]

    async def end(self, session_id: str, reason: str) -> SessionReport:
        """Ends and forgets a session. Raises NotFound."""
        session = self.get(session_id)
        self._forget(session)
        return await session.end(reason)

    async def leave(self, session_id: str) -> None:
        """Forgets a session that goes on at another worker; who is still connected to it here was replaced there.

        Raises NotFound.
        """
        session = self.get(session_id)
        self._forget(session)
        await session.leave(Replaced())

    def held(self) -> frozenset[str]:
        """Sessions with a connection."""
        return frozenset(session.id for session in self._sessions.values() if session.connections)

    def _forget(self, session: Session) -> None:
        del self._sessions[session.id]
        self._idle_since.pop(session.id, None)

    async def sweep(self) -> None:
        """Ends expired sessions and forgets idle ones, for ever; run it as a task."""
        while True:
            await asyncio.sleep(SWEEP_INTERVAL)
            over = self._over(time.monotonic())
            for session, _ in over:
                self._forget(session)  # before anything is awaited: signaling may end it in the same moment
            await asyncio.gather(*(session.end(reason) for session, reason in over))

    def _over(self, now: float) -> list[tuple[Session, str]]:
        """Every session whose time here is over, and why; warns those whose time comes soon."""
        over: list[tuple[Session, str]] = []
        for session in self._sessions.values():
            if session.connections:
                self._idle_since.pop(session.id, None)
            elif now - self._idle_since.setdefault(session.id, now) > IDLE_RETENTION:
                over.append((session, "idle"))
                continue
            if session.check_expiry():
                over.append((session, "expired"))
        return over

    async def drain(self, within: float) -> None:
        """Takes nobody in any more, asks every client to reconnect elsewhere, and closes what is left after `within`.

        Sessions do not end: they go on where their clients connect next.
        """
        await self._stop_emptying()
        self.draining = True
        await self._empty(within)

    def start_drain(self, within: float) -> None:
        """As `drain`, without waiting for it. Does nothing where that is under way or done."""
        if not self.draining:
            self.draining = True
            self._emptying = asyncio.create_task(self._empty(within), name="drain")

    async def end_drain(self) -> None:
        """Takes people in again. Who was asked to leave and has not left may stay."""
        await self._stop_emptying()
        self.draining = False

    async def _stop_emptying(self) -> None:
        if self._emptying is not None:
            self._emptying.cancel()
            await asyncio.gather(self._emptying, return_exceptions=True)
            self._emptying = None

    async def _empty(self, within: float) -> None:
        for session in self._sessions.values():
            session.tell(Draining(reconnect_within=within))
        deadline = time.monotonic() + within
        while self.used and time.monotonic() < deadline:  # noqa: ASYNC110  # many sessions, no single event
            await asyncio.sleep(0.05)
        sessions = list(self._sessions.values())
        for session in sessions:
            self._forget(session)
        await asyncio.gather(*(session.leave(_going_away()) for session in sessions))


def _going_away() -> WorkerUnavailable:
    return WorkerUnavailable("this worker is going away; connect again", retry_after=1)
