from __future__ import annotations

import time

import numpy as np
import pytest

from media_worker.polish.canvas import Patch
from media_worker.polish.shadows import crevice, reach, shadow, within
from media_worker.polish.silhouettes import Silhouette, silhouette
from media_worker.vision.arrays import Floats
from media_worker.vision.coverage import coverage
from media_worker.vision.nails import Nail
from protocol.designs import Finger, Length, Shape


def made(length: Length, size: float = 1.0) -> Silhouette:
    """An upright nail of 30x38 px, its tip at the top."""
    angles = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    outline = size * np.stack([200 + 15 * np.cos(angles), 200 + 19 * np.sin(angles)], axis=1)
    axis = size * np.array([[200.0, 219.0], [200.0, 181.0]])
    nail = Nail(Finger.INDEX, "right", outline.astype(np.float32), axis.astype(np.float32), 1.0, 1.0)
    return silhouette(nail, Shape.SQUARE, length)


def patch_of(tip: Silhouette, width: int = 400, height: int = 400) -> Patch:
    patch = Patch.around(within(tip.outline, tip), width, height)
    assert patch is not None
    return patch


def cast(tip: Silhouette) -> Floats:
    light = shadow(tip, patch_of(tip))
    assert light is not None
    return light


def beside(tip: Silhouette) -> tuple[Floats, Floats, Floats]:
    """Light outside the silhouette, and x and y from the middle of the own free edge, in nail widths."""
    patch, light = patch_of(tip), cast(tip)
    outside = coverage(tip.outline - (patch.left, patch.top), patch.width, patch.height) == 0
    edge = tip.axis[0] + tip.edge * (tip.axis[1] - tip.axis[0])
    y, x = np.nonzero(outside)
    return light[outside], (x + 0.5 + patch.left - edge[0]) / tip.width, (y + 0.5 + patch.top - edge[1]) / tip.width


def test_only_extensions_cast_shadows() -> None:
    own = made(Length.NATURAL)
    assert shadow(own, patch_of(own)) is None
    assert within(own.outline, own) is own.outline


def test_shadows_only_darken_and_end_within_the_patch() -> None:
    light = cast(made(Length.LONG))
    assert light.dtype == np.float32
    assert light.shape == (patch_of(made(Length.LONG)).height, patch_of(made(Length.LONG)).width)
    assert light.max() <= 1
    assert light.min() > 0.3
    border = np.concatenate([light[0], light[-1], light[:, 0], light[:, -1]])
    assert border.min() > 0.985, "no edge of a rectangle is to be seen"


def test_shadows_fall_away_from_the_light() -> None:
    light, x, y = beside(made(Length.LONG))
    tip = (y < -0.2) & (y > -1.1)
    right, left = light[tip & (x > 0.5) & (x < 0.8)], light[tip & (x < -0.5) & (x > -0.8)]
    assert right.mean() < left.mean() - 0.03


def test_shadows_are_darkest_at_the_finger_tip_and_weaken_beyond() -> None:
    light, x, y = beside(made(Length.LONG))
    near = (x > 0.5) & (x < 0.62)
    at_the_finger, beyond = light[near & (y > -0.3) & (y < 0.1)].min(), light[near & (y < -0.7)].min()
    assert at_the_finger < beyond - 0.05
    assert at_the_finger < 0.85
    assert light[y > 0.6].min() > 0.97, "none beside the nail bed"


@pytest.mark.parametrize("size", [0.5, 3.0])
def test_shadows_grow_with_the_nail(size: float) -> None:
    usual, other = cast(made(Length.MEDIUM)), made(Length.MEDIUM, size)
    light = shadow(other, patch_of(other, 4000, 4000))
    assert light is not None
    assert light.min() == pytest.approx(usual.min(), abs=0.03)
    assert light.mean() == pytest.approx(usual.mean(), abs=0.03)


def test_patches_cut_by_the_border_show_the_same_shadow() -> None:
    tip = made(Length.LONG)
    whole, cut = patch_of(tip), patch_of(tip, 204)
    light = shadow(tip, cut)
    assert light is not None
    assert light.shape == (cut.height, cut.width)
    inner = slice(0, cut.width - 4)
    assert np.abs(light[:, inner] - cast(tip)[:, : cut.width][:, inner]).max() < 0.08
    assert cut.left == whole.left


def test_it_costs_little() -> None:
    tip, times = made(Length.LONG), []
    patch = patch_of(tip)
    for _ in range(60):
        start = time.perf_counter()
        shadow(tip, patch)
        times.append((time.perf_counter() - start) * 1e3)
    assert min(times) < 0.3, "measured: 0.04 ms; the best of many, as other processes may share the core"


def test_a_narrow_shade_lies_beside_polish() -> None:
    cover = np.zeros((60, 60), np.float32)
    cover[20:40, 20:40] = 1
    light = crevice(cover, 40)
    beside = light[30, 40:]
    assert 0.7 < beside[0] < 0.95
    assert (np.diff(beside[: reach(40)]) > 0).all()
    assert (beside[reach(40) :] == 1).all()
    assert reach(160) > 3 * reach(40)
