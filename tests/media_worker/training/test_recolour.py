from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.random import Generator

from media_worker.training.recolour import axis_of, degrade, recolour_nails, relight, retone_skin
from media_worker.vision.arrays import Pixels

SKIN = (205, 152, 124)


def finger() -> tuple[Pixels, np.ndarray[tuple[int, ...], np.dtype[np.int32]]]:
    """Skin with two shaded nails of 24 by 32 pixels, and their labels."""
    rgb = np.full((120, 160, 3), SKIN, np.uint8)
    labels = np.zeros((120, 160), np.int32)
    for k, x in ((1, 40), (2, 110)):
        cv2.ellipse(labels, (x, 60), (12, 16), 0, 0, 360, k, -1)
    shade = np.linspace(0.8, 1.1, 160)[None, :, None]
    rgb[labels > 0] = (shade * np.array([225, 180, 165])).repeat(120, axis=0)[labels > 0].astype(np.uint8)
    return rgb, labels


TRANSFORMS: dict[str, Callable[[Pixels, Generator], Pixels]] = {
    "recolour": lambda rgb, rng: recolour_nails(rgb, finger()[1], None, rng),
    "retone": retone_skin,
    "relight": relight,
    "degrade": degrade,
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_the_same_generator_gives_the_same_bytes_and_the_input_stays(name: str) -> None:
    rgb, _ = finger()
    before = rgb.copy()
    pictures = [TRANSFORMS[name](rgb, np.random.default_rng(seed)) for seed in (7, 7, 8, 9, 10)]
    assert all(picture.dtype == np.uint8 and picture.shape == rgb.shape for picture in pictures)
    assert np.array_equal(pictures[0], pictures[1])
    assert any(not np.array_equal(pictures[0], other) for other in pictures[2:])
    assert np.array_equal(rgb, before)


def test_polish_covers_the_nails_and_leaves_the_skin() -> None:
    rgb, labels = finger()
    far = cv2.dilate((labels > 0).astype(np.uint8), np.ones((9, 9), np.uint8)) == 0
    changes = []
    for seed in range(20):
        painted = recolour_nails(rgb, labels, None, np.random.default_rng(seed))
        assert np.array_equal(painted[far], rgb[far])
        changes.append(np.abs(painted.astype(int) - rgb)[labels > 0].mean())
    assert np.median(changes) > 25


def test_polish_follows_the_axis_it_is_given() -> None:
    """A French tip lies at the free edge: turning the axis round turns the picture of the nail round."""
    rgb, labels = finger()
    rgb[...] = SKIN
    up = [np.array([[x, 76.5], [x, 44.5]]) for x in (40.5, 110.5)]
    down = [axis[::-1] for axis in up]
    differences = []
    for seed in range(30):
        one = recolour_nails(rgb, labels, up, np.random.default_rng(seed)).astype(int)
        other = recolour_nails(rgb, labels, down, np.random.default_rng(seed)).astype(int)
        differences.append(np.abs(one - other)[labels > 0].mean())
    assert max(differences) > 20


def test_labels_of_another_size_are_refused() -> None:
    rgb, labels = finger()
    with pytest.raises(ValueError, match="labels are"):
        recolour_nails(rgb, labels[:-1], None, np.random.default_rng(0))


def test_an_axis_is_the_long_one() -> None:
    mask = np.zeros((80, 80), np.uint8)
    cv2.ellipse(mask, (40, 30), (20, 9), 30, 0, 360, 1, -1)
    axis, width = axis_of(mask)
    along = axis[1] - axis[0]
    assert np.degrees(np.arctan2(along[1], along[0])) % 180 == pytest.approx(30, abs=2)
    assert np.hypot(*along) == pytest.approx(40, abs=2)
    assert width == pytest.approx(18, abs=2)
    assert axis.mean(axis=0) == pytest.approx([40.5, 30.5], abs=0.2)


def test_skin_goes_light_and_dark_and_stays_skin() -> None:
    """The hue stays between red and yellow, and neither grey nor vivid."""
    rgb = np.full((64, 64, 3), SKIN, np.uint8)
    tones = np.stack([retone_skin(rgb, np.random.default_rng(seed)) for seed in range(60)])[:, 32, 32]
    lab = cv2.cvtColor(tones[None], cv2.COLOR_RGB2LAB)[0].astype(float)
    lightness, a, b = lab[:, 0] / 2.55, lab[:, 1] - 128, lab[:, 2] - 128
    assert lightness.min() < 30
    assert lightness.max() > 75
    hue, chroma = np.degrees(np.arctan2(b, a)), np.hypot(a, b)
    assert hue.min() > 25
    assert hue.max() < 80
    assert chroma.min() > 4
    assert chroma.max() < 35
