"""Pictures from strangers."""

from __future__ import annotations

import io
import struct
import time
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from protocol.errors import BadImage
from signaling.images import inspect, normalise
from tests.hostile_pictures import BOMBS, DISGUISED, png
from tests.signaling.fake_worker import picture


def encoded(image: Image.Image, image_format: str, **options: Any) -> bytes:
    output = io.BytesIO()
    image.save(output, image_format, **options)
    return output.getvalue()


def decoded(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def png_bomb(width: int = 30_000, height: int = 30_000) -> bytes:
    """A few dozen bytes that declare 900 megapixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def webp_bomb(kind: bytes) -> bytes:
    """Declares 16383x16383 in each of WebP's three forms."""
    body = {
        b"VP8X": b"VP8X" + struct.pack("<I", 10) + b"\0" * 4 + (16382).to_bytes(3, "little") * 2,
        b"VP8L": b"VP8L" + struct.pack("<I", 5) + b"\x2f" + (16382 | 16382 << 14).to_bytes(4, "little"),
        b"VP8 ": b"VP8 " + struct.pack("<I", 10) + b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 16383, 16383),
    }[kind]
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def test_sixteen_bits_of_grey_stay_grey() -> None:
    grey = Image.frombytes("I;16", (40, 30), (100 * 257).to_bytes(2, "little") * 1200)
    kept = decoded(normalise(encoded(grey, "PNG"), 1280).data)
    assert kept.convert("RGB").getpixel((20, 10)) == (100, 100, 100)


@pytest.mark.parametrize(
    ("image_format", "content_type"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/jpeg")]
)
def test_three_formats_are_taken_and_two_kept(image_format: str, content_type: str) -> None:
    kept = normalise(picture(100, 80, image_format), 1280)
    assert (kept.content_type, kept.width, kept.height) == (content_type, 100, 80)
    assert decoded(kept.data).size == (100, 80)
    red = decoded(kept.data).convert("RGB").getpixel((50, 40))
    assert isinstance(red, tuple)
    assert max(abs(a - b) for a, b in zip(red, (0xB3, 0x00, 0x1B), strict=True)) <= 4


def test_large_pictures_become_small() -> None:
    kept = normalise(picture(4000, 2000), 1280)
    assert (kept.width, kept.height) == (1280, 640)


def test_transparency_stays() -> None:
    kept = normalise(encoded(Image.new("RGBA", (9, 9), (1, 2, 3, 0)), "WEBP", lossless=True), 1280)
    assert (kept.content_type, decoded(kept.data).mode) == ("image/png", "RGBA")


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "LA", "I;16"])
def test_other_pixel_formats_become_rgb(mode: str) -> None:
    image_format = "JPEG" if mode == "CMYK" else "PNG"
    kept = normalise(encoded(Image.new(mode, (8, 8)), image_format), 1280)
    assert decoded(kept.data).mode in ("RGB", "RGBA")


def test_pictures_are_turned_upright_and_lose_their_exif() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn 90° clockwise to view
    exif.get_ifd(0x8825)[1] = "N"  # GPS
    exif[0x8825] = {1: "N", 2: (48.0, 8.0, 0.0)}
    sideways = Image.new("RGB", (40, 20), "white")
    sideways.paste("black", (0, 0, 10, 20))
    kept = normalise(encoded(sideways, "JPEG", exif=exif, quality=95), 1280)
    image = decoded(kept.data)
    assert image.size == (20, 40)
    assert not image.getexif()
    assert b"Exif" not in kept.data
    top, bottom = image.convert("L").getpixel((10, 2)), image.convert("L").getpixel((10, 37))
    assert isinstance(top, int)
    assert isinstance(bottom, int)
    assert top < 60
    assert bottom > 200


