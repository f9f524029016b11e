"""How `lacquer admin` looks: rich's tables, with bars for places. Plain functions from models to renderables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from protocol.admin import AdminErrors, AdminResult, AdminSession
from protocol.api import WorkerState
from signaling.admin_client import Look

RED, AMBER, DIM = "red", "yellow", "dim"
BAR = 24
"""Signs that a bar takes at most; up to so many places have one sign each."""


def workers(found: Sequence[WorkerState]) -> RenderableType:
    if not found:
        return Text("No media worker is known.", DIM)
    table = _table("Worker", "Region", "Places", "", "State")
    for worker in found:
        load = f"{worker.load}/{worker.capacity}"
        table.add_row(worker.id or worker.url, worker.region, _places(worker), load, _state(worker))
    return table


def sessions(found: Sequence[AdminSession], now: datetime | None = None) -> RenderableType:
    if not found:
        return Text("Nobody is here.", DIM)
    now = now or datetime.now(UTC)
    table = _table("Session", "Wears", "Worker", "Here for", "fps", "ms p50/p95", "Dropped", "Sure", right=range(3, 8))
    for session in found:
        total, connected = session.statistics.latency_ms.get("total"), session.connections != 0 and session.worker
        table.add_row(
            session.session_id[:8],
            session.design.name,
            session.worker or Text("waits" if session.status == "created" else "nowhere", DIM),
            duration((now - session.created_at).total_seconds()),
            _fps(session.statistics.fps) if connected else "–",
            f"{total.p50:.0f}/{total.p95:.0f}" if total and connected else "–",
            _dropped(session),
            "–" if not session.nails or session.confidence is None else f"{session.confidence:.0%}",
        )
    return table


def results(found: Sequence[AdminResult], now: datetime | None = None) -> RenderableType:
    if not found:
        return Text("Nobody has kept a picture yet.", DIM)
    now = now or datetime.now(UTC)
    table = _table("Result", "Session", "Wears", "Size", "Sure", "Kept", right=(3, 4, 5))
    for result in found:
        sure = "–" if result.confidence_score is None else f"{result.confidence_score:.0%}"
        design = result.design.name if result.design else "–"
        size = f"{result.width}x{result.height}"
        table.add_row(result.result_id[:8], result.session_id[:8], design, size, sure, _ago(now, result.created_at))
    return table


def errors(found: AdminErrors, now: datetime | None = None) -> RenderableType:
    said = Text(f"Of signaling process {found.process} alone; the workers write their own log.", DIM)
    if not found.errors:
        return Group(Text("No warnings and no errors since it started."), said)
    now = now or datetime.now(UTC)
    table = _table("Last", "", "Times", "What", "Code", "Worker", "Session", right=(0, 2))
    for error in found.errors:
        table.add_row(
            _ago(now, error.last_at),
            Text(error.level, RED if error.level == "error" else AMBER),
            str(error.count),
            error.event,
            error.code or error.kind or "",
            error.worker or "",
            (error.session_id or "")[:8],
        )
    return Group(table, said)


def board(look: Look, note: str = "") -> RenderableType:
    """All that `lacquer admin watch` shows."""
    open_workers = [worker for worker in look.workers if worker.live and not worker.draining]
    taken, places = sum(worker.load for worker in look.workers), sum(worker.capacity for worker in open_workers)
    head = Text.assemble(
        ("Lacquer ", "bold"),
        f"{look.overview.process.version}   {taken} people, {places} places on {len(open_workers)} open workers",
        (f"   {note}" if note else "", AMBER),
    )
    return Group(head, Text(), workers(look.workers), Text(), sessions(look.sessions), Text(), errors(look.errors))


def duration(seconds: float) -> str:
    seconds = max(0, round(seconds))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _ago(now: datetime, then: datetime) -> str:
    return f"{duration((now - then).total_seconds())} ago"


def _table(*columns: str, right: Iterable[int] = ()) -> Table:
    table, numbers = Table(box=None, pad_edge=False, header_style=DIM), set(right)
    for place, column in enumerate(columns):
        table.add_column(column, justify="right" if place in numbers else "left", no_wrap=place == 0)
    return table


def _places(worker: WorkerState) -> Text:
    """Filled for places that are taken; a worker that takes nobody in has no free ones."""
    scale: Callable[[int], int] = (
        (lambda count: count) if worker.capacity <= BAR else lambda count: round(BAR * count / worker.capacity)
    )
    held = scale(min(worker.load, worker.capacity)) if worker.live else 0
    rest = scale(worker.capacity) - held
    open_worker = worker.live and not worker.draining
    return Text.assemble(("■" * held, RED if open_worker else AMBER), ("□" * rest if open_worker else "·" * rest, DIM))


def _state(worker: WorkerState) -> Text:
    if not worker.live:
        return Text("does not answer", RED)
    if worker.draining:
        return Text(f"draining, {worker.load} still there" if worker.load else "drained, empty", AMBER)
    free = worker.capacity - worker.load
    return Text(f"{free} free" if free > 0 else "full")


def _fps(value: float) -> Text:
    return Text(f"{value:.0f}", RED if value < 12 else "")


def _dropped(session: AdminSession) -> str:
    """What was left out on purpose, because the person paused, is no loss."""
    statistics = session.statistics
    if not statistics.frames_in:
        return "–"
    lost = sum(count for reason, count in statistics.frames_dropped.items() if reason != "paused")
    return f"{lost / statistics.frames_in:.0%}"
