from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from media_worker.training.errors import CannotTrain
from media_worker.training.photos import LONGEST_SIDE, measured, read_masked, read_rgb, with_mask
from tests.media_worker.training import drawn_photos


def test_a_folder_of_images_and_masks_becomes_photos_with_nails(tmp_path: Path) -> None:
    drawings = drawn_photos.hands(2)
    photos = read_masked(drawn_photos.write(tmp_path, drawings))
    assert [photo.name for photo in photos] == ["hand_0", "hand_1"]
    for photo, drawing in zip(photos, drawings, strict=True):
        assert np.array_equal(photo.rgb, drawing.rgb)
        assert np.array_equal(photo.labels > 0, drawing.mask() > 0)
        assert [nail.number for nail in photo.nails] == [1, 2, 3, 4, 5]
        for nail in photo.nails:
            true = min(drawing.nails, key=lambda each: np.hypot(*(each.axis.mean(axis=0) - nail.centre)))
            along = true.axis[1] - true.axis[0]
            assert np.hypot(*(true.axis.mean(axis=0) - nail.centre)) < 1.5
            assert np.hypot(*nail.along) == pytest.approx(np.hypot(*along), abs=2.5)
            assert not nail.directed


def test_photos_may_be_left_out(tmp_path: Path) -> None:
    folder = drawn_photos.write(tmp_path, drawn_photos.hands(2))
    assert [photo.name for photo in read_masked(folder, skip=["hand_0"])] == ["hand_1"]


def test_a_missing_mask_is_named(tmp_path: Path) -> None:
    folder = drawn_photos.write(tmp_path, drawn_photos.hands(1))
    (folder / "masks" / "hand_0.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"hand_0\.png is missing .* needs its mask"):
        read_masked(folder)


def test_what_is_no_picture_is_named(tmp_path: Path) -> None:
    path = tmp_path / "notes.jpg"
    path.write_text("no picture")
    with pytest.raises(CannotTrain, match=r"notes\.jpg is no picture"):
        read_rgb(path)


def test_large_photos_and_their_masks_shrink_alike(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    mask = np.zeros((1000, 2 * LONGEST_SIDE), np.uint8)
    cv2.rectangle(mask, (1000, 400), (1199, 499), 255, -1)
    drawn_photos.save(tmp_path / "images" / "wide.png", np.repeat(mask[..., None], 3, axis=2))
    cv2.imwrite(str(tmp_path / "masks" / "wide.png"), mask)
    (photo,) = read_masked(tmp_path)
    assert photo.rgb.shape == (500, LONGEST_SIDE, 3)
    assert np.array_equal(photo.rgb[..., 0] > 127, photo.labels == 1)
    assert photo.nails[0].centre == pytest.approx((550, 225))


def test_specks_are_no_nails() -> None:
    mask = np.zeros((60, 60), bool)
    mask[5:10, 5:10] = True  # 25 pixels
    mask[30:40, 30:40] = True
    photo = with_mask("two", np.zeros((60, 60, 3), np.uint8), mask)
    assert len(photo.nails) == 1
    assert photo.labels.max() == 1
    assert not photo.labels[:20].any()


def test_a_nail_is_measured_along_its_direction() -> None:
    labels = np.zeros((80, 80), np.int16)
    labels[20:50, 10:26] = 3  # 16 wide, 30 tall
    up = measured(labels, 3, np.array([0.0, -1.0]))
    assert (up.number, up.directed) == (3, True)
    assert up.centre == pytest.approx((18, 35))
    assert up.along == pytest.approx((0, -30))
    right = measured(labels, 3, np.array([1.0, 0.0]))
    assert right.along == pytest.approx((24, 0))  # 0.8 of its extent across: it may be cut short
    assert right.centre == pytest.approx((18, 35))


def test_without_a_direction_the_longer_axis_is_taken() -> None:
    labels = np.zeros((100, 100), np.int16)
    cv2.ellipse(labels, (50, 50), (30, 12), 30, 0, 360, 1, -1)
    nail = measured(labels, 1, None)
    assert not nail.directed
    turn = np.degrees(np.arctan2(nail.along[1], nail.along[0])) % 180
    assert turn == pytest.approx(30, abs=1.5)
    assert np.hypot(*nail.along) == pytest.approx(61, abs=1.5)
    assert nail.centre == pytest.approx((50.5, 50.5), abs=0.3)
