"""Pictures from strangers: checked by decoding them, and made anew. Plain functions; they block, so run in a thread.

Files are cut down to the picture before any library opens them (`protocol/picture_files.py`). What is kept is never
what was sent: it is decoded and encoded again, upright, without EXIF (which may hold the place a photo was taken) and
without whatever else was hidden in the file.
"""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from protocol import limits, picture_files
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
    file = picture_files.read(data)
    if file is None:
        raise BadImage("this is no JPEG, PNG or WebP")
    _check_pixels(file.width, file.height)  # Pillow's WebP reader makes room for the whole canvas while it opens a file
    try:
        with Image.open(io.BytesIO(file.data), formats=FORMATS) as image:
            _check_pixels(*image.size)  # as the decoder reads it; nothing is decoded yet
            image.draft("RGB", (max_side, max_side))  # a large JPEG is decoded at a fraction of its size
            image.load()
            upright = _eight_bits(image)
            ImageOps.exif_transpose(upright, in_place=True)  # a copy of 40 megapixels is 160 MB
            upright.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
            return _encode(_to_srgb(upright), keep_png=image.format == "PNG")
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
    """Grey PNGs may have 16 bits; Pillow's own conversion would cut off what is over 255, which is nearly all, and its
    filters refuse them. The upper byte of each value is kept."""
    if image.mode[:1] != "I":
        return image
    upper = image.tobytes("raw", "I;16")[1::2] if image.mode == "I;16" else image.convert("I").tobytes("raw", "I")[1::4]
    grey = Image.frombytes("L", image.size, upper)
    grey.info = dict(image.info)
    return grey


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
