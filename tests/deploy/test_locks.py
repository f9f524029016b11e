"""What is installed is what was locked: by version and by hash, from wherever the installer is set up to fetch."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from deploy.licences import LOCK, NPM_LOCKS, ROOT

LOCKS = (LOCK, ROOT / "tests" / "requirements.lock")


def logical_lines(lock: Path) -> list[str]:
    return [
        " ".join(line.split()) for line in lock.read_text("utf-8").replace("\\\n", " ").splitlines() if line.strip()
    ]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_requirement_has_a_version_and_hashes(lock: Path) -> None:
    lines = logical_lines(lock)
    assert len(lines) > 50
    requirement = re.compile(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!_-]+( ; [^\\]+?)?( --hash=sha256:[0-9a-f]{64})+")
    assert [line for line in lines if not line.startswith("#") and not requirement.fullmatch(line)] == []


def test_what_tests_run_with_is_what_is_shipped() -> None:
    pins = [dict(re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", lock.read_text("utf-8"), re.M)) for lock in LOCKS]
    shipped, tested = pins
    assert {name: tested.get(name, version) for name, version in shipped.items()} == shipped


@pytest.mark.parametrize("lock", NPM_LOCKS, ids=lambda path: str(path.relative_to(ROOT)))
def test_npm_packages_have_hashes_and_no_addresses(lock: Path) -> None:
    packages = {path: about for path, about in json.loads(lock.read_text("utf-8"))["packages"].items() if path}
    assert packages
    for path, about in packages.items():
        assert re.fullmatch(r"sha512-[A-Za-z0-9+/]{86}==", about["integrity"]), path
        assert "resolved" not in about, path
