"""The report on videos and on the drawn hand: figures, curves over time, and contact sheets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from media_worker.evaluation import page
from media_worker.evaluation.drawn import SCENES, DrawnReport, SceneReport, photograph
from media_worker.evaluation.panels import FRAME, View, save, view_of, with_nails, with_outlines
from media_worker.evaluation.videos import VideoReport, frames, rgb_of

EVEN, WORST, POPS = 12, 8, 8
"""Frames on a sheet: evenly spaced, of least agreement, and where nails popped."""

APART = 5
"""Frames that two of the worst lie apart at least: neighbours look the same."""


def write(
    reports: Sequence[VideoReport], drawn: DrawnReport | None, folder: Path, title: str, *, height: int | None = None
) -> Path:
    """Writes the page and its pictures; returns the page. `height` is the one the videos were measured with."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = [page.legend(truth=drawn is not None)]
    for number, report in enumerate(reports, 1):
        parts += _video(report, folder, f"{number:02}", height)
    if drawn:
        parts.append(page.heading("The drawn hand", "Its nails and its motion are known; noise of 4 and JPEG 60."))
        parts.append(page.side_by_side(page.figure_table(drawn.figures())))
        for scene in drawn.scenes:
            parts += _scene(scene, folder)
    said = "Outlines as a live session would paint them, frame by frame."
    return page.write(folder, title, said, parts)


def chosen(report: VideoReport) -> dict[int, str]:
    """The frames to look at, in order, with the reason for each."""
    last = len(report.seen) - 1
    reasons = {round(index): "" for index in np.linspace(0, last, min(EVEN, last + 1))}
    agreements = [(seen.agreement, index) for index, seen in enumerate(report.seen) if seen.agreement is not None]
    for agreement, index in _apart(sorted(agreements)):
        reasons[index] = f"agreement {agreement:.2f}"
    for index in list(dict.fromkeys(report.tracks.pops()))[:POPS]:
        reasons[index] = f"{reasons[index]}, pop" if reasons.get(index) else "pop"
    if report.no_hands:
        false = [index for index, seen in enumerate(report.seen) if seen.nails]
        reasons |= {index: "false nail" for index in false[:: max(len(false) // WORST, 1)]}
    return dict(sorted(reasons.items()))


def _video(report: VideoReport, folder: Path, prefix: str, height: int | None) -> Iterable[str]:
    reasons = chosen(report)
    pictures = []
    for index, (i420, timestamp_ms) in enumerate(frames(report.video, height)):
        if index not in reasons:
            continue
        rgb, seen = rgb_of(i420), report.seen[index]
        view = View(0, 0, rgb.shape[1], rgb.shape[0], FRAME)
        name = save(with_nails(view.of(rgb), view, seen.nails), folder, f"{prefix}-{index:06}.jpg")
        nails = f"{len(seen.nails)} nail" + ("" if len(seen.nails) == 1 else "s")
        caption = " · ".join(
            part for part in (f"frame {index}, {timestamp_ms / 1000:.1f} s", nails, reasons[index]) if part
        )
        pictures.append(page.Picture(name, caption))
    over_time = [seen.agreement for seen in report.seen]
    explained = "Agreement of each frame's mask with the warped one before it, 0 to 1, over time; ticks are pops."
    return [
        page.heading(report.video.name),
        page.side_by_side(page.figure_table(report.figures())),
        page.curve(over_time, report.tracks.pops(), explained),
        page.sheet(pictures),
    ]


def _scene(report: SceneReport, folder: Path) -> Iterable[str]:
    """Frames from the worst to the median one, and the best."""
    ranked = sorted(report.frames, key=lambda frame: frame.iou)
    places = [*np.linspace(0, len(ranked) // 2, 3).round().astype(int), -1]
    pictures = []
    for number, frame in enumerate(ranked[place] for place in places):
        drawing, rgb = photograph(SCENES[report.name], frame.seconds)
        true = [np.asarray(nail.outline, np.float32) for nail in drawing.nails]
        view = view_of(true, rgb.shape[1], rgb.shape[0])
        panel = with_nails(with_outlines(view.of(rgb), view, true), view, frame.nails)
        file = save(panel, folder, f"drawn-{report.name.replace(' ', '-')}-{number}.jpg")
        pictures.append(page.Picture(file, f"{frame.seconds:.2f} s · IoU {frame.iou:.2f}"))
    return [page.heading(report.name.capitalize()), page.sheet(pictures)]


def _apart(worst: Iterable[tuple[float, int]]) -> list[tuple[float, int]]:
    """The first WORST whose frames are not close together."""
    kept: list[tuple[float, int]] = []
    for agreement, index in worst:
        if len(kept) < WORST and all(abs(index - other) >= APART for _, other in kept):
            kept.append((agreement, index))
    return kept
