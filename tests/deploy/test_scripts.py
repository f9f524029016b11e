"""Shell scripts, by shellcheck."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.deploy.files import DEPLOY, ROOT
from tests.deploy.programs import check

SCRIPTS = [*DEPLOY.rglob("*.sh"), ROOT / ".ci" / "run"]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_shellcheck_has_nothing_to_say(script: Path) -> None:
    assert check("shellcheck", "the Debian package shellcheck", script) == ""
