"""The `lacquer` command as a person meets it: help that teaches, one clear line when something is wrong."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

from signaling import cli
from signaling.settings import Settings
from tests.serving import lacquer_serve


def lacquer(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "signaling.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **environment},
    )


def complaint(result: subprocess.CompletedProcess[str]) -> str:
    """The one line that a failed command says on stderr."""
    assert result.returncode not in (0, None)
    assert "Traceback" not in result.stderr
    lines = [line for line in result.stderr.splitlines() if line.startswith("lacquer: ")]
    assert len(lines) == 1, result.stderr
    return lines[0]


def test_help_lists_every_command_and_starts_fast() -> None:
    began = time.monotonic()
    text = lacquer("--help").stdout
    assert time.monotonic() - began < 10
    for command in ("serve", "signaling", "worker", "settings", "apply", "segment", "evaluate", "models"):
        assert command in text


@pytest.mark.parametrize("command", ["serve", "signaling", "worker", "settings"])
def test_every_command_teaches_by_example(command: str) -> None:
    """Those of vision have a test of their own."""
    result = CliRunner().invoke(cli.app, [command, "--help"])
    assert result.exit_code == 0
    assert "Example" in result.stdout


def test_a_worker_that_nobody_could_reach_says_what_to_set() -> None:
    away = {"REDIS_URL": "redis://127.0.0.1:9/0", "LACQUER_WORKER_PORT": "0"}
    said = complaint(lacquer("worker", "--host", "0.0.0.0", **away))
    assert said.startswith("lacquer: LACQUER_WORKER_ADVERTISE: ")


def test_a_wrong_redis_url_is_said_without_its_password() -> None:
    said = complaint(lacquer("signaling", REDIS_URL="http://:password@cache"))
    assert said.startswith("lacquer: LACQUER_REDIS_URL: ")
    assert "password" not in said


def test_a_designs_folder_that_is_not_there_is_said_at_once() -> None:
    said = complaint(lacquer("signaling", "--designs", "/no/such/folder"))
    assert said == "lacquer: LACQUER_DESIGNS_DIR: Path does not point to a directory (got '/no/such/folder')"


@pytest.mark.parametrize("host", ["127.0.0.1", "203.0.113.9", "nails.example"])
def test_an_address_that_phones_cannot_open_is_said(host: str, tmp_path: Path) -> None:
    said = complaint(lacquer("serve", "--lan", "--host", host, LACQUER_DATA_DIR=str(tmp_path)))
    assert said.startswith("lacquer: --lan: ") and host in said
    assert not (tmp_path / "lan").exists()


def test_a_public_url_and_phones_in_the_room_exclude_each_other(tmp_path: Path) -> None:
    settings = {"LACQUER_PUBLIC_URL": "https://nails.example", "LACQUER_DATA_DIR": str(tmp_path)}
    assert "unset it" in complaint(lacquer("serve", "--lan", **settings))


def test_a_secret_that_is_refused_is_not_shown() -> None:
    said = complaint(lacquer("signaling", LACQUER_ADMIN_TOKEN="too short"))
    assert said == "lacquer: LACQUER_ADMIN_TOKEN: String should have at least 16 characters"


@pytest.mark.parametrize("command", ["serve", "signaling"])
@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        ("SECRET_KEY=change-me", "is a placeholder that everybody knows"),
        ("SECRET_KEY=7fQzWm2kLp", "has 10 bytes, and 32 are needed"),
        ("ADMIN_TOKEN=please-set-a-password", "is a placeholder that everybody knows"),
        ("TURN_SECRET=change-me-change-me", "is a placeholder that everybody knows"),
    ],
)
def test_a_secret_that_is_none_starts_nothing(
    command: str, setting: str, problem: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In this process: nothing has been started yet."""
    name, _, value = setting.partition("=")
    monkeypatch.setenv(f"LACQUER_{name}", value)
    monkeypatch.setattr(sys, "argv", ["lacquer", command])
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == 1
    assert capsys.readouterr().err == f"lacquer: LACQUER_{name} {problem}; make one with: openssl rand -hex 32\n"


def test_nor_does_a_worker_start_with_one() -> None:
    assert "LACQUER_WORKER_SECRET is a placeholder" in complaint(lacquer("worker", LACQUER_WORKER_SECRET="secret"))


