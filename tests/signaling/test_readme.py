"""The reference in signaling/README.md names everything that exists, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import signaling
from protocol import errors
from signaling.app import OPERATIONS
from signaling.metrics import Metrics
from signaling.settings import Settings

README = (Path(signaling.__file__).parent / "README.md").read_text("utf-8")


def test_every_setting_is_explained() -> None:
    rows = re.findall(r"^\| `LACQUER_(\w+)` \|", README, re.M)
    assert [row.lower() for row in rows] == list(Settings.model_fields)


def test_every_operation_is_listed() -> None:
    for operation in OPERATIONS:
        assert f"`{operation.path}`" in README, operation.path


def test_every_error_has_its_numbers() -> None:
    rows = {code: (int(http), int(close)) for code, http, close in re.findall(r"`(\w+)` \| (\d+) \| (\d+)", README)}
    elsewhere = {"bad_header", "bad_message", "unknown_type"}
    assert rows == {
        code: (kind.status, kind.close_code) for code, kind in errors.BY_CODE.items() if code not in elsewhere
    }
    assert all(f"`{code}`" in README for code in elsewhere)


def test_every_metric_is_in_the_table() -> None:
    ours = {family.name for family in Metrics().registry.collect() if family.name.startswith("lacquer_")}
    rows = re.findall(r"^\| (`lacquer_.*?) \| ", README, re.M)
    told = {re.sub(r"_total$", "", name) for row in rows for name in re.findall(r"`(lacquer_\w+)`", row)}
    assert told == ours
