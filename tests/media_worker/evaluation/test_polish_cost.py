from __future__ import annotations

import numpy as np
import pytest

from media_worker.drawn_hand import draw
from media_worker.evaluation import polish_cost
from media_worker.evaluation.polish_cost import SCENE, Cost, CostReport
from protocol.designs import Finish, Pattern, Shape


def test_the_nails_that_are_timed_have_the_size_that_is_said() -> None:
    nails = draw(SCENE, 0).nails
    lengths = [float(np.hypot(*(nail.axis[1] - nail.axis[0]))) for nail in nails]
    widths = [
        float(np.ptp(nail.outline @ [[-a[1]], [a[0]]]) / np.hypot(*a))
        for nail in nails
        for a in [np.diff(nail.axis, axis=0)[0]]
    ]
    assert np.mean(lengths) == pytest.approx(50, rel=0.06)
    assert np.mean(widths) == pytest.approx(38, rel=0.06)


def test_every_finish_pattern_and_shape_has_a_price(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polish_cost, "REPEATS", 1)
    monkeypatch.setattr(polish_cost, "WARM_UP", 1)
    report = polish_cost.cost(lambda done, total: None).as_dict()
    names = [finish.value for finish in Finish] + [pattern.value for pattern in Pattern if pattern is not Pattern.SOLID]
    assert list(report["ms_per_nail"]) == names
    assert list(report["ms_per_nail_grown"]) == [f"long {shape.value}" for shape in Shape]
    assert all(0 < each < 20 for prices in report.values() for each in prices.values())


def test_the_dearest_look_is_named() -> None:
    report = CostReport([Cost("cream", 0.2), Cost("dots", 0.9), Cost("gloss", 0.3)], [Cost("long round", 0.5)])
    typical, dearest, grown = report.figures()
    assert (typical.value, typical.met) == (0.3, True)
    assert (dearest.value, dearest.note, dearest.met) == (0.9, "dots", False)
    assert grown.note == "long round"