def test_who_debugs_may_call_it_secret() -> None:
    settings = Settings(secret_key="secret", debug=True)
    cli._refuse_weak_secrets(settings)
    with pytest.raises(cli.WeakSecret):
        cli._refuse_weak_secrets(settings.model_copy(update={"debug": False}))


def test_a_demo_without_settings_needs_no_secret() -> None:
    cli._refuse_weak_secrets(Settings(secret_key=None))


def test_busy_port_is_said_before_anything_slow_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = lacquer("serve", "--host", "127.0.0.1", "--port", port, LACQUER_DATA_DIR=str(tmp_path))
    assert complaint(result) == f"lacquer: port {port} is taken by another program; choose one with --port"


def test_busy_worker_port_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert port in complaint(lacquer("worker", "--port", port))


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_missing_model_says_what_to_run(command: str, tmp_path: Path) -> None:
    result = lacquer(command, "--port", "0", XDG_CACHE_HOME=str(tmp_path), LACQUER_DATA_DIR=str(tmp_path))
    assert "lacquer models" in complaint(result)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("LACQUER_PORT", "eighty"),
        ("LACQUER_ICE_SERVERS", "not json"),
        ("LACQUER_LOG_LEVEL", "LOUD"),
        ("LACQUER_WORKER_CAPACITY", "0"),
    ],
)
def test_wrong_setting_is_named(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In this process: nothing has been started yet where settings are read."""
    monkeypatch.setenv(variable, value)
    monkeypatch.setattr(sys, "argv", ["lacquer", "serve"])
    with pytest.raises(SystemExit) as left:
        cli.main()
    said = capsys.readouterr().err
    assert left.value.code == 1
    assert said.startswith("lacquer: ") and said.count("\n") == 1
    assert variable.removeprefix("LACQUER_").lower() in said.lower()


@pytest.mark.parametrize(
    ("command", "variable", "value"),
    [("worker", "LACQUER_WORKER_CAPACITY", "0"), ("signaling", "LACQUER_DATABASE_URL", "nonsense")],
)
def test_the_other_commands_name_it_too(command: str, variable: str, value: str, tmp_path: Path) -> None:
    result = lacquer(command, LACQUER_DATA_DIR=str(tmp_path), **{variable: value})
    assert variable.removeprefix("LACQUER_").lower() in complaint(result).lower()


def test_a_broken_database_is_said(tmp_path: Path) -> None:
    (tmp_path / "lacquer.db").write_bytes(b"SQLite format 3\0" + bytes(200))
    message = complaint(lacquer("signaling", "--port", "0", LACQUER_DATA_DIR=str(tmp_path)))
    assert "lacquer.db" in message
    assert "not a database" in message


def test_a_missing_database_driver_is_said_without_the_password(tmp_path: Path) -> None:
    url = "mysql+nosuchdriver://root:hunter2@localhost/lacquer"
    message = complaint(lacquer("signaling", "--port", "0", LACQUER_DATA_DIR=str(tmp_path), DATABASE_URL=url))
    assert "nosuchdriver" in message
    assert "hunter2" not in message


def test_data_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    assert "file" in complaint(lacquer("serve", "--port", "0", LACQUER_DATA_DIR=str(tmp_path / "file" / "data")))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_stop_everything_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    with lacquer_serve(tmp_path, "--workers", "2") as served:
        workers = served.workers()
        assert len(workers) == 2
        served.process.send_signal(number)
        assert served.process.wait(15) == 0
    assert not [worker for worker in workers if worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE]
    assert "Traceback" not in (tmp_path / "serve.log").read_text()


def test_workers_leave_when_their_parent_is_killed(tmp_path: Path) -> None:
    with lacquer_serve(tmp_path, "--workers", "1") as served:
        (worker,) = served.workers()
        served.process.kill()
        served.process.wait(5)
        worker.wait(timeout=10)
    assert not worker.is_running()


def test_a_dead_worker_is_started_again(tmp_path: Path) -> None:
    with lacquer_serve(tmp_path, "--workers", "1") as served:
        (first,) = served.workers()
        first.kill()
        deadline = time.monotonic() + 20
        while not (second := [worker for worker in served.workers() if worker.pid != first.pid]):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert second[0].is_running()
