"""The import rule of the README, and what a newcomer expects to find."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

ALLOWED = {
    "protocol": {"protocol"},
    "media_worker": {"protocol", "media_worker"},
    "signaling": {"protocol", "signaling"},
}
OURS = set(ALLOWED) | {"tests"}
KNOWS_BOTH = ROOT / "signaling" / "cli.py"


def imports(file: Path) -> Iterator[str]:
    """Top-level names of everything that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            yield node.module or ""


@pytest.mark.parametrize("package", ALLOWED)
def test_packages_import_only_what_they_may(package: str) -> None:
    files = [file for file in (ROOT / package).rglob("*.py") if file != KNOWS_BOTH]
    assert len(files) > 3
    for file in files:
        ours = {name.split(".")[0] for name in imports(file)} & OURS
        assert ours <= ALLOWED[package], f"{file} imports {ours - ALLOWED[package]}"


def test_vision_knows_nothing_of_the_network() -> None:
    for file in (ROOT / "media_worker" / "vision").rglob("*.py"):
        assert not {name.split(".")[0] for name in imports(file)} & {"aiortc", "aiohttp", "aioice"}, file


@pytest.mark.parametrize("file", [*sorted(ROOT.glob("*/README.md")), ROOT / "README.md"], ids=str)
def test_links_between_documents_lead_somewhere(file: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", file.read_text("utf-8")):
        assert (file.parent / target).exists(), f"{file} links to {target}"


def test_lock_files_name_no_addresses() -> None:
    for name in ("requirements.lock", "tests/requirements.lock", "tests/web/package-lock.json"):
        assert "://" not in (ROOT / name).read_text("utf-8"), name
