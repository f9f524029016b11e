from __future__ import annotations

import cv2
import numpy as np
import pytest

from media_worker.drawn_skin import Box, coverage
from media_worker.training.synthetic import KINDS, Kind, Synthetic, draw

SIZE = (160, 128)
EVERYTHING = Box(0, 0, *SIZE)


@pytest.fixture(scope="module")
def pictures() -> list[Synthetic]:
    return [draw(np.random.default_rng(seed), SIZE) for seed in range(40)]


def test_labels_and_nails_name_each_other(pictures: list[Synthetic]) -> None:
    for picture in pictures:
        assert picture.rgb.shape == (SIZE[1], SIZE[0], 3)
        assert picture.rgb.dtype == np.uint8
        assert picture.labels.shape == SIZE[::-1]
        assert [nail.label for nail in picture.nails] == [*range(1, len(picture.nails) + 1)]
        assert set(np.unique(picture.labels)) - {0} == {nail.label for nail in picture.nails}
    assert sum(len(picture.nails) for picture in pictures) > 60


def test_outlines_enclose_the_labels(pictures: list[Synthetic]) -> None:
    """Two pixels of slack along the border; a part cut off by another finger is outside of the outline."""
    overlaps = []
    for picture in pictures:
        for nail in picture.nails:
            inside, label = coverage(nail.outline, EVERYTHING) > 0.5, picture.labels == nail.label
            if np.count_nonzero(label) > 40:
                overlaps.append(np.count_nonzero(inside & label) / np.count_nonzero(inside | label))
            grown = cv2.dilate(label.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
            assert not (inside & ~grown).any()
    assert np.median(overlaps) > 0.95


def test_axes_run_through_the_nails_from_end_to_end(pictures: list[Synthetic]) -> None:
    shares = []
    for picture in pictures:
        for nail in picture.nails:
            polygon = nail.outline.astype(np.float32)
            for end in nail.axis:
                assert cv2.pointPolygonTest(polygon, (float(end[0]), float(end[1])), True) > -2.5
            along = nail.axis[1] - nail.axis[0]
            length = float(np.hypot(*along))
            assert length > 1
            if np.count_nonzero(picture.labels == nail.label) > 80:
                shares.append(length / float(np.ptp(nail.outline @ (along / length))))
    assert np.median(shares) > 0.9
    assert np.percentile(shares, 10) > 0.6


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_generator_draws_the_same_bytes(kind: Kind) -> None:
    one, same, other = (draw(np.random.default_rng(seed), SIZE, kind=kind) for seed in (3, 3, 4))
    assert np.array_equal(one.rgb, same.rgb)
    assert np.array_equal(one.labels, same.labels)
    assert not np.array_equal(one.rgb, other.rgb)


@pytest.mark.parametrize("seed", range(5))
def test_a_palm_shows_no_nail(seed: int) -> None:
    picture = draw(np.random.default_rng(seed), SIZE, kind="palm")
    assert picture.nails == []
    assert not picture.labels.any()


@pytest.mark.parametrize(("kind", "most"), [("open", 5), ("closeup", 5), ("curled", 5), ("pair", 10)])
def test_nails_belong_to_fingers(kind: Kind, most: int) -> None:
    pictures = [draw(np.random.default_rng(seed), SIZE, kind=kind) for seed in range(8)]
    assert all(len(picture.nails) <= most for picture in pictures)
    if kind != "pair":  # two hands can be two left ones
        for picture in pictures:
            assert len({(nail.hand, nail.finger) for nail in picture.nails}) == len(picture.nails)
    seen = {nail.finger for picture in pictures for nail in picture.nails}
    assert len(seen) == 5


def test_nails_stand_out_from_a_photo_behind_them() -> None:
    """A photo serves as the background where no hand is: its colour fills some corner of most pictures."""
    photo = np.full((90, 120, 3), (20, 220, 40), np.uint8)
    greens = []
    for seed in range(12):
        rgb = draw(np.random.default_rng(seed), SIZE, kind="open", backgrounds=[photo]).rgb.astype(int)
        greens.append(np.mean(rgb[..., 1] > rgb[..., 0] + 30))
    assert np.count_nonzero(np.array(greens) > 0.1) >= 4


def test_a_tiny_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 32"):
        draw(np.random.default_rng(0), (320, 20))
