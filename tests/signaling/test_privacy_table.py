"""What is kept, where and how long: each row of that table in signaling/README.md names tests, and they exist."""

from __future__ import annotations

import re
from pathlib import Path

import signaling


def rows() -> list[list[str]]:
    """Of the table in signaling/README.md: what, where, how long, tested by."""
    readme = (Path(signaling.__file__).parent / "README.md").read_text("utf-8")
    table = readme.partition("## What is kept, where and how long")[2].partition("\n## ")[0]
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line[:2] == "| "]
    return found[1:]


def named(row: list[str]) -> list[str]:
    return re.findall(r"`(test_\w+)`", row[3])


def functions() -> dict[str, set[str]]:
    """Each test there is, with the files that have it."""
    found: dict[str, set[str]] = {}
    for path in Path(__file__).parents[1].rglob("test_*.py"):
        for name in re.findall(r"^(?:async )?def (test_\w+)\(", path.read_text("utf-8"), re.M):
            found.setdefault(name, set()).add(path.name)
    return found


def test_every_row_of_what_is_kept_names_tests_that_exist() -> None:
    known = functions()
    assert len(rows()) >= 8
    for row in rows():
        assert len(row) == 4 and named(row), row
        assert [name for name in named(row) if name not in known] == [], row


def test_what_is_kept_for_days_names_a_test_of_that() -> None:
    """Not only what is kept: also that it goes."""
    known = functions()
    kept = [row for row in rows() if "LACQUER_RETENTION_DAYS" in row[2] or "as results" in row[2]]
    assert len(kept) == 2
    for row in kept:
        assert any("test_retention.py" in known[name] for name in named(row)), row


def test_every_test_of_what_is_kept_is_in_the_table() -> None:
    ours = {name for name, files in functions().items() if "test_privacy.py" in files}
    assert ours and ours <= {name for row in rows() for name in named(row)}
