"""Every session on this worker, and whether one more may stream."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import structlog

from media_worker.session import Session
from protocol.errors import AtCapacity, NotFound, WorkerUnavailable
from protocol.internal import SessionReport, SessionSpec
from protocol.messages import Draining

log = structlog.get_logger(__name__)

SWEEP_INTERVAL = 5.0
IDLE_RETENTION = 120.0
"""Seconds that a session without a connection keeps its counters and newest picture here. Signaling has copied the
counters by then, and a person who took a photo has stored it."""


class Sessions:
    """The worker's sessions by id. A slot is held by every session with at least one connection."""

    def __init__(self, capacity: int, model_path: Path) -> None:
        self.capacity = capacity
        self.draining = False
        self._model_path = model_path
        self._sessions: dict[str, Session] = {}
        self._idle_since: dict[str, float] = {}

    @property
    def used(self) -> int:
        return sum(session.connections > 0 for session in self._sessions.values())

    def open(self, spec: SessionSpec) -> Session:
        """The session that `spec` describes, new or refreshed."""
        session = self._sessions.get(spec.session_id)
        if session is None:
            session = self._sessions[spec.session_id] = Session(spec, self._model_path)
            self._idle_since[spec.session_id] = time.monotonic()
        else:
            session.refresh(spec)
        return session

    def get(self, session_id: str) -> Session:
        """Raises NotFound."""
        try:
            return self._sessions[session_id]
        except KeyError:
            raise NotFound(f"session {session_id:.40} is not on this worker") from None

    def admit(self, session: Session) -> None:
        """Whether `session` may take one more connection. Raises AtCapacity, or WorkerUnavailable when draining."""
        if self.draining:
            raise WorkerUnavailable("this worker is going away; connect again", retry_after=1)
        if session.connections == 0 and self.used >= self.capacity:
            raise AtCapacity(f"all {self.capacity} places of this worker are taken")

    def reports(self) -> list[SessionReport]:
        return [session.report() for session in self._sessions.values()]

    async def end(self, session_id: str, reason: str) -> SessionReport:
        """Ends and forgets a session. Raises NotFound."""
        session = self.get(session_id)
        del self._sessions[session_id]
        self._idle_since.pop(session_id, None)
        return await session.end(reason)

    async def sweep(self) -> None:
        """Ends expired sessions and forgets idle ones, for ever; run it as a task."""
        while True:
            await asyncio.sleep(SWEEP_INTERVAL)
            now = time.monotonic()
            for session in list(self._sessions.values()):
                if session.connections:
                    self._idle_since.pop(session.id, None)
                elif now - self._idle_since.setdefault(session.id, now) > IDLE_RETENTION:
                    await self.end(session.id, "idle")
                    continue
                if session.check_expiry():
                    await self.end(session.id, "expired")

    async def drain(self, within: float) -> None:
        """Takes nobody in any more, asks every client to reconnect elsewhere, and ends what is left after `within`."""
        self.draining = True
        for session in self._sessions.values():
            session.tell(Draining(reconnect_within=within))
        deadline = time.monotonic() + within
        while self.used and time.monotonic() < deadline:  # noqa: ASYNC110  # many sessions, no single event
            await asyncio.sleep(0.05)
        for session_id in list(self._sessions):
            await self.end(session_id, "worker stopped")
