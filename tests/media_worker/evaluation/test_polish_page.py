from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from media_worker.drawn_hand import Scene
from media_worker.evaluation import polish, polish_cost, polish_page, polish_steadiness
from media_worker.evaluation.polish import PolishReport
from media_worker.evaluation.polish_colour import OPAQUE, SWATCHES, UNDERCOATS, Fidelity, Hiding, Sample
from media_worker.evaluation.polish_cost import Cost, CostReport
from media_worker.evaluation.polish_steadiness import Drift, Flicker, FlickerReport, StickingReport
from media_worker.evaluation.round_trip import RoundTripReport, Trip
from media_worker.files import Progress
from protocol.designs import Finger, Finish, Pattern

SMALL = Scene(width=320, height=240, still=True)


def report() -> PolishReport:
    swatches = [Sample(c, f, "light", SMALL, np.array([1.0 + k])) for f in OPAQUE for k, c in enumerate(SWATCHES)]
    unders = [Sample("#F3D3D1", f, under, SMALL, np.array([0.5])) for f in OPAQUE for under in UNDERCOATS]
    return PolishReport(
        Fidelity(swatches),
        Hiding(unders),
        StickingReport([Drift("sweep", False, 0.001, 1.0), Drift("sweep", True, None, 0.0)]),
        FlickerReport([Flicker(Finish.CREAM, False, 2.0, 1.5)]),
        CostReport([Cost("cream", 0.2)], [Cost("long coffin", 0.3)]),
        RoundTripReport([Trip(Pattern.DOTS, "dark", Finger.RING, 0.9, 3.0, True)]),
    )


def test_the_worst_are_shown_beside_their_swatch(tmp_path: Path) -> None:
    page = polish_page.write(report(), tmp_path / "new").read_text("utf-8")
    assert page.index(SWATCHES[-1]) < page.index(SWATCHES[-2]), "the worst first"
    linked = set(re.findall(r'src="([^"]+)"', page))
    assert linked == {file.name for file in (tmp_path / "new").iterdir()} - {"index.html"}
    assert len(linked) == 2 * 3 * polish_page.CASES


def test_a_report_is_json(tmp_path: Path) -> None:
    told = json.loads(json.dumps(report().as_dict()))
    assert set(told) == {"fidelity", "hiding", "sticking", "flicker", "cost", "round_trip"}
    assert told["sticking"]["live"]["sweep"] == {"moved": None, "seen": 0.0}
    assert told["cost"]["ms_per_nail"]["cream"] == 0.2


def test_all_is_measured_without_a_hand_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("media_worker.evaluation.polish_colour.SWATCHES", ("#B3001B",))
    monkeypatch.setattr("media_worker.evaluation.polish_colour.HIDING_COLOURS", ("#B3001B",))
    monkeypatch.setattr(polish_steadiness, "FRAMES", 3)
    monkeypatch.setattr(polish_steadiness, "SETTLE", 1)
    monkeypatch.setattr(polish_cost, "REPEATS", 1)
    monkeypatch.setattr(polish_cost, "WARM_UP", 0)
    parts: list[str] = []

    def bar(part: str) -> Progress:
        parts.append(part)
        return lambda done, total: None

    measured = polish.evaluate(None, bar)
    assert parts == ["colours", "hiding", "sticking", "flicker", "cost", "round trip"]
    names = [figure.name for figure in measured.figures()]
    assert len(set(names)) == len(names) and not [name for name in names if "live" in name]
    assert all(figure.value is not None for figure in measured.figures())
