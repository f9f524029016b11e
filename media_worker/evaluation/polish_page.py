"""The report on polish: figures, then the polish that is farthest off, enlarged."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from media_worker.drawn_hand import draw
from media_worker.evaluation import page
from media_worker.evaluation.panels import save, view_of
from media_worker.evaluation.polish import PolishReport
from media_worker.evaluation.polish_colour import Sample, rgb_of

CASES = 8
"""Of each kind."""


def write(report: PolishReport, folder: Path) -> Path:
    """Writes the page and its pictures; returns the page. The folder is made if need be. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    figures = page.side_by_side(page.figure_table(report.figures()))
    parts = [
        figures,
        page.heading("Farthest from their swatch", "Cream on three skins; ΔE2000 in the median, highlights left out."),
        *_cases(report.fidelity.worst(CASES), folder, "swatch"),
        page.heading("Shining through", "The same polish over painted nails and over bare ones; ΔE2000 in the median."),
        *_cases(report.hiding.worst(CASES), folder, "hiding"),
    ]
    return page.write(folder, "Polish on the drawn hand", "Painted on the hand's true nails by the renderer.", parts)


def _cases(samples: list[Sample], folder: Path, stem: str) -> list[str]:
    return [_case(sample, folder, f"{stem}-{number:02}") for number, sample in enumerate(samples, 1)]


def _case(sample: Sample, folder: Path, stem: str) -> str:
    bare = draw(sample.scene, 0)
    view = view_of([nail.outline for nail in bare.nails[1:4]], *bare.rgb.shape[1::-1])
    pictures = [
        page.Picture(save(view.of(bare.rgb), folder, f"{stem}-before.jpg"), f"before: {sample.hand}"),
        page.Picture(save(view.of(sample.picture()), folder, f"{stem}-painted.jpg"), sample.finish.value),
        page.Picture(save(np.tile(rgb_of(sample.colour), (240, 320, 1)), folder, f"{stem}-swatch.jpg"), "swatch"),
    ]
    return page.case(f"{sample.colour} {sample.finish}", f"ΔE2000 {sample.median:.2f}", pictures)
