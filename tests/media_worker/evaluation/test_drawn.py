from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from media_worker.drawn_hand import DrawnNail, Scene, Sweep, draw
from media_worker.evaluation import drawn, video_page
from media_worker.evaluation.drawn import DrawnReport, Frame, SceneReport, match, motion, photograph
from media_worker.vision.nails import Nail


def found(nail: DrawnNail, dx: float = 0, dy: float = 0) -> Nail:
    """A true nail, found elsewhere."""
    shift = np.array([dx, dy], np.float32)
    outline, axis = (points.astype(np.float32) + shift for points in (nail.outline, nail.axis))
    return Nail(nail.finger, nail.hand, outline, axis, 1.0, 1.0)


@cache
def resting(scene: Scene) -> list[DrawnNail]:
    return draw(replace(scene, sweep=None), 0).nails


def nails_at(scene: Scene, seconds: float) -> list[DrawnNail]:
    """Of a hand that rests but for its sweep: no need to draw it anew."""
    offset = scene.sweep.offset(seconds) if scene.sweep else np.zeros(2)
    return [replace(nail, outline=nail.outline + offset, axis=nail.axis + offset) for nail in resting(scene)]


def follow(scene: Scene, frames: int, delay: float = 0.0, noise: float = 0.0) -> SceneReport:
    """What a finder that sees the hand `delay` seconds late, and trembles, would be told."""
    random = np.random.default_rng(2)
    seen = []
    for index in range(frames):
        seconds = index / 30
        late = nails_at(scene, max(seconds - delay, 0))
        nails = [found(nail, *random.normal(0, noise, 2)) for nail in late]
        true = nails_at(scene, seconds)
        seen.append(Frame(seconds, nails, match(nails, true), len(true), 1.0, *motion(scene.sweep, seconds)))
    return SceneReport("drawn", seen[3:])


def test_a_hand_at_rest_is_carried_as_it_is_drawn() -> None:
    scene = Scene(width=320, height=240, noise=0, still=True, sweep=Sweep(speed=300, reach=50, degrees=40))
    for carried, drawn_there in zip(nails_at(scene, 0.7), draw(scene, 0.7).nails, strict=True):
        assert carried.outline == pytest.approx(drawn_there.outline, abs=1e-3)


def test_a_late_finder_lags_by_speed_times_delay() -> None:
    straight = Scene(width=320, height=240, noise=0, still=True, sweep=Sweep(speed=300, reach=90))
    report = follow(straight, 75, delay=0.01)
    assert report.lag == pytest.approx(300 * 0.01, rel=0.05)
    assert report.cross == pytest.approx(0, abs=0.01)
    assert report.found == 1
    assert any(frame.turned for frame in report.frames), "where a late finder seems to be ahead"
    sine = Scene(width=320, height=240, noise=0, still=True, sweep=Sweep(speed=300, reach=50, sine=True))
    # above half of the highest speed a sine's mean is 0.83 of it
    assert follow(sine, 63, delay=0.01).lag == pytest.approx(0.83 * 300 * 0.01, rel=0.05)


def test_no_delay_is_no_lag() -> None:
    scene = Scene(width=320, height=240, noise=0, still=True, sweep=Sweep(speed=300, reach=50, degrees=40))
    report = follow(scene, 43, noise=0.5)
    assert report.lag == pytest.approx(0, abs=0.1)
    assert report.lag_p95 == pytest.approx(0.5 * 1.96, rel=0.2)
    assert report.cross == pytest.approx(0.5, rel=0.1)
    assert report.figures()[0].name == "drawn: lag, px"


def test_jitter_of_a_resting_hand() -> None:
    report = follow(Scene(width=320, height=240, noise=0, still=True), 80, noise=0.2)
    assert report.jitter == pytest.approx(0.2 * 2**0.5, rel=0.1)
    assert report.lag is None and report.cross is None
    assert set(report.as_dict()) == {"found", "iou", "jitter_px_rms"}


def test_a_found_nail_belongs_to_the_nearest_true_one() -> None:
    true = draw(Scene(), 0).nails
    matches = match([found(true[3]), found(true[1], 3, -2), found(true[0], 200, 0)], true)
    assert {each.finger for each in matches} == {true[3].finger, true[1].finger}, "one is nowhere near"
    index = next(each for each in matches if each.finger is true[1].finger)
    assert index.behind == pytest.approx([-3, 2], abs=1e-3)
    twice = match([found(true[2], 1, 0), found(true[2])], true)
    assert [each.behind == pytest.approx([0, 0], abs=1e-3) for each in twice] == [True], "the nearer of the two"


def test_the_camera_is_as_bad_as_it_says() -> None:
    drawing, rgb = photograph(Scene(noise=4, still=True), 0.5)
    assert np.array_equal(rgb, photograph(Scene(noise=4, still=True), 0.5)[1])
    difference = rgb.astype(int) - drawing.rgb
    assert 1 < difference.std() < 5, "JPEG took some of the noise"


@pytest.mark.media
def test_the_pipeline_meets_a_drawn_hand(tmp_path: Path, hand_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawn, "SCENES", {"still": drawn.SCENES["still"]})
    monkeypatch.setattr(drawn, "REST_FRAMES", 20)
    report = drawn.evaluate(hand_model, lambda done, total: None)
    figures = report.as_dict()["drawn"]["still"]
    assert figures["found"] > 0.9 and figures["iou"] > 0.4
    assert 0 < figures["jitter_px_rms"] < 0.5
    page = video_page.write([], DrawnReport(report.scenes), tmp_path, "Drawn")
    assert len(list(tmp_path.glob("drawn-still-*.jpg"))) == 4
    assert "still: jitter" in page.read_text("utf-8")
