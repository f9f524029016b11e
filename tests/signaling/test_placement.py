"""Placement without I/O: least loaded, reserved slots counted, draining and dead workers skipped."""

from __future__ import annotations

from typing import Literal

import pytest

from protocol.errors import AtCapacity, WorkerUnavailable
from protocol.internal import WorkerHealth
from protocol.registry import DEAD_AFTER, RESERVATION_TIMEOUT
from signaling.placement import Placement


def health(capacity: int = 2, used: int = 0, status: Literal["ok", "draining"] = "ok") -> WorkerHealth:
    return WorkerHealth(status=status, worker_id="w", capacity=capacity, used=used, loop_lag_ms=0, memory_mb=0)


def placement(**workers: WorkerHealth) -> Placement:
    made = Placement()
    for url, said in workers.items():
        made.add(url)
        made.heard(url, said, asked_at=0, now=0)
    return made


def test_the_least_loaded_worker_gets_the_session() -> None:
    assert placement(a=health(4, 2), b=health(4, 1), c=health(4, 3)).place("s", 1) == "b"


def test_reservations_count_before_the_worker_knows_of_them() -> None:
    p = placement(a=health(2))
    assert [p.place("s1", 1), p.place("s2", 1)] == ["a", "a"]
    assert p.free_slots(1) == 0
    with pytest.raises(AtCapacity):
        p.place("s3", 1)


def test_a_reservation_ends_when_the_worker_counts_the_session_itself() -> None:
    p = placement(a=health(2))
    p.place("s1", 1)
    p.accepted("s1", 2)
    p.heard("a", health(2, used=0), asked_at=1.5, now=2.5)  # asked before it was accepted: not in `used` yet
    assert p.free_slots(2.5) == 1
    p.heard("a", health(2, used=1), asked_at=3, now=3.1)
    assert p.free_slots(3.1) == 1


def test_a_forgotten_reservation_ends_by_itself() -> None:
    p = placement(a=health(1))
    p.place("s1", 0)
    p.heard("a", health(1), asked_at=RESERVATION_TIMEOUT, now=RESERVATION_TIMEOUT)
    assert p.free_slots(RESERVATION_TIMEOUT) == 1


def test_release_frees_the_slot_and_forgets_the_owner() -> None:
    p = placement(a=health(1))
    p.place("s1", 1)
    p.release("s1")
    assert p.owner("s1", 1) is None
    assert p.free_slots(1) == 1


def test_a_session_stays_with_its_worker_even_where_that_looks_full() -> None:
    p = placement(a=health(1), b=health(4, used=3))
    assert p.place("s1", 1) == "a"
    p.accepted("s1", 1)
    p.heard("a", health(1, used=1), asked_at=2, now=2)
    assert p.place("s1", 3) == "a"


def test_avoided_workers_are_left_even_by_their_sessions() -> None:
    p = placement(a=health(1), b=health(1))
    first = p.place("s1", 1)
    second = p.place("s1", 1, avoid=[first])
    assert {first, second} == {"a", "b"}
    assert p.owner("s1", 1) == second
    with pytest.raises(WorkerUnavailable):
        p.place("s1", 1, avoid=["a", "b"])


def test_a_draining_worker_gets_nothing_but_still_owns_what_it_has() -> None:
    p = placement(a=health(2), b=health(2, used=1))
    assert p.place("s1", 1) == "a"
    p.heard("a", health(2, used=1, status="draining"), asked_at=2, now=2)
    assert p.owner("s1", 2) == "a"
    assert p.place("s2", 2) == "b"
    p.release("s2")
    assert p.place("s1", 2) == "b"  # a client that reconnects lands elsewhere
    assert [view.draining for view in p.views(2)] == [True, False]


def test_a_worker_not_heard_of_for_6_s_is_dead() -> None:
    p = placement(a=health(2))
    p.place("s1", 1)
    assert p.owner("s1", DEAD_AFTER - 0.1) == "a"
    assert p.owner("s1", DEAD_AFTER) is None
    assert p.free_slots(DEAD_AFTER) == 0
    with pytest.raises(WorkerUnavailable):
        p.place("s2", DEAD_AFTER)
    with pytest.raises(WorkerUnavailable):
        p.any_open(DEAD_AFTER)


def test_a_removed_worker_owns_nothing_and_late_answers_do_not_bring_it_back() -> None:
    p = placement(a=health(2))
    p.place("s1", 1)
    p.remove("a")
    p.heard("a", health(2), asked_at=1, now=1)
    assert p.owner("s1", 1) is None
    assert p.views(1) == []


def test_a_worker_may_claim_what_nobody_owns() -> None:
    p = placement(a=health(2), b=health(2))
    assert p.claim("s1", "b")
    assert p.owner("s1", 1) == "b"
    assert not p.claim("s1", "a")
    assert not p.claim("s2", "unknown")
