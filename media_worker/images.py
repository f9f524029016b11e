"""Pictures at the edge: bytes of strangers in, arrays out, and back.

Only JPEG, PNG and WebP. Files are cut down to what decoders need, and the size is checked before a single pixel is
decoded (`protocol/picture_files.py`), so that a small file that unfolds into gigabytes or minutes costs nothing. Pillow
reads headers (0.1 ms), OpenCV the pixels (JPEG of 640x480: 1.6 ms).
"""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from protocol import picture_files
from protocol.errors import BadImage, TooLarge
from protocol.messages import ImageFormat

QUALITY = 90
"""Of JPEG and WebP, unless the caller says otherwise."""

Image.MAX_IMAGE_PIXELS = None  # Pillow's own limit only warns; ours refuses, before anything is decoded

MAX_SIDE = 16_383
"""Pixels; more does not fit into a WebP. MediaPipe's own OpenCV ends the whole process at 32,767."""

_TAKEN = "send JPEG, PNG or WebP"


def sniff_format(data: bytes) -> ImageFormat | None:
    """The format that the first bytes announce; None for any that is not taken."""
    if data.startswith(b"\xff\xd8\xff"):
        return ImageFormat.JPEG
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return ImageFormat.PNG
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return ImageFormat.WEBP
    return None


def decode(data: bytes, *, max_pixels: int) -> NDArray[np.uint8]:
    """An upright picture, uint8 (H, W, 3) sRGB; transparency goes on white.

    Raises BadImage for other formats and damaged files, TooLarge above `max_pixels` or MAX_SIDE (nothing is decoded
    then).
    """
    kind, file = sniff_format(data), picture_files.read(data)
    if kind is None or file is None:
        raise BadImage(f"this is no picture that is taken here; {_TAKEN}" if data else f"the image is empty; {_TAKEN}")
    data = file.data
    _check_size(file.width, file.height, max_pixels)
    header = _read_header(data, kind)
    _check_size(header.width, header.height, max_pixels)  # as the decoder itself reads it
    pixels = _over_white(data, kind) if header.has_alpha else _opaque(data, kind)
    # EXIF may have turned it, but a file must not hold another size than the one that was checked
    if sorted(pixels.shape[:2]) != sorted((header.height, header.width)):
        raise BadImage(f"the image's header says {header.width}x{header.height}, its pixels say otherwise")
    return pixels


def _check_size(width: int, height: int, max_pixels: int) -> None:
    """Raises TooLarge."""
    if width * height > max_pixels:
        raise TooLarge(f"the image has {width}x{height} pixels; {max_pixels:,} are taken")
    if max(width, height) > MAX_SIDE:
        raise TooLarge(f"the image has {width}x{height} pixels; {MAX_SIDE:,} a side are taken")


def encode(rgb: NDArray[np.uint8], image_format: ImageFormat, *, quality: int = QUALITY) -> bytes:
    """A picture, uint8 (H, W, 3) sRGB, as a file; `quality` 1–100 for JPEG and WebP, PNG loses nothing."""
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.size == 0:
        raise ValueError(f"expected uint8 (H, W, 3), got {rgb.dtype} {rgb.shape}")
    extension, options = {
        ImageFormat.JPEG: (".jpg", [cv2.IMWRITE_JPEG_QUALITY, quality]),
        ImageFormat.PNG: (".png", [cv2.IMWRITE_PNG_COMPRESSION, 3]),
        ImageFormat.WEBP: (".webp", [cv2.IMWRITE_WEBP_QUALITY, quality]),
    }[image_format]
    done, buffer = cv2.imencode(extension, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), options)
    if not done:
        raise BadImage(f"the picture could not be written as {image_format.value}")
    return buffer.tobytes()


def encode_live(rgb: NDArray[np.uint8], image_format: ImageFormat, *, quality: int) -> bytes:
    """As `encode`, for a picture that is shown for a thirtieth of a second.

    WebP by its fastest method, which OpenCV does not offer: 2.6 ms instead of 14 to 25 for 640x480, and files up to
    a half larger. JPEG takes 0.4 ms.
    """
    if image_format is not ImageFormat.WEBP:
        return encode(rgb, image_format, quality=quality)
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "WEBP", quality=quality, method=0)
    return file.getvalue()


@dataclass(frozen=True)
class _Header:
    width: int
    height: int
    has_alpha: bool


def _read_header(data: bytes, kind: ImageFormat) -> _Header:
    """What the header says; Pillow decodes no pixel until asked to."""
    try:
        with Image.open(io.BytesIO(data), formats=[kind.value.upper()]) as image:
            has_alpha = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
            header = _Header(image.width, image.height, has_alpha)
    except _DAMAGE as error:
        raise BadImage(f"the {kind.value} image has a broken header") from error
    if header.width < 1 or header.height < 1:
        raise BadImage(f"the {kind.value} image has no pixels")
    return header


def _opaque(data: bytes, kind: ImageFormat) -> NDArray[np.uint8]:
    """By OpenCV, which applies EXIF's orientation and gives None for anything cut short (tested)."""
    try:
        rgb = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    except cv2.error as error:
        raise BadImage(f"the {kind.value} image cannot be decoded") from error
    if rgb is None:
        raise BadImage(f"the {kind.value} image is damaged or cut short")
    return rgb.astype(np.uint8, copy=False)


def _over_white(data: bytes, kind: ImageFormat) -> NDArray[np.uint8]:
    """By Pillow: transparent pictures are rare, and OpenCV would show the colours under what is transparent."""
    try:
        with Image.open(io.BytesIO(data), formats=[kind.value.upper()]) as image:
            upright = ImageOps.exif_transpose(image).convert("RGBA")
    except _DAMAGE as error:
        raise BadImage(f"the {kind.value} image is damaged or cut short") from error
    white = Image.new("RGBA", upright.size, "white")
    return np.array(Image.alpha_composite(white, upright).convert("RGB"))


_DAMAGE = (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, struct.error, zlib.error)
"""What Pillow raises for broken files, none of it documented in one place."""
