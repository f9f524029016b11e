"""The report on photos: figures, then the worst cases side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from media_worker import files
from media_worker.evaluation import page
from media_worker.evaluation.panels import mask_outlines, save, view_of, with_nails, with_outlines
from media_worker.evaluation.stills import Case, NegativeReport, StillReport, read_mask
from media_worker.vision.calibration import Calibration
from media_worker.vision.nails import Nail

CASES = 40
"""More are not looked at."""


def write(report: StillReport | NegativeReport, folder: Path, title: str) -> Path:
    """Writes the page and its pictures; returns the page. The folder is made if need be. Raises OSError, BadImage."""
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(report, NegativeReport):
        worst = sorted((case for case in report.cases if case.false_nails), key=lambda case: -case.false_nails)
        said = f"{len(report.cases)} photos without a nail: everything found is false."
        figures = page.side_by_side(page.figure_table(report.figures()))
    else:
        worst = sorted(report.cases, key=lambda case: case.score.iou)
        said = f"{len(report.cases)} photos against masks drawn by people."
        figures = page.side_by_side(page.figure_table(report.figures()), _calibration(report.metrics.calibration))
    cards = [_card(case, folder, number) for number, case in enumerate(worst[:CASES], 1)]
    which = f"{len(cards)} of {len(worst)}." if cards else "Nothing to show: nothing false was found."
    legend = page.legend(truth=isinstance(report, StillReport))
    return page.write(folder, title, said, [figures, page.heading("Worst first", which), legend, *cards])


def remarks(case: Case) -> str:
    """The figures of one photo in a line."""
    score = case.score
    confidences = ", ".join(f"{nail.confidence:.2f}" for nail in case.nails)
    found = f"found {score.predicted_nails}" + (f" (confidence {confidences})" if confidences else "")
    no_hand = " · no hand" if score.no_hand else ""
    if case.mask is None:
        return f"{found}{no_hand}"
    tone = f" · ITA {case.tone:.0f}°" if case.tone is not None else ""
    return (
        f"IoU {score.iou:.3f} · boundary F {score.boundary_f:.2f} · {found}, "
        f"matched {score.matched_nails} of {score.true_nails}{tone}{no_hand}"
    )


def _card(case: Case, folder: Path, number: int) -> str:
    rgb = files.read_image(case.photo)
    truth = mask_outlines(read_mask(case.mask, rgb)) if case.mask else []
    view = view_of([*truth, *(nail.outline for nail in case.nails)], rgb.shape[1], rgb.shape[0])
    plain = view.of(rgb)
    pictures = [page.Picture(save(plain, folder, f"{number:03}-photo.jpg"), "photo")]
    if case.mask:
        true = save(with_outlines(plain, view, truth), folder, f"{number:03}-true.jpg")
        pictures.append(page.Picture(true, "true outline"))
    found = save(with_nails(plain, view, case.nails), folder, f"{number:03}-found.jpg")
    pictures.append(page.Picture(found, _names(case.nails)))
    return page.case(case.photo.name, remarks(case), pictures)


def _names(nails: Sequence[Nail]) -> str:
    named = [nail.finger.value for nail in nails if nail.finger is not None]
    return "found" + (f": {', '.join(named)}" if named else "")


def _calibration(calibration: Calibration) -> str:
    rows = [
        (
            f"{each.low:.1f}–{each.high:.1f}",
            str(each.nails),
            f"{each.confidence:.2f}",
            f"{each.right:.2f}",
            page.bar(each.right),
        )
        for each in calibration.bins
        if each.nails
    ]
    return page.table(("confidence", "nails", "mean", "right", ""), rows)
