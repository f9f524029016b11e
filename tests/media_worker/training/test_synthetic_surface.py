from __future__ import annotations

import numpy as np
import pytest

from media_worker.training.synthetic_pose import Bone
from media_worker.training.synthetic_surface import FAR, Frame, Window, bone_height, paraboloid_height, smooth_max
from media_worker.vision.arrays import Floats

WINDOW = Window(0, 0, 80, 60)
TOWARDS_VIEWER = np.array([0.0, 0.0, 1.0])


def bone(end: tuple[float, float, float], radii: tuple[float, float] = (10, 10), flat: float = 1.0) -> Bone:
    return Bone(np.array([[20.5, 30.5, 5.0], end]), radii, TOWARDS_VIEWER, flat)


def height(each: Bone) -> Floats:
    return bone_height(each, Frame.of(each, WINDOW))


def test_a_level_bone_is_a_capsule() -> None:
    z = height(bone((60.5, 30.5, 5)))
    assert z[30, 40] == pytest.approx(15, abs=1e-3)
    assert z[36, 40] == pytest.approx(5 + 8, abs=1e-3)  # 6² + 8² = 10²
    assert z[30, 66] == pytest.approx(5 + 8, abs=1e-3)  # the round end
    assert z[42, 40] == FAR
    assert z[30, 72] == FAR


def test_a_bone_tapers_and_flattens() -> None:
    z = height(bone((60.5, 30.5, 5), (12, 8), 0.5))
    assert z[30, 40] == pytest.approx(5 + 0.5 * 10, abs=0.05)


def test_a_bone_that_points_at_the_viewer_shows_its_end() -> None:
    each = Bone(np.array([[20.5, 30.5, 5.0], [20.5, 30.5, 45.0]]), (10, 10), np.array([0.0, -1.0, 0.0]), 1.0)
    assert bone_height(each, Frame.of(each, WINDOW))[30, 20] == pytest.approx(55, abs=1e-3)


@pytest.mark.parametrize("tilt", [0.0, 0.4, 1.0, 1.4])
def test_a_plate_is_where_its_equation_says(tilt: float) -> None:
    """Whatever the slant, points found on a ray satisfy the paraboloid in the bone's own coordinates."""
    end = (20.5 + 40 * np.cos(tilt), 30.5, 5 + 40 * np.sin(tilt))
    frame = Frame.of(bone(end), WINDOW)
    for outer in (True, False):
        z, met = paraboloid_height(frame, (30.0, 9.0), (0.01, 0.08), outer=outer)
        along, across, dorsal = (
            start + z * rate for start, rate in zip((frame.along, frame.across, frame.dorsal), frame.rates, strict=True)
        )
        near = met & (np.abs(z) < 200)
        off = dorsal - (9 - 0.005 * (along - 30) ** 2 - 0.04 * across**2)
        assert np.abs(off[near]).max(initial=0) < 0.05
        assert near.any() or not outer


def test_a_fillet_rises_where_two_surfaces_meet() -> None:
    level, slope = np.zeros((1, 41), np.float32), np.linspace(-10, 10, 41, dtype=np.float32)[None]
    joined = smooth_max(level, slope, 4)
    assert joined[0, 20] == pytest.approx(1)
    assert joined[0, [0, 40]].tolist() == [0, 10]
    assert (joined >= np.maximum(level, slope)).all()
