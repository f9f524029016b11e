from __future__ import annotations

import cmath
import time

import cv2
import numpy as np
import pytest

from media_worker.drawn_hand import Scene, draw
from media_worker.vision.arrays import Pixels
from media_worker.vision.flow import POINTS, Flow, fit
from media_worker.vision.nails import Nail
from media_worker.vision.shapes import NailShape, Similarity
from tests.media_worker.vision.nail_fakes import as_sent, compressed

DRAWING = draw(Scene(noise=4), 0)
SHAPES = [
    NailShape.of(Nail(n.finger, n.hand, n.outline.astype(np.float32), n.axis.astype(np.float32), 1.0, 1.0))
    for n in DRAWING.nails
]


def seen_after(motion: Similarity) -> list[Similarity | None]:
    """What flow says when the picture moves by `motion`."""
    matrix = np.array(
        [
            [motion.turn.real, -motion.turn.imag, motion.shift.real],
            [motion.turn.imag, motion.turn.real, motion.shift.imag],
        ]
    )
    flow = Flow()
    flow.show(luma(compressed(DRAWING.rgb)))
    flow.show(luma(compressed(moved(DRAWING.rgb, matrix))))
    return flow.motions(SHAPES, [0j] * len(SHAPES))


def luma(rgb: Pixels) -> Pixels:
    return as_sent(rgb).luma


def moved(rgb: Pixels, matrix: np.ndarray) -> Pixels:
    return cv2.warpAffine(rgb, matrix, (640, 480), borderMode=cv2.BORDER_REPLICATE).astype(np.uint8, copy=False)


@pytest.mark.parametrize("shift", [0j, 10 + 0j, -7 + 9j, 1.4 - 0.6j])
def test_a_shift_is_seen_to_a_fraction_of_a_pixel(shift: complex) -> None:
    for shape, motion in zip(SHAPES, seen_after(Similarity(1, shift)), strict=True):
        assert motion is not None
        assert abs(motion(shape.centre) - shape.centre - shift) < 0.3


def test_a_turn_and_a_change_of_size_are_seen() -> None:
    middle = 320 + 240j
    turn = 1.04 * cmath.exp(0.05j)
    truth = Similarity(turn, middle - turn * middle)
    for shape, motion in zip(SHAPES, seen_after(truth), strict=True):
        assert motion is not None
        assert abs(motion(shape.centre) - truth(shape.centre)) < 0.5
        assert abs(motion.turn - turn) < 0.03


def test_a_picture_that_changes_altogether_is_not_followed() -> None:
    flow = Flow()
    flow.show(luma(DRAWING.rgb))
    flow.show(luma(draw(Scene(hands=0, clutter=True, noise=4), 1).rgb))
    assert flow.motions(SHAPES, [0j] * 5) == [None] * 5


def test_nothing_is_followed_over_a_first_frame_or_a_change_of_size() -> None:
    flow = Flow()
    flow.show(luma(DRAWING.rgb))
    assert flow.motions(SHAPES, [0j] * 5) == [None] * 5
    flow.show(luma(DRAWING.rgb)[:240])
    assert flow.motions(SHAPES, [0j] * 5) == [None] * 5


def test_large_frames_are_followed_in_their_own_pixels() -> None:
    large = cv2.resize(DRAWING.rgb, (1280, 960)).astype(np.uint8)
    flow = Flow()
    flow.show(luma(large))
    flow.show(luma(np.roll(large, 8, axis=1)))
    shapes = [SHAPES[0].moved(Similarity(2, 0))]
    (motion,) = flow.motions(shapes, [0j])
    assert motion is not None
    assert motion(shapes[0].centre) - shapes[0].centre == pytest.approx(8, abs=0.5)


def test_a_frame_may_be_painted_once_it_was_shown() -> None:
    frame = luma(DRAWING.rgb).copy()
    flow = Flow()
    flow.show(frame)
    after = np.roll(frame, 3, axis=1)
    for shape in SHAPES:
        x, y = int(shape.centre.real), int(shape.centre.imag)
        frame[y - 20 : y + 20, x - 20 : x + 20] = 40
    flow.show(after)
    for shape, motion in zip(SHAPES, flow.motions(SHAPES, [0j] * 5), strict=True):
        assert motion is not None
        assert motion(shape.centre) - shape.centre == pytest.approx(3, abs=0.3)


def test_the_fit_bears_a_third_of_wrong_points_and_distrusts_a_half() -> None:
    random = np.random.default_rng(1)
    start = (POINTS * 25 + 300 + 200j)[None]
    truth = 1.02 * cmath.exp(0.03j)
    end = truth * start + 5
    weight = np.ones(start.shape)
    for wrong, trusted in ((4, True), (8, False)):
        bad = end.copy()
        bad[0, :wrong] += 12 * np.exp(2j * np.pi * random.uniform(size=wrong))
        turn, shift, ok = fit(start, bad, weight)
        assert bool(ok[0]) == trusted
        if trusted:
            assert np.abs(turn * start + shift - end).max() < 0.4


def test_five_nails_cost_well_under_three_milliseconds() -> None:
    flow, frame = Flow(), luma(DRAWING.rgb)
    times = []
    for _ in range(20):
        start = time.process_time()
        flow.show(frame)
        flow.motions(SHAPES, [0j] * 5)
        times.append(time.process_time() - start)
    assert np.median(times) < 0.003
