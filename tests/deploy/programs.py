"""Validators that are programs: run, or skipped with what to install."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest


def find(program: str, package: str) -> str:
    """Its path: beside this Python (where pip puts programs), else anywhere. Skips where it is missing."""
    beside = Path(sys.executable).parent / program
    found = str(beside) if beside.exists() else shutil.which(program)
    if found is None:
        pytest.skip(f"needs {program}: install {package}")
    return found


def check(program: str, package: str, *arguments: str | Path, **environment: str) -> str:
    """What it says on stdout. Fails with all that it says where it objects."""
    done = run(program, package, *arguments, environment=environment)
    assert done.returncode == 0, f"{program} {' '.join(map(str, arguments))}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def run(
    program: str, package: str, *arguments: str | Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    command = [find(program, package), *map(str, arguments)]
    variables = {**os.environ, **environment}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=variables, timeout=60)
