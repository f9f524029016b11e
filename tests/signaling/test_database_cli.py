"""`lacquer db`, as an operator uses it."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from signaling import cli
from signaling.database import DatabaseUnusable
from signaling.store import START_BACKOFF
from tests.postgres import free_port

NEWEST = "r0002"


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LACQUER_DATABASE_URL", f"sqlite:///{tmp_path}/lacquer.db")
    return tmp_path / "lacquer.db"


def db(command: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli.app, ["db", command])
    return result.exit_code, result.output.strip()


def test_from_nothing_to_the_newest_and_no_further(database: Path) -> None:
    assert db("current") == (0, "none")
    code, said = db("check")
    assert code == 1 and "run `lacquer db upgrade`" in said
    assert db("upgrade") == (0, f"upgraded from no tables to {NEWEST}")
    assert db("upgrade") == (0, f"up to date: {NEWEST}")
    assert db("current") == (0, NEWEST)
    assert db("check") == (0, f"up to date: {NEWEST}")
    assert database.stat().st_size > 0


def test_tables_that_were_changed_by_hand_are_told(database: Path) -> None:
    db("upgrade")
    with sqlite3.connect(database) as connection:
        connection.execute("DROP TABLE leases")
    connection.close()
    code, said = db("check")
    assert code == 1 and "leases" in said


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://ann:hush@127.0.0.1:1/lacquer", r"ann:\*\*\*@127\.0\.0\.1.* does not answer: ConnectionRefused"),
        ("sqlite:////dev/null/folder/lacquer.db", r"sqlite.*:////dev/null/folder/lacquer.db cannot be used: NotADir"),
        ("nonsense", "is no SQLAlchemy URL"),
    ],
)
def test_a_database_that_is_away_or_wrong_is_one_line(url: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`main` prints what is raised."""
    monkeypatch.setenv("LACQUER_DATABASE_URL", url)
    error = CliRunner().invoke(cli.app, ["db", "current"]).exception
    assert isinstance(error, DatabaseUnusable)
    assert re.search(said, str(error)) and "hush" not in str(error)


def test_signaling_that_waits_for_its_database_says_so_and_can_be_stopped(tmp_path: Path) -> None:
    environment = {
        "PATH": "/usr/bin",
        "LACQUER_DATA_DIR": str(tmp_path),
        "LACQUER_PORT": "0",
        "LACQUER_DATABASE_URL": f"postgresql://ann:hush@127.0.0.1:{free_port()}/lacquer",
    }
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "signaling.cli", "signaling"], stdout=output, stderr=output, env=environment
        )
    try:
        deadline = time.monotonic() + 30
        while log.read_text().count("waiting for the database") < len(START_BACKOFF) - 1:
            assert time.monotonic() < deadline and process.poll() is None, log.read_text()
            time.sleep(0.05)
        process.terminate()
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()
    assert "Traceback" not in log.read_text() and "hush" not in log.read_text()
