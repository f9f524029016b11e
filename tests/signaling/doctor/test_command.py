"""`lacquer doctor`, as an operator uses it."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from media_worker.doctor import plan as media
from protocol.checkup import Finding, Groups, Outcome, failed, ok, warning
from signaling import cli
from signaling.doctor import command
from tests.redis_server import free_port


@pytest.fixture(autouse=True)
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LACQUER_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("LACQUER_PORT", str(free_port()))
    return tmp_path


def doctor(*options: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli.app, ["doctor", *options])
    return result.exit_code, result.stdout


def names(groups: Groups) -> list[list[str]]:
    return [[check.name for check in group] for group in groups]


@pytest.mark.media
def test_a_line_for_each_check(installation: Path) -> None:
    code, said = doctor("--quick")
    assert code == 0, said
    lines = said.splitlines()
    assert all(line.split()[0] in ("ok", "warning") for line in lines[:-1]), said
    assert lines[-1].endswith(" s")
    for name in (
        "settings: signaling",
        "settings: worker",
        "http port",
        "database",
        "pictures",
        "udp ports",
        "hand model",
    ):
        assert any(f" {name}: " in line for line in lines), name


@pytest.mark.media
def test_what_fails_says_what_to_do_and_is_an_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", f"redis://:hunter2@127.0.0.1:{free_port()}/0")
    monkeypatch.setenv("LACQUER_WORKER_SECRET", "changeme")
    with socket.create_server(("127.0.0.1", 0)) as other:
        monkeypatch.setenv("LACQUER_HOST", "127.0.0.1")
        monkeypatch.setenv("LACQUER_PORT", str(other.getsockname()[1]))
        code, said = doctor("--quick", "--json")
    assert code == 1
    assert "hunter2" not in said and "changeme" not in said
    answer: dict[str, Any] = json.loads(said)
    assert answer["outcome"] == "failed"
    broken = {check["check"]: check["mend"] for check in answer["checks"] if check["outcome"] == "failed"}
    assert broken.keys() == {"settings: signaling", "settings: worker", "redis", "http port"}
    assert all(broken.values())


def test_settings_that_cannot_be_read_leave_the_rest_to_be_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LACQUER_PORT", "eight")
    assert names(command.plan(media, quick=True)) == [
        ["settings: signaling", "settings: worker"],
        ["udp ports", "hand model"],
    ]


def test_signaling_alone() -> None:
    groups = names(command.plan(ModuleNotFoundError(name="mediapipe")))
    assert groups[0] == ["settings: signaling", "media worker"]
    assert "udp ports" not in groups[1]


def test_every_server_is_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = [{"urls": ["stun:a.example"]}, {"urls": ["turn:c.example"], "username": "u", "credential": "p"}]
    monkeypatch.setenv("LACQUER_ICE_SERVERS", json.dumps(ours))
    monkeypatch.setenv("LACQUER_STUN_URLS", "stun:b.example")
    monkeypatch.setenv("LACQUER_TURN_URLS", "turn:d.example,turns:d.example")
    monkeypatch.setenv("LACQUER_TURN_SECRET", "Zk3vQ8xNw2rT5yBp7LcM")
    monkeypatch.setenv("LACQUER_WORKER_TURN_URL", "turn:e.example")
    tried = [name for name in names(command.plan(media, quick=True))[1] if name.startswith(("stun", "turn"))]
    assert tried == [
        *("stun:a.example", "turn:c.example", "stun:b.example", "turn:d.example", "turns:d.example", "turn:e.example"),
    ]


def test_measuring_comes_last_and_alone() -> None:
    assert names(command.plan(media))[2:] == [["networks"], ["vision"], ["cores"], ["stream"]]


def test_help_teaches() -> None:
    code, said = doctor("--help")
    assert code == 0
    for word in ("--quick", "--json", "--url", "warning", "failed", "exit code 1"):
        assert word in said


def test_lines() -> None:
    findings = [
        Finding("a", ok("fine"), 0.1),
        Finding("b", warning("[odd]", "look"), 0),
        Finding("c", failed("no", "do"), 0),
    ]
    assert [command.line(finding).plain for finding in findings] == [
        "ok      a: fine",
        "warning b: [odd] → look",
        "failed  c: no → do",
    ]
    assert command.summary(findings, 2.6) == "1 ok, 1 warning, 1 failed, in 3 s"


def test_without_the_worker_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "media_worker.doctor", None)
    monkeypatch.delitem(sys.modules, "media_worker.doctor.plan", raising=False)
    assert isinstance(cli._media_checks(), ModuleNotFoundError)


async def test_a_worker_that_cannot_be_loaded_is_told() -> None:
    groups = command.plan(ImportError("libGL.so.1: cannot open shared object file"))
    verdict = await groups[0][-1].look()
    assert verdict.outcome is Outcome.FAILED
    assert "libGL.so.1" in verdict.said
