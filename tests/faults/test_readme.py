"""The table of faults names tests that exist, and every test here is in it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROWS = [
    line for line in (Path(__file__).parent / "README.md").read_text("utf-8").splitlines() if line.startswith("| **")
]
NAMED = [test for row in ROWS for test in re.findall(r"`(tests/[\w/]+\.py::\w+)`", row)]


def functions_of(file: Path) -> set[str]:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, functions)}


def test_every_named_test_exists() -> None:
    assert len(ROWS) > 20
    for test in NAMED:
        file, _, name = test.partition("::")
        assert (ROOT / file).is_file(), test
        assert name in functions_of(ROOT / file) and name.startswith("test_"), test


def test_every_row_says_all_four_things_and_has_a_test() -> None:
    for row in ROWS:
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert len(cells) == 4 and all(cells), row
        assert re.search(r"`tests/.+::test_", cells[3]), row


def test_every_test_of_a_fault_is_in_the_table() -> None:
    files = [file for file in Path(__file__).parent.glob("test_*.py") if file.name != Path(__file__).name]
    ours = {
        f"tests/faults/{file.name}::{name}" for file in files for name in functions_of(file) if name.startswith("test_")
    }
    assert ours and not ours - set(NAMED)
