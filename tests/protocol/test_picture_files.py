from __future__ import annotations

import io
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from protocol import picture_files
from protocol.errors import BadImage
from protocol.picture_files import MAX_SCANS
from tests.hostile_pictures import BOMBS, DISGUISED, NOISE, chunk, in_front, photo, png, saved, scan_bomb, segment

FORMATS = ("JPEG", "PNG", "WEBP")
SCANS_OF_PILLOW = 10


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data), formats=FORMATS)
    image.load()
    return image


@pytest.mark.parametrize(
    ("image_format", "mode"),
    [
        *(("JPEG", mode) for mode in ("RGB", "L", "CMYK")),
        *(("PNG", mode) for mode in ("RGB", "L", "RGBA", "P")),
        *(("WEBP", mode) for mode in ("RGB", "RGBA")),
    ],
)
def test_pictures_stay_as_they_are(image_format: str, mode: str) -> None:
    data = saved(Image.fromarray(NOISE).convert(mode), image_format)
    file = picture_files.read(data)
    assert file is not None and (file.width, file.height) == (64, 48)
    assert np.array_equal(np.asarray(opened(file.data)), np.asarray(opened(data)))


@pytest.mark.parametrize("options", [{"progressive": True}, {"restart_marker_blocks": 1}, {"optimize": True}])
def test_every_kind_of_jpeg_is_understood(options: dict[str, Any]) -> None:
    data = photo(**options)
    file = picture_files.read(data)
    assert file is not None and file.data == data


@pytest.mark.parametrize("image_format", FORMATS)
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_of_exif_the_orientation_is_kept_and_nothing_else(image_format: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x8825] = orientation, "A camera", {1: "N", 2: (52.0, 31.0, 0.0)}
    data = photo(image_format, exif=exif.tobytes())
    assert b"A camera" in data
    file = picture_files.read(data)
    assert file is not None and b"A camera" not in file.data and len(file.data) < len(data)
    kept = opened(file.data).getexif()
    assert dict(kept) == ({0x0112: orientation} if orientation != 1 else {})


@pytest.mark.parametrize("image_format", FORMATS)
def test_colour_profiles_are_kept(image_format: str) -> None:
    file = picture_files.read(photo(image_format, icc_profile=b"profile" * 20))
    assert file is not None and opened(file.data).info["icc_profile"] == b"profile" * 20


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_at_once(name: str) -> None:
    began = time.process_time()
    if name == "canvas":
        file = picture_files.read(BOMBS[name])
        assert file is not None and file.width * file.height == 1 << 48, "for the caller to refuse"
    else:
        with pytest.raises(BadImage):
            picture_files.read(BOMBS[name])
    assert time.process_time() - began < 0.2


@pytest.mark.parametrize("name", DISGUISED)
def test_what_hides_in_a_picture_stays_outside(name: str) -> None:
    began = time.process_time()
    file = picture_files.read(DISGUISED[name])
    assert time.process_time() - began < 0.2
    assert file is not None and (file.width, file.height) == (64, 48)
    assert len(file.data) < 40_000 and b"script" not in file.data
    assert getattr(opened(file.data), "n_frames", 1) == 1


def test_as_many_scans_are_taken_as_any_encoder_writes() -> None:
    assert picture_files.read(scan_bomb(64, 48, MAX_SCANS - SCANS_OF_PILLOW)) is not None
    with pytest.raises(BadImage, match="scans"):
        picture_files.read(scan_bomb(64, 48, MAX_SCANS - SCANS_OF_PILLOW + 1))


def test_scans_in_a_thumbnail_do_not_count() -> None:
    thumbnail = segment(0xE1, b"Exif\0\0" + b"\xff\xda" * 1000)
    assert picture_files.read(in_front(thumbnail, photo())) is not None


@pytest.mark.parametrize("data", [b"", b"GIF89a" + bytes(50), b"<svg/>", b"RIFF\0\0\0\0WAVE", b"\xff\xd8"])
def test_other_formats_are_none_of_ours(data: bytes) -> None:
    assert picture_files.read(data) is None


@pytest.mark.parametrize(
    "data",
    [b"\xff\xd8\xff", photo()[:20], b"\x89PNG\r\n\x1a\n", png(1, 1)[:20], b"RIFF\0\0\0\0WEBP", photo("WEBP")[:20]],
)
def test_stumps_are_bad_images(data: bytes) -> None:
    with pytest.raises(BadImage):
        picture_files.read(data)


SEEDS = [photo(each) for each in FORMATS] + [photo(progressive=True), png(8, 8, chunk(b"eXIf", b"MM\0*" + bytes(40)))]


@settings(deadline=None, max_examples=300, derandomize=True)
@given(st.sampled_from(SEEDS), st.lists(st.tuples(st.integers(0, 9999), st.binary(max_size=6)), max_size=6))
def test_whatever_is_changed_the_answer_is_a_file_or_bad_image(data: bytes, changes: list[tuple[int, bytes]]) -> None:
    changed = bytearray(data)
    for at, new in changes:
        changed[at % len(changed) : at % len(changed) + len(new)] = new
    try:
        file = picture_files.read(bytes(changed))
    except BadImage as error:
        assert error.message
    else:
        assert file is None or len(file.data) <= len(changed) + 64
