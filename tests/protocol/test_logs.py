"""Logs as they are written, in a process of their own: the configuration is one for all."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

PROGRAM = """
import logging, sys
import structlog
from protocol import logs
logs.configure(sys.argv[1], sys.argv[2], addresses=sys.argv[3] == "addresses")
log = structlog.get_logger("signaling.somewhere")
log.debug("a detail", size=7)
token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl"
log.info("refused", token=token, url=f"/?token={token}", peer="203.0.113.7", body=b"\\xff\\xd8\\xff")
logging.getLogger("aiohttp.server").error("from %s: Authorization: Bearer abcdefghijkl", "203.0.113.7")
logging.getLogger("PIL.TiffImagePlugin").debug("tag: GPSInfoIFD - value: 52.5")
logging.getLogger("aiosqlite").debug("INSERT INTO results VALUES ('ann')")
try:
    raise ValueError("cannot read v=0\\r\\no=- 1 1 IN IP4 203.0.113.7\\r\\n")
except ValueError:
    log.exception("failed")
"""


def written(log_format: str, level: str = "DEBUG", addresses: str = "") -> str:
    command = [sys.executable, "-c", PROGRAM, log_format, level, addresses]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stderr


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_no_line_shows_a_secret_whoever_wrote_it(log_format: str) -> None:
    text = written(log_format)
    for secret in ("eyJ", "abcdefghijkl", "203.0.113.7", "xff", "u00ff", "o=-", "GPSInfo", "INSERT"):
        assert secret not in text, text
    for kept in ("a detail", "[3 bytes]", "Traceback", "ValueError", "refused"):
        assert kept in text


def test_json_stays_json() -> None:
    events = [json.loads(line) for line in written("json").splitlines()]
    assert [event["event"].split(":")[0] for event in events] == ["a detail", "refused", "from [address]", "failed"]
    assert "[sdp]" in events[-1]["exception"]


def test_addresses_are_shown_where_they_are_wanted() -> None:
    text = written("console", "INFO", "addresses")
    assert text.count("203.0.113.7") == 2, "but none of an SDP"
    assert "a detail" not in text