def test_wide_gamut_colours_are_brought_to_srgb() -> None:
    swapped = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()  # not of RGB: cannot be applied
    assert normalise(encoded(Image.new("RGB", (8, 8), "red"), "JPEG", icc_profile=swapped), 1280).width == 8
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    kept = normalise(encoded(Image.new("RGB", (8, 8), "#B3001B"), "PNG", icc_profile=srgb), 1280)
    assert decoded(kept.data).getpixel((4, 4)) == (0xB3, 0x00, 0x1B)
    assert "icc_profile" not in decoded(kept.data).info


@pytest.mark.parametrize("tail", [b"<script>alert(1)</script>", b"PK\x03\x04" + bytes(400)])
@pytest.mark.parametrize("image_format", ["JPEG", "PNG"])
def test_nothing_hidden_behind_the_picture_is_kept(tail: bytes, image_format: str) -> None:
    kept = normalise(picture(image_format=image_format) + tail, 1280)
    assert tail not in kept.data


@pytest.mark.parametrize("bomb", [png_bomb(), *map(webp_bomb, (b"VP8X", b"VP8L", b"VP8 "))])
def test_bombs_are_refused_by_their_header(bomb: bytes) -> None:
    started = time.monotonic()
    with pytest.raises(BadImage, match="megapixels"):
        normalise(bomb, 1280)
    assert time.monotonic() - started < 0.2


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP"])
def test_truncated_pictures_are_refused(image_format: str) -> None:
    noise = Image.effect_noise((200, 200), 50)
    whole = encoded(noise.convert("RGB"), image_format)
    for share in (0.02, 0.3, 0.7, 0.95):
        with pytest.raises(BadImage):
            normalise(whole[: int(len(whole) * share)], 1280)


@pytest.mark.parametrize(
    "data", [b"", b"x", b"GIF89a" + bytes(100), b"%PDF-1.7", b"<svg xmlns='http://www.w3.org/2000/svg'/>", bytes(5000)]
)
def test_other_files_are_refused(data: bytes) -> None:
    with pytest.raises(BadImage):
        normalise(data, 1280)
    with pytest.raises(BadImage):
        inspect(data)


def test_other_formats_that_pillow_knows_are_refused() -> None:
    for image_format in ("GIF", "BMP", "TIFF", "ICO", "PPM"):
        with pytest.raises(BadImage):
            normalise(picture(image_format=image_format), 1280)


def test_an_animation_gives_its_first_picture() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue", "green")]
    for image_format in ("WEBP", "PNG"):
        data = encoded(frames[0], image_format, save_all=True, append_images=frames[1:])
        first = decoded(normalise(data, 1280).data).convert("RGB").getpixel((4, 4))
        assert isinstance(first, tuple)
        assert first[0] > 200


@given(st.integers(0, 600), st.binary(min_size=1, max_size=8), st.sampled_from(["JPEG", "PNG", "WEBP"]))
def test_damage_is_refused_or_survived(at: int, noise: bytes, image_format: str) -> None:
    data = bytearray(picture(image_format=image_format))
    data[at : at + len(noise)] = noise
    try:
        kept = normalise(bytes(data), 1280)
    except BadImage:
        return
    decoded(kept.data)


@pytest.mark.parametrize("bomb", BOMBS)
def test_bombs_of_every_kind_cost_nothing(bomb: str) -> None:
    started = time.process_time()
    with pytest.raises(BadImage):
        normalise(BOMBS[bomb], 1280)
    assert time.process_time() - started < 0.2


@pytest.mark.parametrize("name", DISGUISED)
def test_what_hides_in_a_picture_is_not_looked_at(name: str) -> None:
    started = time.process_time()
    kept = normalise(DISGUISED[name], 1280)
    assert (kept.width, kept.height) == (64, 48) and b"script" not in kept.data
    assert time.process_time() - started < 0.2


@pytest.mark.parametrize("colour", [0, 6])
def test_large_pictures_of_16_bits_are_taken(colour: int) -> None:
    """Pillow's filters refuse those in grey."""
    kept = normalise(png(800, 600, depth=16, colour=colour), 320)
    assert (kept.width, kept.height) == (320, 240)
