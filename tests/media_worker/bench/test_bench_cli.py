"""`lacquer bench` as an operator runs it, for two seconds: real Chromium, real server."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def lacquer(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "signaling.cli", "bench", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)


def figures(*arguments: str | Path) -> dict[str, Any]:
    done = lacquer(*arguments, "--json", "-")
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.mark.browser
@pytest.mark.long
def test_one_command_measures_what_a_browser_sees(tmp_path: Path) -> None:
    found = figures("--seconds", "2", "--warm-up", "1", "--codec", "vp8", "--report", tmp_path / "report")
    (run,) = found["runs"]
    assert (run["target"], run["codec"], run["streams"]) == ("lacquer", "vp8", 1)
    assert run["latency_ms"]["frames"] > 10
    assert 10 < run["latency_ms"]["p50"] < 1500
    assert run["ssim_outside_nails"] > 0.8
    assert 0 < run["server_cpu_ms_per_frame"] < 200
    assert "lacquer, vp8, 1 stream" in (tmp_path / "report" / "index.html").read_text("utf-8")


@pytest.mark.media
@pytest.mark.long
def test_capacity_counts_streams() -> None:
    found = figures("capacity", "--up-to", "1", "--seconds", "2", "--warm-up", "1")
    (level,) = found["levels"]
    assert level["streams"] == 1
    assert level["fps_slowest"] > 3
    assert level["round_trip_ms"]["p50"] > 1
    assert level["server_cpu_ms_per_frame"] > 1


def test_a_missing_browser_is_one_line() -> None:
    done = lacquer("--browser", "/no/such/browser")
    assert done.returncode == 1
    assert done.stderr.startswith("error: /no/such/browser is no program that can be run; install it")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("arguments", [("--help",), ("capacity", "--help")])
def test_help_teaches_by_example(arguments: tuple[str, ...]) -> None:
    assert "Example" in lacquer(*arguments).stdout
