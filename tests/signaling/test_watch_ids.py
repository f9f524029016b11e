from __future__ import annotations

import uuid

import pytest

from signaling.watch_ids import LENGTH, WatchIds

SESSION = "7c3d3a0e-65a5-4d3e-9a27-6f3d0a1f2b3c"


def test_it_stands_for_one_session_and_always_the_same() -> None:
    ids = WatchIds(b"k" * 32)
    assert ids.of(SESSION) == ids.of(SESSION.upper())
    assert len(ids.of(SESSION)) == LENGTH
    assert ids.session_id(ids.of(SESSION)) == SESSION
    assert ids.of(str(uuid.uuid4())) != ids.of(SESSION)


def test_who_has_it_does_not_know_the_session() -> None:
    """Another key reads another session."""
    watch_id = WatchIds(b"k" * 32).of(SESSION)
    assert WatchIds(b"l" * 32).session_id(watch_id) not in (None, SESSION)


@pytest.mark.parametrize("text", ["", "short", SESSION, "!" * LENGTH, "é" * LENGTH, "a" * (LENGTH + 1), "a+/b" * 6])
def test_what_is_no_watch_id_is_told_apart(text: str) -> None:
    assert WatchIds(b"k" * 32).session_id(text) is None
