"""What a session is and may become. Pure rules: no clock, no database, no worker.

    created ──first connection──▶ active
       │                            │
       ├───────── 30 minutes ───────┤──▶ expired
       └────────── DELETE ──────────┴──▶ ended

Nothing leaves `expired` or `ended`. `service.SessionService` is the one place that makes a step real.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from protocol.api import Mode, SessionStatus
from protocol.errors import SessionEnded
from protocol.messages import Config, Stats

Clock = Callable[[], float]
"""Unix time in seconds."""

LIVE = frozenset({SessionStatus.CREATED, SessionStatus.ACTIVE})

NEXT: Mapping[SessionStatus, frozenset[SessionStatus]] = MappingProxyType(
    {
        SessionStatus.CREATED: frozenset({SessionStatus.ACTIVE, SessionStatus.EXPIRED, SessionStatus.ENDED}),
        SessionStatus.ACTIVE: frozenset({SessionStatus.EXPIRED, SessionStatus.ENDED}),
        SessionStatus.EXPIRED: frozenset(),
        SessionStatus.ENDED: frozenset(),
    }
)


_ID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


def is_id(text: str) -> bool:
    """Whether this could be an id of ours: anything else need not reach the database."""
    return _ID.fullmatch(text) is not None


@dataclass(frozen=True)
class Session:
    """One try-on. Times are Unix time in seconds."""

    session_id: str
    owner: str
    mode: Mode
    created_at: float
    expires_at: float
    post_id: int | None = None
    """Catalogue id; None in upload mode."""
    status: SessionStatus = SessionStatus.CREATED
    settings: Config = field(default_factory=Config)
    """What the person chose so far, as the worker last reported it."""
    statistics: Stats = field(default_factory=Stats)
    """What the worker last counted. It counts from zero where it meets the session for the first time."""
    earlier: Stats = field(default_factory=Stats)
    """Counted before that, by other workers or by one that had forgotten the session."""
    nail_set: str | None = None
    """Upload mode: blob of the nails taken from the person's picture, until the session is over."""
    reports: int = 0
    """How many reports of workers this knows of; what is written after a later one is stale."""

    def status_at(self, now: float) -> SessionStatus:
        """The status a client should see: a session past its time is expired even before the sweeper comes by."""
        return SessionStatus.EXPIRED if self.is_due(now) else self.status

    def is_due(self, now: float) -> bool:
        return self.status in LIVE and now >= self.expires_at

    def check_live(self, now: float) -> None:
        """Raises SessionEnded where nothing more can be done with this session."""
        status = self.status_at(now)
        if status not in LIVE:
            raise SessionEnded(f"session {self.session_id} has {status}")

    def moved_to(self, status: SessionStatus) -> Session:
        """The session after this step. Raises ValueError where the step is not in `NEXT`."""
        if status not in NEXT[self.status]:
            raise ValueError(f"a session cannot go from {self.status} to {status}")
        return replace(self, status=status)

    def extended(self, now: float, lifetime: float) -> Session:
        """The session with its full time from now on; never less than it had. Raises SessionEnded."""
        self.check_live(now)
        return replace(self, expires_at=max(self.expires_at, now + lifetime))

    def reported(self, settings: Config, statistics: Stats) -> Session:
        """The session as its worker describes it now. Fewer frames than before mean that this was counted earlier: two
        signaling processes may ask at once, and the answers overtake each other."""
        is_older = statistics.frames_in < self.statistics.frames_in
        return replace(self, settings=settings, statistics=self.statistics if is_older else statistics)

    def counted_anew(self) -> Session:
        """The session where a worker is about to meet it for the first time, and to count from zero."""
        return replace(self, earlier=self.total_statistics, statistics=Stats())

    @property
    def total_statistics(self) -> Stats:
        """Counters over the session's whole life; rates and sizes as they are now."""
        before, now = self.earlier, self.statistics
        return now.model_copy(
            update={
                "frames_in": before.frames_in + now.frames_in,
                "frames_out": before.frames_out + now.frames_out,
                "frames_dropped": _sum(before.frames_dropped, now.frames_dropped),
                "frames_followed": _sum(before.frames_followed, now.frames_followed),
            }
        )


def _sum(before: dict[str, int], now: dict[str, int]) -> dict[str, int]:
    """Counts by reason, in the order in which reasons first came up."""
    return {reason: before.get(reason, 0) + now.get(reason, 0) for reason in dict.fromkeys([*before, *now])}
