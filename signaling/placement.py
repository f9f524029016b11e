"""Which worker serves a session: the rules, without I/O. `routing.LocalRouter` feeds it and asks it; the same rules for
many processes are in `protocol/registry.lua`, and one suite of tests runs against both.

A slot is taken by a session that streams. A worker says how many it counts (`used`) at every poll; a placement made
since then is not in that number yet. So each placement is a reservation, added on top of `used` until a poll that was
asked after the worker had accepted the session: from then on the worker counts it itself.

Times are seconds of a monotonic clock.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from protocol.errors import AtCapacity, LacquerError, WorkerUnavailable
from protocol.internal import WorkerHealth
from protocol.registry import DEAD_AFTER, RESERVATION_TIMEOUT

BACK_AFTER = 2
"""Seconds after which a client that found no worker at all does well to ask again: one is restarting, most likely."""


@dataclass(frozen=True)
class WorkerView:
    """A worker as seen from outside."""

    url: str
    live: bool
    draining: bool
    capacity: int
    load: int
    """Slots taken or reserved."""
    worker_id: str = ""
    """As the worker calls itself; empty until it was heard of."""
    region: str = ""


@dataclass
class _Reservation:
    made_at: float
    accepted_at: float | None = None


@dataclass
class _Worker:
    url: str
    health: WorkerHealth | None = None
    heard_at: float = 0.0
    reservations: dict[str, _Reservation] = field(default_factory=dict)

    def live(self, now: float) -> bool:
        return self.health is not None and now - self.heard_at < DEAD_AFTER

    def open(self, now: float) -> bool:
        """Takes sessions: live, and not about to go."""
        return self.live(now) and self.health is not None and self.health.status == "ok"

    def load(self, now: float) -> int:
        fresh = [r for r in self.reservations.values() if now - r.made_at < RESERVATION_TIMEOUT]
        return (self.health.used if self.health else 0) + len(fresh)

    def free(self, now: float) -> int:
        return max(0, self.health.capacity - self.load(now)) if self.health and self.open(now) else 0


class Placement:
    """Workers, what they hold, and who owns which session."""

    def __init__(self, region: str = "") -> None:
        """Workers of this region are preferred; empty where that does not matter."""
        self._region = region
        self._workers: dict[str, _Worker] = {}
        self._owners: dict[str, str] = {}

    # --- workers come, speak and go ---------------------------------------------------------------------------------
    def add(self, url: str) -> None:
        self._workers.setdefault(url, _Worker(url))

    def remove(self, url: str) -> None:
        self._workers.pop(url, None)
        self._owners = {session: owner for session, owner in self._owners.items() if owner != url}

    def urls(self) -> list[str]:
        return list(self._workers)

    def heard(self, url: str, health: WorkerHealth, *, asked_at: float, now: float) -> None:
        """A worker answered a poll that was sent at `asked_at`."""
        worker = self._workers.get(url)
        if worker is None:  # removed while the poll was under way
            return
        worker.health, worker.heard_at = health, now
        for session_id, reservation in list(worker.reservations.items()):
            counted = reservation.accepted_at is not None and reservation.accepted_at <= asked_at
            if counted or now - reservation.made_at >= RESERVATION_TIMEOUT:
                del worker.reservations[session_id]

    def silent(self, url: str) -> None:
        """A call did not find this worker: it counts as dead until its next answer."""
        if worker := self._workers.get(url):
            worker.heard_at = float("-inf")

    def views(self, now: float) -> list[WorkerView]:
        return [
            WorkerView(
                url=worker.url,
                live=worker.live(now),
                draining=worker.live(now) and not worker.open(now),
                capacity=worker.health.capacity if worker.health and worker.live(now) else 0,
                load=worker.load(now) if worker.live(now) else 0,
                worker_id=worker.health.worker_id if worker.health else "",
                region=worker.health.region if worker.health else "",
            )
            for worker in self._workers.values()
        ]

    def free_slots(self, now: float) -> int:
        return sum(worker.free(now) for worker in self._workers.values())

    def any_open(self, now: float) -> str:
        """A worker for work outside any session. Raises WorkerUnavailable."""
        workers = list(self._open(now, ()))
        if not workers:
            raise WorkerUnavailable
        return min(workers, key=lambda worker: worker.load(now)).url

    # --- sessions ---------------------------------------------------------------------------------------------------
    def place(self, session_id: str, now: float, avoid: Collection[str] = ()) -> str:
        """The worker for this session: the one that owns it if it takes sessions, else the least loaded with a slot.

        Raises AtCapacity, or WorkerUnavailable where no worker takes sessions at all.
        """
        worker = self._keep(session_id, now, avoid) or self._choose(now, avoid)
        self.release(session_id)
        self._owners[session_id] = worker.url
        if worker.free(now):
            worker.reservations[session_id] = _Reservation(made_at=now)
        # An owner without a free slot most likely holds this session's slot already (a client that reconnects). It
        # knows best: it answers at_capacity where that is not so.
        return worker.url

    def accepted(self, session_id: str, now: float) -> None:
        """The worker took the session in, and counts it from now on."""
        for worker in self._workers.values():
            if reservation := worker.reservations.get(session_id):
                reservation.accepted_at = now

    def release(self, session_id: str, held_by: str | None = None) -> None:
        """Nobody owns this session any more; where a worker is named, only if it is the owner."""
        if held_by is not None and self._owners.get(session_id) != held_by:
            return
        self._owners.pop(session_id, None)
        for worker in self._workers.values():
            worker.reservations.pop(session_id, None)

    def claim(self, session_id: str, url: str) -> bool:
        """Records what a worker says it holds. False where another worker owns the session."""
        if url not in self._workers:
            return False
        return self._owners.setdefault(session_id, url) == url

    def owner(self, session_id: str, now: float) -> str | None:
        """The live worker that owns the session, draining or not."""
        worker = self._workers.get(self._owners.get(session_id, ""))
        return worker.url if worker and worker.live(now) else None

    def _keep(self, session_id: str, now: float, avoid: Collection[str]) -> _Worker | None:
        worker = self._workers.get(self._owners.get(session_id, ""))
        return worker if worker and worker.open(now) and worker.url not in avoid else None

    def _choose(self, now: float, avoid: Collection[str]) -> _Worker:
        workers = list(self._open(now, avoid))
        with_room = [worker for worker in workers if worker.free(now)]
        if not with_room:
            raise _refusal(bool(workers))
        return min(with_room, key=lambda worker: (self._is_far(worker), worker.load(now)))

    def _is_far(self, worker: _Worker) -> bool:
        return bool(self._region) and worker.health is not None and worker.health.region != self._region

    def _open(self, now: float, avoid: Collection[str]) -> Iterator[_Worker]:
        return (worker for worker in self._workers.values() if worker.open(now) and worker.url not in avoid)


def _refusal(any_worker: bool) -> LacquerError:
    return AtCapacity() if any_worker else WorkerUnavailable(retry_after=BACK_AFTER)
