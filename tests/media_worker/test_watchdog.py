"""In processes of their own, as what is tried here ends them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time

import pytest
from structlog.testing import capture_logs

from media_worker.watchdog import EXIT_CODE, Watchdog, watched
from tests.signaling.conftest import eventually

STALL = 0.1

WORKER = f"""
import asyncio, re, time
from media_worker.watchdog import watched

def stalls():
    {{how}}

async def serve():
    async with watched({STALL}):
        await asyncio.sleep(0.3)
        stalls()

asyncio.run(serve())
"""

NO_PYTHON = "re.match(r'(a+)+$', 'a' * 60 + 'b')  # for millions of years, holding Python's lock"


def stalled(how: str) -> subprocess.CompletedProcess[str]:
    code = WORKER.replace("{how}", how)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)


def test_a_loop_that_does_not_come_back_ends_the_process_with_its_stack() -> None:
    done = stalled("time.sleep(60)")
    assert done.returncode == EXIT_CODE
    said = done.stdout + done.stderr
    assert "stands still" in said and "in stalls" in said, "where it is, not only that it is"


def test_a_stall_in_which_no_python_runs_ends_it_too() -> None:
    done = stalled(NO_PYTHON)
    assert done.returncode == 1
    assert "in stalls" in done.stderr


async def test_a_short_stall_is_said_with_its_stack_and_the_worker_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("faulthandler.dump_traceback_later", lambda *args, **options: None)
    dog = Watchdog(STALL)
    ended = threading.Event()
    monkeypatch.setattr(dog, "_end", lambda code: ended.set())
    thread = threading.Thread(target=dog.watch)
    with capture_logs() as logs:
        thread.start()
        await asyncio.to_thread(time.sleep, 2.5 * STALL)  # nobody beats
        await eventually(lambda: bool(logs))
        dog.beat()
        dog.stop()
        await asyncio.to_thread(thread.join)
    events = [each["event"] for each in logs]
    assert events == ["the event loop stands still", "the event loop goes on"], "once each"
    assert "test_watchdog" in logs[0]["stack"] or "run_forever" in logs[0]["stack"]
    assert not ended.is_set()


async def test_a_loop_that_beats_is_left_alone_and_nothing_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    armed: list[float | None] = []
    monkeypatch.setattr("faulthandler.dump_traceback_later", lambda seconds, exit: armed.append(seconds))
    monkeypatch.setattr("faulthandler.cancel_dump_traceback_later", lambda: armed.append(None))
    with capture_logs() as logs:
        async with watched(0.5):
            await asyncio.sleep(0.6)
    assert not logs
    assert armed[-1] is None and armed[0] == 7.5
    assert not [each for each in threading.enumerate() if each.name == "watchdog"]


async def test_it_can_be_turned_off() -> None:
    async with watched(0):
        assert not [each for each in threading.enumerate() if each.name == "watchdog"]
