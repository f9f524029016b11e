"""Pictures from strangers: checked by decoding them, and made anew. Plain functions; they block, so run in a thread.

What is kept is never what was sent: it is decoded and encoded again, upright, without EXIF (which may hold the place a
photo was taken) and without whatever else was hidden in the file.
"""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from protocol import limits
from protocol.errors import BadImage

FORMATS: Final = ("JPEG", "PNG", "WEBP")

_BROKEN = (OSError, SyntaxError, ValueError, IndexError, TypeError, EOFError, OverflowError, struct.error, zlib.error)
"""What Pillow's decoders raise on damaged files."""

_TOO_MANY = (Image.DecompressionBombError, Image.DecompressionBombWarning)


@dataclass(frozen=True)
class Picture:
    """An image that is known to decode: JPEG, or PNG where it came as PNG or has transparency."""

    data: bytes
    content_type: str
    width: int
    height: int


def normalise(data: bytes, max_side: int) -> Picture:
    """The picture made anew, at most `max_side` pixels long. Raises BadImage."""
    _check_webp_size(data)
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            _check_pixels(*image.size)  # from the header: nothing is decoded yet
            image.draft("RGB", (max_side, max_side))  # a large JPEG is decoded at a fraction of its size
            image.load()
            upright = ImageOps.exif_transpose(image)
            upright.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
            return _encode(_to_srgb(_eight_bits(upright)), keep_png=image.format == "PNG")
    except _TOO_MANY:
        raise _too_many_pixels() from None
    except UnidentifiedImageError as error:  # its own words name an address in our memory
        raise BadImage("this is no JPEG, PNG or WebP") from error
    except _BROKEN as error:
        raise BadImage(f"the image does not decode as JPEG, PNG or WebP: {error}"[:200]) from error


def inspect(data: bytes) -> Picture:
    """A picture that our own worker made, as it is; only its header is read. Raises BadImage."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            return Picture(data, Image.MIME[image.format or "JPEG"], *image.size)
    except (*_BROKEN, *_TOO_MANY) as error:
        raise BadImage from error


def _encode(image: Image.Image, *, keep_png: bool) -> Picture:
    """Metadata stays behind: the pixels alone move to the new file."""
    target = "RGBA" if image.has_transparency_data else "RGB"
    pixels = image if image.mode == target else image.convert(target)
    pixels.info = {}
    output = io.BytesIO()
    if keep_png or target == "RGBA":
        pixels.save(output, "PNG", compress_level=3)
        return Picture(output.getvalue(), "image/png", *pixels.size)
    pixels.save(output, "JPEG", quality=92)
    return Picture(output.getvalue(), "image/jpeg", *pixels.size)


def _eight_bits(image: Image.Image) -> Image.Image:
    """Grey PNGs may have 16 bits; Pillow's own conversion would cut off what is over 255, which is nearly all."""
    return image.convert("I").point(lambda value: value * (1 / 256)).convert("L") if image.mode[:1] == "I" else image


def _to_srgb(image: Image.Image) -> Image.Image:
    """Phones store Display P3: without its profile, a red would come out duller than the polish is."""
    profile = image.info.get("icc_profile")
    if not profile or image.mode != "RGB":
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB")) or image
    except (ImageCms.PyCMSError, *_BROKEN):
        return image  # a broken profile is no reason to refuse a good picture


def _check_pixels(width: int, height: int) -> None:
    if width * height > limits.MAX_UPLOAD_PIXELS:
        raise _too_many_pixels()


def _too_many_pixels() -> BadImage:
    return BadImage(f"the image has over {limits.MAX_UPLOAD_PIXELS // 1_000_000} megapixels")


def _check_webp_size(data: bytes) -> None:
    """Pillow's WebP reader sets aside the whole canvas while it opens a file, before it can be asked for its size.

    https://developers.google.com/speed/webp/docs/riff_container: VP8X holds width-1 and height-1 in 24 bits each; the
    simple formats hold 14 bits each, after the frame's start code (VP8) or its signature (VP8L).
    """
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        return
    head = data[:30].ljust(30, b"\0")
    match head[12:16]:
        case b"VP8X":
            width, height = (int.from_bytes(head[at : at + 3], "little") + 1 for at in (24, 27))
        case b"VP8L":
            bits = int.from_bytes(head[21:25], "little")
            width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case _:
            width, height = (int.from_bytes(head[at : at + 2], "little") & 0x3FFF for at in (26, 28))
    _check_pixels(width, height)
