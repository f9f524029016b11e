from __future__ import annotations

from pathlib import Path

import pytest

from media_worker.bench import devtools
from media_worker.bench.errors import BenchError


def browser(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_text("#!/bin/sh\nexit 1\n")
    path.chmod(0o755)
    return path


def test_a_browser_is_found_by_the_names_it_goes_by(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BenchError, match="no Chromium was found on PATH; install it"):
        devtools.find(None)
    chrome = browser(tmp_path, "google-chrome")
    assert devtools.find(None) == str(chrome)
    assert devtools.find(str(browser(tmp_path, "mine"))) == str(tmp_path / "mine")
    with pytest.raises(BenchError, match="nowhere is no program that can be run"):
        devtools.find("nowhere")


async def test_a_browser_that_does_not_start_is_said(tmp_path: Path) -> None:
    broken = browser(tmp_path, "broken")
    with pytest.raises(BenchError, match="did not start"):
        async with devtools.page(
            str(broken), tmp_path / "camera.mjpeg", tmp_path / "profile", "http://127.0.0.1:1/", "true"
        ):
            pass
