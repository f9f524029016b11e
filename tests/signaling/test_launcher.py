from __future__ import annotations

import asyncio
import itertools
import os

import pytest

from signaling import launcher
from signaling.launcher import Child, Launcher, WorkerFailed


async def test_native_chatter_stays_out_of_the_log_and_errors_do_not(capfd: pytest.CaptureFixture[str]) -> None:
    said = asyncio.StreamReader()
    said.feed_data(
        b"12:00:01 [info     ] worker listens\n"
        b"W0000 00:00:1795361725.136935   16861 inference_feedback_manager.cc:121] Feedback manager requires a model\n"
        b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n"
        b"WARNING: Logging before InitGoogle() is written to STDERR\n"
        b"I0000 00:00:1795361725.136935   16861 gl_context.cc:1] hello\n"
        b"E0000 00:00:1795361725.136935   16861 graph.cc:9] out of memory\n"
        + b"x" * 100_000
        + b"\nlast words without a newline"
    )
    said.feed_eof()
    await launcher._relay(said)
    assert capfd.readouterr().err.splitlines() == [
        "12:00:01 [info     ] worker listens",
        "E0000 00:00:1795361725.136935   16861 graph.cc:9] out of memory",
        "last words without a newline",
    ]


async def test_a_child_that_leaves_at_once_is_reported() -> None:
    with pytest.raises(WorkerFailed, match="exit code"):
        await Child.start({**os.environ, "LACQUER_WORKER_CAPACITY": "none", "LACQUER_WORKER_PORT": "0"})


async def test_a_child_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "START_TIMEOUT", 0.05)
    with pytest.raises(WorkerFailed, match="said nothing"):
        await Child.start({**os.environ, "LACQUER_WORKER_PORT": "0"})


def test_children_learn_where_media_is_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the operator set wins, as with everything that children inherit."""
    ignore: list[str] = []
    monkeypatch.delenv("LACQUER_ICE_ADDRESSES", raising=False)
    given = Launcher(1, "secret", ignore.append, ignore.append, ["192.168.1.20"])
    assert given._environment["LACQUER_ICE_ADDRESSES"] == '["192.168.1.20"]'
    monkeypatch.setenv("LACQUER_ICE_ADDRESSES", '["10.1.2.3"]')
    set_by_hand = Launcher(1, "secret", ignore.append, ignore.append, ["192.168.1.20"])
    assert set_by_hand._environment["LACQUER_ICE_ADDRESSES"] == '["10.1.2.3"]'


async def test_launcher_tells_who_comes_and_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    added: list[str] = []
    removed: list[str] = []
    async with Launcher(1, "secret", added.append, removed.append):
        assert len(added) == 1
        assert added[0].startswith("http://127.0.0.1:")
        assert removed == []
    assert removed == added


async def test_no_worker_is_left_when_one_of_several_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    start, calls, children = Child.start, itertools.count(), list[Child]()

    async def second_fails(environment: dict[str, str]) -> Child:
        if next(calls) == 1:
            raise WorkerFailed("the second one fails")
        children.append(await start(environment))
        return children[0]

    monkeypatch.setattr(Child, "start", second_fails)
    with pytest.raises(WorkerFailed):
        async with Launcher(2, "secret", lambda url: None, lambda url: None):
            pass
    assert children[0].returncode is not None
