"""The benchmark as a page: figures beside targets, latency frame by frame, a picture before and after."""

from __future__ import annotations

from pathlib import Path

from media_worker.bench.browser_run import Grabbed
from media_worker.bench.machine import as_line
from media_worker.bench.results import Results, Run
from media_worker.evaluation import page
from media_worker.evaluation.panels import save

CURVE_MS = 200.0
"""Latency at the top of a curve."""


def write(results: Results, pictures: dict[str, Grabbed], folder: Path) -> Path:
    """Writes the page and its pictures; returns the page. The folder is made if need be. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = [part for number, run in enumerate(results.runs) for part in _run(results, run, pictures, folder, number)]
    about = f"{as_line(results.machine)}. Camera: {results.camera}, 640x480 at 30 fps; {results.seconds:g} s a run."
    return page.write(folder, "Lacquer in a real browser", about, parts)


def _run(results: Results, run: Run, pictures: dict[str, Grabbed], folder: Path, number: int) -> list[str]:
    parts = [page.heading(run.name), page.side_by_side(page.figure_table(results.figures(run)))]
    parts += [_curve(run)] if run.latency else []
    if grabbed := pictures.get(run.name):
        shown = [
            page.Picture(save(grabbed.sent, folder, f"run-{number}-sent.jpg"), "as the browser sent it"),
            page.Picture(save(grabbed.returned, folder, f"run-{number}-returned.jpg"), "as it came back"),
        ]
        parts.append(page.case("The same frame", "", shown))
    return parts


def _curve(run: Run) -> str:
    latencies = run.streams[0].latencies
    shares = [min(value / CURVE_MS, 1.0) for value in latencies]
    late = [index for index, value in enumerate(latencies) if value > CURVE_MS]
    return page.curve(shares, late, f"Latency of each frame, 0 to {CURVE_MS:.0f} ms; ticks mark later ones")
