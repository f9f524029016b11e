from __future__ import annotations

import pytest

from media_worker.vision.calibration import calibrate


def test_nails_given_eight_tenths_that_are_right_that_often_have_no_error() -> None:
    calibration = calibrate([0.85] * 20, [True] * 17 + [False] * 3)
    filled = [each for each in calibration.bins if each.nails]
    assert [(each.low, each.nails, each.right) for each in filled] == [(0.8, 20, 0.85)]
    assert calibration.error == pytest.approx(0)


def test_the_error_is_weighed_by_nails() -> None:
    calibration = calibrate([0.95] * 30 + [0.15] * 10, [False] * 30 + [False] * 10)
    assert calibration.error == pytest.approx((30 * 0.95 + 10 * 0.15) / 40)


def test_certainty_belongs_to_the_last_bin() -> None:
    assert [each.nails for each in calibrate([1.0, 0.0, 0.3], [True, False, True]).bins] == [1, 0, 0, 1, *[0] * 5, 1]


def test_nothing_to_calibrate() -> None:
    assert calibrate([], []).error == 0
    with pytest.raises(ValueError, match="2 confidences, but 1 verdicts"):
        calibrate([0.1, 0.2], [True])
    with pytest.raises(ValueError, match="confidences lie in 0–1"):
        calibrate([1.2], [True])
