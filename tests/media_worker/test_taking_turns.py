from __future__ import annotations

import threading
import time

import pytest

from media_worker import taking_turns
from media_worker.taking_turns import Turn


def test_one_at_a_time() -> None:
    turn, inside, most = Turn(), 0, 0
    lock = threading.Lock()

    def work() -> None:
        nonlocal inside, most
        with turn.taken():
            with lock:
                inside += 1
                most = max(most, inside)
            time.sleep(0.01)
            with lock:
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_one_that_hangs_costs_each_other_one_wait_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking_turns, "PATIENCE", 0.1)
    turn, release, taken = Turn(), threading.Event(), threading.Event()

    def hang() -> None:
        with turn.taken():
            taken.set()
            release.wait()

    hanging = threading.Thread(target=hang)
    hanging.start()
    taken.wait()
    began = time.monotonic()
    for _ in range(5):
        with turn.taken():
            pass
    assert 0.1 <= time.monotonic() - began < 0.2
    release.set()
    hanging.join()
    with turn.taken():
        pass
