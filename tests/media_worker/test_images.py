from __future__ import annotations

import io
import struct
import time
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from media_worker import images
from media_worker.drawn_hand import Scene, draw
from protocol.errors import BadImage, TooLarge
from protocol.messages import ImageFormat
from tests.hostile_pictures import BOMBS, DISGUISED

PICTURE = draw(Scene(width=160, height=120), 0).rgb
LIMIT = 1_000_000


def saved(image: Image.Image, image_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("image_format", list(ImageFormat))
def test_what_is_encoded_decodes_to_nearly_the_same(image_format: ImageFormat) -> None:
    data = images.encode(PICTURE, image_format, quality=95)
    assert images.sniff_format(data) is image_format
    back = images.decode(data, max_pixels=LIMIT)
    assert back.shape == PICTURE.shape and back.dtype == np.uint8 and back.flags.writeable
    error = np.abs(back.astype(int) - PICTURE)
    assert error.mean() < (3 if image_format is not ImageFormat.PNG else 1e-9)


def test_quality_is_heeded() -> None:
    assert len(images.encode(PICTURE, ImageFormat.JPEG, quality=30)) < len(
        images.encode(PICTURE, ImageFormat.JPEG, quality=95)
    )


@pytest.mark.parametrize("data", [b"", b"GIF89a" + bytes(50), b"<svg/>", b"BM" + bytes(60), b"RIFF\0\0\0\0WAVE"])
def test_other_formats_are_refused(data: bytes) -> None:
    assert images.sniff_format(data) is None
    with pytest.raises(BadImage, match="send JPEG, PNG or WebP"):
        images.decode(data, max_pixels=LIMIT)


@pytest.mark.parametrize("image_format", list(ImageFormat))
@pytest.mark.parametrize("share", [0.02, 0.3, 0.9, 0.99])
def test_files_cut_short_are_refused(image_format: ImageFormat, share: float) -> None:
    data = images.encode(PICTURE, image_format)
    with pytest.raises(BadImage):
        images.decode(data[: max(int(len(data) * share), 14)], max_pixels=LIMIT)


def png_bomb(width: int, height: int) -> bytes:
    """A PNG of a few hundred bytes whose header announces any size."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(100_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(50_000, 50_000), (1_000_001, 1), (2000, 501)])
def test_bombs_are_refused_by_their_header(size: tuple[int, int]) -> None:
    start = time.perf_counter()
    with pytest.raises(TooLarge, match=f"{size[0]}x{size[1]} pixels; 1,000,000 are taken"):
        images.decode(png_bomb(*size), max_pixels=LIMIT)
    assert time.perf_counter() - start < 0.5


def test_a_picture_of_exactly_the_limit_is_taken() -> None:
    data = images.encode(PICTURE, ImageFormat.PNG)
    assert images.decode(data, max_pixels=160 * 120).shape == (120, 160, 3)
    with pytest.raises(TooLarge):
        images.decode(data, max_pixels=160 * 120 - 1)


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP"])
def test_exif_turns_the_picture_upright(image_format: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90 degrees clockwise to show
    data = saved(Image.fromarray(PICTURE), image_format, exif=exif.tobytes())
    back = images.decode(data, max_pixels=LIMIT)
    assert back.shape == (160, 120, 3)
    assert np.abs(back.astype(int) - np.rot90(PICTURE, -1)).mean() < 12


@pytest.mark.parametrize("image_format", ["PNG", "WEBP"])
def test_transparency_goes_on_white(image_format: str) -> None:
    rgba = np.zeros((32, 32, 4), np.uint8)
    rgba[:, 16:] = (200, 10, 10, 255)
    back = images.decode(saved(Image.fromarray(rgba), image_format, lossless=True), max_pixels=LIMIT)
    assert back[5, 5].tolist() == [255, 255, 255]
    assert np.allclose(back[5, 25], (200, 10, 10), atol=2)
    assert back.flags.writeable


@pytest.mark.parametrize("mode", ["L", "P", "1", "I;16", "CMYK"])
def test_other_pixel_layouts_become_rgb(mode: str) -> None:
    grey = Image.fromarray(PICTURE).convert("L")
    picture = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257) if mode == "I;16" else grey.convert(mode)
    data = saved(picture, "JPEG" if mode == "CMYK" else "PNG")
    assert images.decode(data, max_pixels=LIMIT).shape == PICTURE.shape


def test_only_rgb_bytes_are_encoded() -> None:
    with pytest.raises(ValueError, match=r"expected uint8 \(H, W, 3\), got float32 \(4, 4\)"):
        images.encode(np.zeros((4, 4), np.float32), ImageFormat.PNG)


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(list(ImageFormat)), st.data())
def test_damage_is_told_as_such(image_format: ImageFormat, data: st.DataObject) -> None:
    """Whatever a stranger changes, the answer is a picture or one of our two errors, never another exception."""
    file = bytearray(SMALL[image_format])
    for _ in range(data.draw(st.integers(1, 6))):
        file[data.draw(st.integers(0, len(file) - 1))] = data.draw(st.integers(0, 255))
    try:
        picture = images.decode(bytes(file), max_pixels=LIMIT)
    except (BadImage, TooLarge) as error:
        assert error.message
    else:
        assert picture.ndim == 3 and picture.shape[2] == 3


SMALL = {each: images.encode(PICTURE[:48, :64], each) for each in ImageFormat}


@pytest.mark.parametrize("bomb", BOMBS)
def test_bombs_cost_nothing(bomb: str) -> None:
    started = time.process_time()
    with pytest.raises((BadImage, TooLarge)):
        images.decode(BOMBS[bomb], max_pixels=1920 * 1080)
    assert time.process_time() - started < 0.2


@pytest.mark.parametrize("name", DISGUISED)
def test_what_hides_in_a_picture_is_not_looked_at(name: str) -> None:
    started = time.process_time()
    assert images.decode(DISGUISED[name], max_pixels=LIMIT).shape == (48, 64, 3)
    assert time.process_time() - started < 0.2


@pytest.mark.parametrize("size", [(images.MAX_SIDE + 1, 8), (8, 40_000)])
def test_a_side_that_would_end_the_process_is_refused(size: tuple[int, int]) -> None:
    """MediaPipe's OpenCV asserts, and with it every stream of the worker goes."""
    with pytest.raises(TooLarge):
        images.decode(saved(Image.new("RGB", size), "PNG"), max_pixels=LIMIT)


@pytest.mark.parametrize("image_format", [ImageFormat.JPEG, ImageFormat.WEBP])
def test_live_pictures_are_like_the_others(image_format: ImageFormat) -> None:
    rgb = np.zeros((64, 96, 3), np.uint8)
    rgb[:, 48:] = (200, 40, 90)
    decoded = images.decode(images.encode_live(rgb, image_format, quality=90), max_pixels=10**6)
    assert np.abs(decoded[:, 60:].astype(int) - rgb[:, 60:]).mean() < 6
