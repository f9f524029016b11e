"""What this process remembers of its log."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog

from signaling import recent_errors
from signaling.recent_errors import RecentErrors, Trouble

SESSION = "0b5a4a5e-9f0f-4d66-9f8e-0a3b6a1f7a10"
log = structlog.get_logger()


@pytest.fixture
def ring() -> Iterator[RecentErrors]:
    times = iter(range(10_000))
    ring = RecentErrors(clock=lambda: float(next(times)))
    with ring.listening():
        yield ring


def test_the_same_again_is_counted_and_comes_first(ring: RecentErrors) -> None:
    log.warning("reports missing", worker="http://10.0.0.5:8001", error="worker_unavailable")
    log.error("sweep failed")
    log.warning("reports missing", worker="http://10.0.0.5:8001", error="worker_unavailable")
    (first, times), (second, _) = ring.newest()
    assert (first.event, first.code, times.count) == ("reports missing", "worker_unavailable", 2)
    assert (times.first_at, times.last_at) == (0, 2)
    assert (second.event, second.level) == ("sweep failed", "error")


def test_it_is_bounded(ring: RecentErrors) -> None:
    for number in range(recent_errors.KEPT + 20):
        log.error(f"{number} {'x' * 1000}")
    assert len(ring.newest()) == recent_errors.KEPT
    assert len(ring.newest(3)) == 3
    assert max(len(trouble.event) for trouble, _ in ring.newest()) == recent_errors.MAX_EVENT
    assert ring.newest()[0][0].event.startswith(f"{recent_errors.KEPT + 19} ")


def test_what_is_no_trouble_is_not_remembered(ring: RecentErrors) -> None:
    log.info("session created", session=SESSION)
    assert ring.newest() == []


def test_an_exception_is_named_without_its_words(ring: RecentErrors) -> None:
    try:
        raise ValueError("postgresql://root:hunter2@10.0.0.7")
    except ValueError:
        log.exception("request failed", method="GET", path=f"/api/try-on/sessions/{SESSION}/design/preview")
    ((trouble, _),) = ring.newest()
    assert trouble == Trouble("error", "request failed", kind="ValueError", session_id=SESSION)


def test_libraries_words_stay_in_the_log(ring: RecentErrors) -> None:
    logging.getLogger("asyncio").error("transport <_Selector peer=('203.0.113.9', 4711)> of %s", "hunter2")
    ((trouble, _),) = ring.newest()
    assert trouble == Trouble("error", "asyncio: see the log")


@pytest.mark.parametrize("path", ["/ws/tryon/not-an-id/", "/api/try-on/sessions/", 17, None])
def test_a_path_without_a_session_names_none(ring: RecentErrors, path: object) -> None:
    log.error("bridge failed", path=path, error=["no", "code"])
    ((trouble, _),) = ring.newest()
    assert (trouble.session_id, trouble.code) == (None, None)


def test_it_stops_listening(ring: RecentErrors) -> None:
    assert ring in logging.getLogger().handlers
    other = RecentErrors()
    with other.listening():
        pass
    assert other not in logging.getLogger().handlers
