from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_worker.vision import metrics
from media_worker.vision.arrays import Mask


def square(left: int, top: int, size: int, shape: tuple[int, int] = (40, 60)) -> Mask:
    mask = np.zeros(shape, bool)
    mask[top : top + size, left : left + size] = True
    return mask


def test_a_perfect_picture() -> None:
    nails = [square(5, 5, 10), square(30, 5, 10)]
    score = metrics.score(nails, nails[0] | nails[1])
    assert (score.iou, score.boundary_f) == (1, 1)
    assert (score.true_nails, score.predicted_nails, score.matched_nails) == (2, 2, 2)


def test_a_square_shifted_by_two() -> None:
    score = metrics.score([square(7, 5, 10)], square(5, 5, 10))
    assert (score.intersection, score.union) == (80, 120)
    assert score.iou == pytest.approx(2 / 3)
    assert score.matched_nails == 1
    assert metrics.boundary_f(square(7, 5, 10), square(5, 5, 10)) == 1, "every edge is within two pixels"
    assert metrics.score([square(10, 5, 10)], square(5, 5, 10)).matched_nails == 0, "IoU 1/3 is no match"


def test_boundary_f_by_hand() -> None:
    truth = square(10, 10, 10)
    assert metrics.boundary_f(square(10, 10, 10), truth) == 1
    far = metrics.boundary_f(square(30, 10, 10), truth)
    assert far == 0
    assert metrics.boundary_f(square(7, 7, 16), truth) == 0, "three pixels larger on every side"
    # two pixels larger: of its 52 edge pixels the three at each corner are further than 2 from the truth
    precision = (52 - 4 * 3) / 52
    assert metrics.boundary_f(square(8, 8, 14), truth) == pytest.approx(2 * precision / (precision + 1))
    empty = np.zeros((40, 60), bool)
    assert (metrics.boundary_f(empty, empty), metrics.boundary_f(empty, truth)) == (1, 0)


@pytest.mark.parametrize(("height", "shift", "expected"), [(640, 2, 1), (640, 3, 0.74), (1280, 4, 1), (320, 2, 0.74)])
def test_boundaries_are_compared_at_640_high(height: int, shift: int, expected: float) -> None:
    shape = height, height // 2
    truth = metrics.components(square(20, 0, height // 2, shape))[0]
    moved = square(20 + shift, 0, height // 2, shape)
    score = metrics.score([moved], truth)
    assert metrics.to_height(truth).shape == (640, 320)
    # of four sides only the left one tells: two lie along the shift, and the right one is cut by the border
    assert score.boundary_f == pytest.approx(expected, abs=0.02)


def test_two_classes_by_hand() -> None:
    score = metrics.score([square(7, 5, 10)], square(5, 5, 10))
    rest = (40 * 60 - 120) / (40 * 60 - 80)
    assert score.two_class_iou == pytest.approx((80 / 120 + rest) / 2)
    empty = np.zeros((40, 60), bool)
    assert metrics.score([], empty).two_class_iou == 1
    assert metrics.score([~empty], ~empty).two_class_iou == 1, "no background either"


def test_confidences_are_judged_nail_by_nail() -> None:
    truth = square(5, 5, 10) | square(30, 5, 10)
    found, twice, wrong = square(5, 5, 10), square(5, 6, 10), square(45, 25, 10)
    score = metrics.score([twice, found, wrong], truth, confidences=[0.7, 0.9, 0.3])
    assert score.right == (False, True, False), "a second nail on the same true one is wrong"
    assert score.found == (True, False)
    bins = {round(each.low, 1): each for each in metrics.summarise([score]).calibration.bins if each.nails}
    assert {low: each.right for low, each in bins.items()} == {0.3: 0, 0.7: 0, 0.9: 1}
    with pytest.raises(ValueError, match="1 predicted masks, but 2 confidences"):
        metrics.score([found], truth, confidences=[0.1, 0.2])


def test_a_nail_at_the_border_has_an_edge_there() -> None:
    assert metrics.boundary_f(square(0, 0, 60, (60, 60)), square(0, 0, 60, (60, 60))) == 1


def test_no_hand_scores_nothing_and_is_counted() -> None:
    missed = metrics.score([], square(5, 5, 10), no_hand=True)
    right = metrics.score([], np.zeros((40, 60), bool), no_hand=True)
    assert (missed.iou, missed.boundary_f, missed.true_nails) == (0, 0, 1)
    assert (right.iou, right.boundary_f) == (1, 1)
    assert metrics.summarise([missed, right]).no_hand == 2


def test_means_and_pools() -> None:
    small = metrics.score([square(5, 5, 10)], square(5, 5, 10))
    large = metrics.score([square(5, 5, 30)], square(35, 5, 30, (40, 80))[:, :60])
    report = metrics.summarise([small, large])
    assert report.mean_iou == pytest.approx((1 + large.iou) / 2)
    assert report.pooled_iou == pytest.approx(100 / (100 + large.union))
    assert report.precision == pytest.approx(1 / 2)
    assert report.recall == pytest.approx(1 / 2)


def test_each_nail_is_matched_once() -> None:
    truth = [square(5, 5, 10)]
    assert metrics.matches([square(5, 6, 10), square(5, 5, 10)], truth) == {1: 0}
    report = metrics.summarise([metrics.score([square(5, 5, 10), square(5, 6, 10)], truth[0])])
    assert (report.precision, report.recall) == (0.5, 1)


def test_specks_are_no_nails() -> None:
    truth = square(5, 5, 10)
    truth[30, 30] = True
    assert len(metrics.components(truth)) == 1


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match=r"predicted mask is \(4, 4\), the truth \(5, 4\)"):
        metrics.score([np.zeros((4, 4), bool)], np.zeros((5, 4), bool))
    with pytest.raises(ValueError, match="no pictures"):
        metrics.summarise([])


@given(st.integers(0, 20), st.integers(0, 20), st.integers(4, 15))
def test_scores_are_symmetric_and_bounded(left: int, top: int, size: int) -> None:
    a, b = square(left, top, size), square(10, 10, 9)
    forth, back = metrics.score([a], b), metrics.score([b], a)
    assert forth.iou == back.iou
    assert forth.boundary_f == pytest.approx(back.boundary_f)
    assert 0 <= forth.iou <= 1 and 0 <= forth.boundary_f <= 1
