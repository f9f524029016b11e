"""`make audit` where the lists of vulnerabilities can be asked, and where not. What asks the internet is replaced."""

from __future__ import annotations

import json
import subprocess
from types import SimpleNamespace
from typing import Any

import pytest

from deploy import audit

CLEAN = {"dependencies": [{"name": "aiohttp", "version": "3.14.5", "vulns": []}]}
HOLE = {"id": "PYSEC-1", "fix_versions": ["3.15.0"]}
HOLED = {"dependencies": [{"name": "aiohttp", "version": "3.14.5", "vulns": [HOLE]}]}
AWAY = "requests.exceptions.ConnectionError: Max retries exceeded"


def says(monkeypatch: pytest.MonkeyPatch, pip: Any, npm: Any, words: str = "") -> None:
    def run(command: list[str], **_: object) -> object:
        answer = npm if command[0] == "npm" else pip
        return SimpleNamespace(stdout=json.dumps(answer) if answer else "", stderr=words)

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")


@pytest.mark.parametrize(
    ("pip", "npm", "code", "told"),
    [
        (CLEAN, {"vulnerabilities": {}}, audit.NONE, "1 Python packages: nothing is known"),
        (HOLED, {"vulnerabilities": {}}, audit.SOME, "aiohttp 3.14.5: PYSEC-1, mended in 3.15.0"),
        (CLEAN, {"vulnerabilities": {"x": {"severity": "high"}}}, audit.SOME, "tests/web: x, high"),
        (None, {"vulnerabilities": {}}, audit.UNKNOWN, "there is no way to the list of vulnerabilities from here"),
        (CLEAN, {"message": "offline"}, audit.UNKNOWN, "tests/web was not looked at"),
    ],
)
def test_what_is_known(
    pip: Any,
    npm: Any,
    code: int,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    *,
    capsys: pytest.CaptureFixture[str],
) -> None:
    says(monkeypatch, pip, npm, AWAY)
    assert audit.main() == code
    said = capsys.readouterr()
    assert told in said.out + said.err
