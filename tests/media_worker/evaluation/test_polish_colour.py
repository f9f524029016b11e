from __future__ import annotations

import numpy as np
import pytest

from media_worker.drawn_hand import Scene
from media_worker.evaluation import polish_colour
from media_worker.evaluation.polish_colour import SWATCHES, Fidelity, Hiding, Sample, matt, rgb_of
from media_worker.vision.arrays import Pixels
from protocol.designs import Finish


def sample(finish: Finish, gaps: list[float], colour: str = SWATCHES[0], hand: str = "red") -> Sample:
    return Sample(colour, finish, hand, Scene(), np.array(gaps))


def test_the_brightest_pixels_of_each_nail_are_no_colour() -> None:
    picture = np.full((10, 20, 3), 100, np.uint8)
    picture[0, :10] = 255  # a highlight on a tenth of the left nail
    left = np.zeros((10, 20), bool)
    left[:, :10] = True
    shown = list(matt(picture, [left, ~left]))
    assert [len(pixels) for pixels in shown] == [85, 85]
    assert (np.concatenate(shown) == 100).all()


def test_a_nail_too_bright_as_a_whole_is_not_excused() -> None:
    picture = np.full((10, 10, 3), 200, np.uint8)
    assert (next(matt(picture, [np.ones((10, 10), bool)])) == 200).all()


def test_one_bad_colour_shows() -> None:
    good = [sample(Finish.CREAM, [1.0] * 50, colour) for colour in SWATCHES[1:]]
    report = Fidelity([*good, sample(Finish.CREAM, [9.0] * 50), *(sample(f, [5.0]) for f in polish_colour.OPAQUE[1:])])
    figures = {figure.name: figure for figure in report.figures()}
    assert figures["cream, ΔE2000 median"].value == 1 and figures["cream, ΔE2000 median"].met
    worst = figures["cream, worst colour's median"]
    assert (worst.value, worst.note, worst.met) == (9, SWATCHES[0], False)
    assert report.as_dict()["finishes"]["gloss"]["median"] == 5
    assert [each.colour for each in report.worst(1)] == [SWATCHES[0]]


def test_one_undercoat_that_shines_through_shows() -> None:
    hands = {"red": 1.0, "white": 1.0, "black": 20.0, "French": 1.0}
    samples = [sample(f, [gap] * 9, hand=hand) for f in polish_colour.OPAQUE for hand, gap in hands.items()]
    figures = {figure.name: figure.met for figure in Hiding(samples).figures()}
    assert figures["cream hides red, ΔE2000 median"] and not figures["cream hides black, ΔE2000 median"]
    assert not figures["gloss hides black, ΔE2000 median"]
    assert "gloss hides red, ΔE2000 median" not in figures, "the worst alone"


def test_measures_of_a_brush_that_paints_the_swatch_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """A renderer without shading: nothing is off, and nothing shines through."""

    def flat(drawing: object, look: object) -> Pixels:
        return np.full((480, 640, 3), rgb_of("#B3001B"), np.uint8)

    monkeypatch.setattr(polish_colour, "paint", flat)
    monkeypatch.setattr(polish_colour, "SWATCHES", ("#B3001B", "#B3001C"))
    monkeypatch.setattr(polish_colour, "OPAQUE", (Finish.CREAM,))
    steps: list[tuple[int, int]] = []
    exact = polish_colour.fidelity(lambda done, total: steps.append((done, total))).as_dict()["cream_by_colour"]
    assert exact["#B3001B"] == {"median": 0, "p95": 0}
    assert 0 < exact["#B3001C"]["median"] < 1
    assert steps[-1] == (6, 6)
    assert polish_colour.hiding(lambda done, total: None).as_dict()["cream"]["black"]["p95"] == 0


def test_cream_is_near_its_swatch_and_hides_red(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polish_colour, "SWATCHES", ("#B3001B", "#9CC8EC"))
    monkeypatch.setattr(polish_colour, "OPAQUE", (Finish.CREAM,))
    assert polish_colour.fidelity(lambda done, total: None).as_dict()["cream"]["median"] < 4
    assert polish_colour.hiding(lambda done, total: None).as_dict()["cream"]["red"]["median"] < 4
