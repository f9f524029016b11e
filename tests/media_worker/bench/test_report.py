from __future__ import annotations

from pathlib import Path

import numpy as np

from media_worker.bench import machine, report
from media_worker.bench.browser_run import Grabbed
from media_worker.bench.results import ECHO, OURS, Results
from tests.media_worker.bench.test_results import run


def test_a_page_with_figures_curves_and_pictures(tmp_path: Path) -> None:
    results = Results(machine.describe(), "drawn hand", 10, [run(latency=40), run(ECHO, latency=80)])
    grey = np.full((480, 640, 3), 128, np.uint8)
    page = report.write(results, {results.runs[0].name: Grabbed(grey, grey)}, tmp_path / "bench")
    text = page.read_text("utf-8")
    assert "lacquer, h264, 1 stream" in text
    assert "latency p50 to the stock echo&#x27;s" in text
    assert text.count("<svg") == 2
    pictures = {path.name for path in page.parent.glob("*.jpg")}
    assert pictures == {"run-0-sent.jpg", "run-0-returned.jpg"}
    assert all(name in text for name in pictures)


def test_the_machine_is_told_in_a_line() -> None:
    described = machine.describe()
    line = machine.as_line(described)
    assert f"{described['cores']} cores" in line
    assert f"Python {described['python']}" in line
    assert described["processor"]
    assert OURS not in line
