from __future__ import annotations

import re
from pathlib import Path

import media_worker
from media_worker.settings import WorkerSettings


def test_every_setting_is_explained() -> None:
    """In the README's table, and nothing but those."""
    text = (Path(media_worker.__file__).parent / "README.md").read_text("utf-8")
    table = text.partition("## Settings")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (.+?) \|", table, re.M)
    named = [name.lower() for row in rows for name in re.findall(r"`LACQUER_(\w+)`", row)]
    assert named == list(WorkerSettings.model_fields)
