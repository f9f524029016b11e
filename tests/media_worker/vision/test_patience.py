from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from media_worker.vision.hangs import HANGS
from media_worker.vision.patience import LEAST, MOST, Hung, Overrun, Patience
from protocol.errors import VisionFailed


@pytest.fixture
def patience() -> Iterator[Patience]:
    one = Patience("eyes")
    yield one
    one.close()


def test_answers_and_errors_pass(patience: Patience) -> None:
    assert patience.ask(lambda: threading.current_thread().name).startswith("vision-eyes")
    with pytest.raises(VisionFailed, match="broken"):
        patience.ask(fail)
    assert patience.ask(lambda: 7) == 7, "asked again"


def fail() -> None:
    raise VisionFailed("broken")


def test_a_hanging_look_is_given_up_and_the_next_ones_do_not_wait(patience: Patience) -> None:
    release, other = threading.Event(), threading.Event()
    began = time.monotonic()
    with pytest.raises(Overrun, match="in time"):
        patience.ask(release.wait)
    assert time.monotonic() - began == pytest.approx(MOST, abs=0.2), "the first look of a stream may take longest"
    began = time.monotonic()
    for _ in range(10):
        with pytest.raises(Overrun, match="earlier"):
            patience.ask(other.set)
    assert time.monotonic() - began < 0.05
    assert not other.is_set()
    release.set()
    wait_for(lambda: patience.ask(lambda: 7))


def wait_for(ask: object) -> None:
    """Until the late look has ended."""
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        with suppress(Overrun):
            assert callable(ask) and ask() == 7
            return
        time.sleep(0.005)
    pytest.fail("the model never came back")


def test_patience_follows_what_is_usual(patience: Patience) -> None:
    assert patience.limit == MOST
    for _ in range(30):
        patience.ask(lambda: None)
    assert patience.limit == LEAST
    for _ in range(8):
        patience.ask(lambda: time.sleep(0.06))
    assert LEAST < patience.limit < 3 * 0.07 + 0.05, "on a machine where looks take 60 ms, they are waited for"


def test_closing_waits_for_the_look_in_progress() -> None:
    one, ended = Patience("eyes"), threading.Event()

    def look() -> None:
        time.sleep(MOST + 0.1)
        ended.set()

    with pytest.raises(Overrun):
        one.ask(look)
    one.close()
    assert ended.is_set()
    one.close()


def test_a_model_that_never_answers_is_abandoned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("media_worker.vision.patience.CLOSE_TIMEOUT", 0.05)
    one, release = Patience("eyes"), threading.Event()
    with pytest.raises(Overrun):
        one.ask(release.wait)
    began = time.monotonic()
    one.close()
    assert time.monotonic() - began < 0.5
    release.set()


def test_a_model_that_never_answers_is_asked_in_another_thread(
    patience: Patience, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("media_worker.vision.patience.HANG", 0.6)
    before, release = HANGS.count(), threading.Event()
    with pytest.raises(Overrun, match="in time"):
        patience.ask(release.wait)
    time.sleep(0.2)
    with pytest.raises(Hung, match="another thread"):
        patience.ask(lambda: 7)
    assert patience.ask(lambda: 7) == 7, "it is said once, and that thread answers"
    assert HANGS.count() == before + 1
    release.set()
    deadline = time.monotonic() + 2
    while HANGS.count() > before and time.monotonic() < deadline:
        time.sleep(0.005)
    assert HANGS.count() == before, "it came back after all"
