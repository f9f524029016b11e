from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from media_worker.drawn_hand import Drawing, DrawnNail, Scene, draw
from media_worker.evaluation import polish_steadiness as steadiness
from media_worker.evaluation.drawn import SIGMA, photograph
from media_worker.evaluation.videos import i420_of
from media_worker.evaluation.worn import paint
from media_worker.vision.arrays import Pixels
from protocol.designs import Finish

LARGE = Scene(width=1312, height=984, still=True, noise=0)


def moved(nail: DrawnNail, across: float, along: float) -> DrawnNail:
    """A nail that lies elsewhere, in nail lengths of its own axis."""
    axis = nail.axis[1] - nail.axis[0]
    offset = across * np.array([-axis[1], axis[0]]) + along * axis
    return DrawnNail(nail.finger, nail.hand, nail.outline + offset, nail.axis + offset)


@pytest.mark.parametrize(("across", "along"), [(0.05, 0), (0, 0.05), (-0.1, 0.03)])
def test_a_pattern_off_its_place_is_measured(across: float, along: float) -> None:
    drawing = draw(LARGE, 0)
    painted = paint(drawing, steadiness.patterned())
    for nail in drawing.nails:
        at_home = steadiness.displacement(painted, nail)
        away = steadiness.displacement(painted, moved(nail, -across, -along))
        assert at_home is not None and np.hypot(*at_home) < 0.005
        assert away == pytest.approx([across, along], abs=0.006)


def test_a_bare_nail_shows_no_pattern() -> None:
    drawing = draw(LARGE, 0)
    assert [steadiness.displacement(drawing.rgb, nail) for nail in drawing.nails] == [None] * 5


def test_the_renderer_keeps_its_pattern_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steadiness, "FRAMES", 12)
    report = steadiness.sticking(None, lambda done, total: None)
    assert [clip.seen for clip in report.clips] == [1.0] * 4
    assert max(clip.moved or 1 for clip in report.clips) < 0.02
    assert all(figure.met for figure in report.figures())


def test_flicker_is_what_paint_adds_to_the_camera() -> None:
    scene = Scene(width=320, height=240, still=True, noise=SIGMA)
    frames = [(drawing, i420_of(rgb)) for drawing, rgb in (photograph(scene, index / 30) for index in range(45))]

    def lamp(drawing: Drawing, frame: Pixels, milliseconds: int) -> None:
        """Luma 100 and 110 by turns in a corner: 5 levels about their mean."""
        frame[:40, :40] = 100 + 10 * (round(milliseconds * 30 / 1000) % 2)

    seen = steadiness._flicker(frames, Finish.CREAM, lamp, live=False)
    assert seen.painted == pytest.approx(5 * 255 / 219, rel=0.01)
    assert 1 < seen.camera < SIGMA
    assert seen.beyond == seen.painted - seen.camera


def test_no_finish_flickers_on_true_nails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steadiness, "FRAMES", 10)
    monkeypatch.setattr(steadiness, "SETTLE", 15)  # light is smoothed over a third of a second
    report = steadiness.flicker(None, lambda done, total: None)
    assert [clip.finish for clip in report.clips] == list(Finish)
    assert max(clip.beyond for clip in report.clips) <= 1.5


@pytest.mark.media
def test_a_live_session_is_measured_beside_the_renderer(hand_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steadiness, "FRAMES", 8)
    monkeypatch.setattr(steadiness, "_moving", lambda seconds: {"own motion": Scene()})
    drift = steadiness.sticking(hand_model, lambda done, total: None).as_dict()
    assert drift["live"]["own motion"]["seen"] > 0.9
    assert drift["true_nails"]["own motion"]["moved"] < drift["live"]["own motion"]["moved"] < 0.1
