"""Pictures that mean no good, each with what it would cost a decoder that takes it as it is."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image

NOISE = np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)


def saved(image: Image.Image, image_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


def photo(image_format: str = "JPEG", **options: object) -> bytes:
    return saved(Image.fromarray(NOISE), image_format, **options)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def segment(kind: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, kind, len(body) + 2) + body


def png(width: int, height: int, extra: bytes = b"", *, depth: int = 8, colour: int = 2) -> bytes:
    """A black PNG; `extra` chunks go between its header and its pixels."""
    row = {0: 1, 2: 3, 6: 4}[colour] * width * depth // 8 + 1
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    pixels = zlib.compress(bytes(row * height), 1)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def scan_bomb(width: int, height: int, scans: int) -> bytes:
    """A progressive JPEG whose last scan, 12 bytes that change nothing, is there again and again."""
    file = saved(Image.new("RGB", (width, height), (120, 30, 40)), "JPEG", progressive=True, quality=30)
    return file[:-2] + file[file.rfind(b"\xff\xda") : -2] * scans + b"\xff\xd9"


def in_front(extra: bytes, file: bytes) -> bytes:
    """A JPEG with segments before its own."""
    return file[:2] + extra + file[2:]


def exif_bomb(fields: int) -> bytes:
    """EXIF whose every field claims all of the others' bytes."""
    directory = b"".join(struct.pack("<HHII", (n + 0x0113) % 65536, 2, 12 * fields, 8) for n in range(fields))
    return b"II*\0" + struct.pack("<IH", 8, fields) + directory


def webp_canvas(width: int, height: int) -> bytes:
    """A WebP of 30 bytes that says how large its canvas is, and then holds nothing."""
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + size


def animation(image_format: str, pictures: int) -> bytes:
    others = [Image.fromarray(np.roll(NOISE, 1 + n, 1)) for n in range(pictures - 1)]
    return photo(image_format, save_all=True, append_images=others, duration=10, lossless=True)


BOMBS = {
    "scans": scan_bomb(1900, 1080, 5000),  # 14 s; a file of 4 MB has 350,000
    "segments": in_front(segment(0xE5, b"") * 500_000, photo()),  # a second
    "comments": in_front(segment(0xFE, b"") * 500_000, photo()),
    "fill bytes": in_front(b"\xff" * 4_000_000, photo()),  # 2 s
    "chunks": png(64, 48, chunk(b"prVt", b"") * 200_000),  # 0.6 s
    "text": png(64, 48, chunk(b"tEXt", b"k\0v") * 200_000),
    "length": png(64, 48)[:33] + b"\xff\xff\xff\xffIDAT" + png(64, 48)[41:],  # 3 s and 4 GB
    "canvas": webp_canvas(1 << 24, 1 << 24),
}
"""All refused."""

DISGUISED = {
    "packed text": png(64, 48, chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(1_000_000))) * 60),
    "exif": in_front(segment(0xE1, b"Exif\0\0" + exif_bomb(5000)), photo()),
    "many exif": in_front(segment(0xE1, b"Exif\0\0" + bytes(60_000)) * 60, photo()),
    "exif in a png": png(64, 48, chunk(b"eXIf", exif_bomb(65_000))),
    "a page behind": photo() + b"PK\x03\x04<html><script>alert(1)</script>",
    "a film behind": photo() + bytes(range(256)) * 20_000,
    "animated webp": animation("WEBP", 60),
    "animated png": animation("PNG", 60),
}
"""All taken as the still picture, 64 by 48, that they hold as well."""
