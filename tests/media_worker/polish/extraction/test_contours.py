from __future__ import annotations

import numpy as np
import pytest

from media_worker.drawn_hand import Scene, draw
from media_worker.evaluation.worn import true_nails
from media_worker.polish.extraction.contours import ANGLES, RAYS, Frame
from media_worker.vision.arrays import Floats

NAILS = true_nails(draw(Scene(width=1280, height=960, still=True), 0))


def ellipse(turn: float = 0.0) -> Floats:
    """40 by 60 pixels round (100, 80), its free edge upwards."""
    points = np.stack([20 * np.sin(ANGLES), -30 * np.cos(ANGLES)], axis=1)
    turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    outline: Floats = points @ turned.T + np.array([100, 80])
    return outline


def test_a_frame_holds_an_outline() -> None:
    frame = Frame.of(ellipse(), np.array([0.0, -1.0]))
    assert frame.centre == pytest.approx((100, 80))
    assert (frame.half_length, frame.half_width) == pytest.approx((30, 20))
    assert frame.axis == pytest.approx(np.array([(100, 110), (100, 50)]))
    assert frame.radii(ellipse()) == pytest.approx(np.ones(RAYS), abs=0.01)


def test_an_outline_survives_its_radii() -> None:
    for nail in NAILS:
        frame = Frame.of_nail(nail)
        again, outline = frame.fitted(frame.radii(nail.outline), np.ones(RAYS))
        assert np.abs(frame.radii(outline) - frame.radii(nail.outline)).max() < 0.03
        assert again.half_width == pytest.approx(frame.half_width, rel=0.03)


def test_a_bite_is_not_believed() -> None:
    frame = Frame.of(ellipse(), np.array([0.0, -1.0]))
    radii = np.ones(RAYS)
    radii[14:19] = 0.75
    _, outline = frame.fitted(radii, np.ones(RAYS))
    assert frame.radii(outline).min() > 0.95


def test_what_is_unclear_follows_the_other_side() -> None:
    frame = Frame.of(ellipse(), np.array([0.0, -1.0]))
    right = np.sin(ANGLES) > 0
    _, outline = frame.fitted(np.where(right, 1.1, 1.0), np.where(right, 1.0, 1e-4))
    assert np.abs(frame.radii(outline) - 1.1).max() < 0.05


@pytest.mark.parametrize("turn", [-0.12, 0.12])
def test_an_axis_turns_with_a_long_outline(turn: float) -> None:
    frame = Frame.of(ellipse(turn), np.array([0.0, -1.0]))
    for _ in range(3):
        frame, _ = frame.fitted(frame.radii(ellipse(turn)), np.ones(RAYS))
    assert frame.turned == pytest.approx(turn, abs=0.04)
    assert frame.along == pytest.approx((np.sin(frame.turned), -np.cos(frame.turned)))
