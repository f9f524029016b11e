"""The rules of sessions, without any I/O."""

from __future__ import annotations

import itertools

import pytest

from protocol.api import Mode, SessionStatus
from protocol.errors import SessionEnded
from protocol.messages import Config, Stats
from signaling.sessions import LIVE, NEXT, Session, is_id

CREATED, ACTIVE = SessionStatus.CREATED, SessionStatus.ACTIVE
EXPIRED, ENDED = SessionStatus.EXPIRED, SessionStatus.ENDED


def session(status: SessionStatus = CREATED, statistics: Stats | None = None) -> Session:
    return Session(
        session_id="00000000-0000-4000-8000-000000000000",
        owner="someone",
        mode=Mode.EXPLORE,
        post_id=1,
        created_at=1000,
        expires_at=2800,
        status=status,
        statistics=statistics or Stats(),
    )


@pytest.mark.parametrize(("old", "new"), list(itertools.product(SessionStatus, SessionStatus)))
def test_only_the_drawn_steps_are_legal(old: SessionStatus, new: SessionStatus) -> None:
    legal = {(CREATED, ACTIVE), (CREATED, EXPIRED), (CREATED, ENDED), (ACTIVE, EXPIRED), (ACTIVE, ENDED)}
    if (old, new) in legal:
        assert session(old).moved_to(new).status is new
    else:
        with pytest.raises(ValueError, match="cannot go from"):
            session(old).moved_to(new)


def test_every_status_has_its_next_steps_and_nothing_leaves_an_end() -> None:
    assert set(NEXT) == set(SessionStatus)
    assert {status for status in SessionStatus if NEXT[status]} == LIVE


def test_a_session_is_expired_from_its_last_second_on_even_unswept() -> None:
    assert session().status_at(2799.9) is CREATED
    assert session().status_at(2800) is EXPIRED
    assert session(ENDED).status_at(9999) is ENDED


def test_extending_counts_from_now_and_never_shortens() -> None:
    assert session().extended(2000, 1800).expires_at == 3800
    assert session().extended(1001, 60).expires_at == 2800


@pytest.mark.parametrize(("status", "now"), [(ENDED, 1001), (EXPIRED, 1001), (ACTIVE, 2800)])
def test_a_session_that_is_over_is_not_extended(status: SessionStatus, now: float) -> None:
    with pytest.raises(SessionEnded):
        session(status).extended(now, 1800)


def test_an_older_report_that_comes_later_is_not_counted() -> None:
    now = session().reported(Config(), Stats(frames_in=10, frames_out=9))
    late = now.reported(Config(design=2), Stats(frames_in=5, frames_out=5))
    assert late.total_statistics == Stats(frames_in=10, frames_out=9)


def test_counters_go_on_where_a_worker_starts_from_zero() -> None:
    counted = Stats(frames_in=100, frames_out=90, frames_dropped={"superseded": 10}, frames_followed={"late": 2})
    first = session(statistics=counted).counted_anew()
    assert first.total_statistics == counted
    moved = first.reported(Config(), Stats(frames_in=5, frames_out=4, frames_dropped={"paused": 1}, fps=20))
    again = moved.reported(Config(), Stats(frames_in=7, frames_out=6, frames_dropped={"paused": 1}, fps=25))
    assert again.total_statistics == Stats(
        frames_in=107,
        frames_out=96,
        frames_dropped={"superseded": 10, "paused": 1},
        frames_followed={"late": 2},
        fps=25,
    )


@pytest.mark.parametrize("text", ["", "demo", "../../etc/passwd", "0" * 36, "00000000-0000-4000-8000-00000000000\n"])
def test_what_is_no_uuid_is_no_id(text: str) -> None:
    assert not is_id(text)
    assert is_id("00000000-0000-4000-8000-000000000000")
