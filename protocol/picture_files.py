"""Files of strangers' pictures, looked at and cut down before any library opens them. Bytes in, bytes out.

Decoders are built for files that mean well. Each of these is small, and cost minutes or gigabytes somewhere:

- a JPEG of 4 MB may hold 350,000 scans, each of which goes over the whole picture again: seven minutes at 1080p;
- a file may consist of a million empty segments or chunks, walked through one by one: seconds at 4 MB;
- metadata unpacks (PNG's zTXt, iCCP), points at itself (EXIF), or hides another file (a polyglot);
- a chunk may say that it is longer than the file: OpenCV makes room for it first, 4 GB for a PNG of 83 bytes;
- the size may only be known when room for it has been made (WebP's canvas).

So what is passed on holds the picture alone: its pixels' data, its colour profile, and of its EXIF the orientation. Of
an animation, the first picture. What follows the end of the picture, such as the film of a motion photo, is cut off.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from protocol.errors import BadImage

MAX_SCANS = 32
"""Of one JPEG. Encoders write 1 to 13; each takes a 40-megapixel picture's decoder 60 ms."""

MAX_SEGMENTS = 1024
"""Of one JPEG or WebP: 12 MiB of metadata in JPEG's 64 KiB segments are 192, an animation has a chunk a picture."""

MAX_CHUNKS = 16_384
"""Of one PNG: 12 MiB of pixels in the 8 KiB chunks that libpng writes are 1,536."""

MAX_EXIF_FIELDS = 1024
"""Looked through for the orientation. Cameras write about 20."""

UPRIGHT = 1


@dataclass(frozen=True)
class PictureFile:
    """A picture's own parts."""

    data: bytes
    width: int
    height: int
    """As the header says, before EXIF turns it. 0 is possible, and for the caller to refuse."""


def read(data: bytes) -> PictureFile | None:
    """The picture in a JPEG, PNG or WebP; None for any other format. Raises BadImage for what no encoder writes."""
    try:
        if data.startswith(b"\xff\xd8\xff"):
            return _read_jpeg(data)
        if data.startswith(_PNG):
            return _read_png(data)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _read_webp(data)
    except (struct.error, IndexError) as error:
        raise BadImage("the image is cut short") from error
    return None


def _within(data: bytes, end: int) -> int:
    if end > len(data):
        raise BadImage("the image is cut short")
    return end


# --- JPEG (ITU-T T.81 Annex B) -------------------------------------------------------------------------------------
_SOI, _EOI, _SOS = b"\xff\xd8", 0xD9, 0xDA
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""SOF0 to SOF15: the size of the picture. Between them are tables of Huffman and arithmetic codes."""

_APP1, _APP2, _COMMENT = 0xE1, 0xE2, 0xFE
_NEEDED_APPS = (0xE0, 0xEE)
"""JFIF, and Adobe's: which colours the numbers are."""

_MARKER = re.compile(rb"\xff+([^\x00\xd0-\xd7\xff])", re.DOTALL)
"""In coded data, FF is followed by 00, or by a restart marker (B.1.1.2, B.1.1.5)."""


def _read_jpeg(data: bytes) -> PictureFile:
    parts, size, orientation, scans = [_SOI], None, UPRIGHT, 0
    for kind, segment, coded in _segments(data):
        body = segment[4:]
        if kind in _FRAMES and size is None:
            height, width = struct.unpack_from(">HH", body, 1)
            size = width, height
        if kind == _APP1 and body.startswith(b"Exif\0\0") and orientation == UPRIGHT:
            orientation = _orientation(body[6:])
        scans += kind == _SOS
        if scans > MAX_SCANS:
            raise BadImage(f"the JPEG has over {MAX_SCANS} scans")
        if _is_needed(kind, body):
            parts += [segment, coded]
    if size is None:
        raise BadImage("the JPEG has no picture")
    if orientation != UPRIGHT:
        exif = b"Exif\0\0" + _exif(orientation)
        parts.insert(1, struct.pack(">BBH", 0xFF, _APP1, len(exif) + 2) + exif)
    return PictureFile(b"".join(parts), *size)


def _is_needed(kind: int, body: bytes) -> bool:
    if 0xE0 <= kind <= 0xEF:
        return kind in _NEEDED_APPS or (kind == _APP2 and body.startswith(b"ICC_PROFILE\0"))
    return kind != _COMMENT


def _segments(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """(marker, segment from its FF on, coded data behind it), the end of the picture included. Raises BadImage."""
    at = len(_SOI)
    for number in count():
        found = _MARKER.match(data, at)
        if found is None or found.end() - at > 16 or number >= MAX_SEGMENTS:
            raise BadImage("the JPEG is broken or cut short between its segments")
        kind = found[1][0]
        start = found.end() - 2
        if kind == _EOI:
            yield kind, data[start : start + 2], b""
            return
        end = at = _within(data, start + 2 + struct.unpack_from(">H", data, start + 2)[0])
        if kind == _SOS:
            following = _MARKER.search(data, end)
            at = following.start() if following else len(data)
        yield kind, data[start:end], data[end:at]
        if kind == _SOS and at == len(data):
            return  # cut short; decoders say so, or show what there is


# --- PNG (ISO/IEC 15948 §5) ----------------------------------------------------------------------------------------
_PNG = b"\x89PNG\r\n\x1a\n"
_NEEDED_CHUNKS = frozenset((b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"iCCP", b"sRGB", b"gAMA", b"cHRM"))


def _read_png(data: bytes) -> PictureFile:
    parts, size, orientation, at = [_PNG], None, UPRIGHT, len(_PNG)
    for number in count():
        if at == len(data) and size:
            break  # no end; decoders say so, or show what there is
        if number >= MAX_CHUNKS:
            raise BadImage(f"the PNG has over {MAX_CHUNKS:,} chunks")
        length, kind = struct.unpack_from(">I4s", data, at)
        end = _within(data, at + 12 + length)
        if kind == b"IHDR" and size is None:
            size = struct.unpack_from(">II", data, at + 8)
        elif kind == b"eXIf":
            orientation = _orientation(data[at + 8 : end - 4])
        if kind in _NEEDED_CHUNKS:
            parts.append(data[at:end])
        at = end
        if kind == b"IEND":
            break
    if size is None:
        raise BadImage("the PNG has no header")
    if orientation != UPRIGHT:
        body = b"eXIf" + _exif(orientation)
        parts.insert(2, struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body)))
    return PictureFile(b"".join(parts), *size)


# --- WebP (RFC 9649 §2) --------------------------------------------------------------------------------------------
_EXIF_FLAG, _XMP_FLAG = 0x08, 0x04


def _read_webp(data: bytes) -> PictureFile:
    parts: list[bytes] = []
    canvas, orientation, at, pictures = None, UPRIGHT, 12, 0
    for number in count():
        if at + 8 > len(data) or (number and at >= 8 + int.from_bytes(data[4:8], "little")):
            break
        if number >= MAX_SEGMENTS:
            raise BadImage(f"the WebP has over {MAX_SEGMENTS:,} chunks")
        kind, length = struct.unpack_from("<4sI", data, at)
        end = _within(data, at + 8 + length) + length % 2
        chunk = data[at:end]
        canvas = canvas or _webp_size(kind, chunk[8:])
        if kind == b"EXIF":
            orientation = _orientation(chunk[8:].removeprefix(b"Exif\0\0"))
        pictures += kind in (b"ANMF", b"VP8 ", b"VP8L")
        if kind in (b"VP8X", b"ICCP", b"ANIM", b"ALPH") or (kind in (b"ANMF", b"VP8 ", b"VP8L") and pictures == 1):
            parts.append(chunk)
        at = end
    if canvas is None:
        raise BadImage("the WebP has no picture")
    return PictureFile(_riff(parts, orientation), *canvas)


def _webp_size(kind: bytes, body: bytes) -> tuple[int, int] | None:
    """VP8X holds width-1 and height-1 in 24 bits each; the simple formats hold 14 bits each, after the frame's start
    code (VP8) or its signature (VP8L, which counts from 1)."""
    match kind:
        case b"VP8X":
            size = struct.unpack_from("<4x3s3s", body)
            return int.from_bytes(size[0], "little") + 1, int.from_bytes(size[1], "little") + 1
        case b"VP8L":
            (bits,) = struct.unpack_from("<xI", body)
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 ":
            width, height = struct.unpack_from("<6xHH", body)
            return width & 0x3FFF, height & 0x3FFF
    return None


def _riff(parts: list[bytes], orientation: int) -> bytes:
    if parts and parts[0].startswith(b"VP8X"):
        flags = parts[0][8] & ~(_EXIF_FLAG | _XMP_FLAG) | (_EXIF_FLAG if orientation != UPRIGHT else 0)
        parts[0] = parts[0][:8] + bytes([flags]) + parts[0][9:]
        if orientation != UPRIGHT:
            exif = _exif(orientation)
            parts.append(b"EXIF" + struct.pack("<I", len(exif)) + exif)
    body = b"WEBP" + b"".join(parts)
    return b"RIFF" + struct.pack("<I", len(body)) + body


# --- EXIF (CIPA DC-008 §4.6: a TIFF) -------------------------------------------------------------------------------
_ORIENTATION, _SHORT = 0x0112, 3


def _orientation(tiff: bytes) -> int:
    """1 to 8 of the first directory; UPRIGHT where there is none, or nothing makes sense."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return UPRIGHT
    try:
        (at,) = struct.unpack_from(f"{order}I", tiff, 4)
        (fields,) = struct.unpack_from(f"{order}H", tiff, at)
        for number in range(min(fields, MAX_EXIF_FIELDS)):
            tag, kind, values, value = struct.unpack_from(f"{order}HHIH", tiff, at + 2 + 12 * number)
            if tag == _ORIENTATION:
                return value if (kind, values) == (_SHORT, 1) and 1 <= value <= 8 else UPRIGHT
    except struct.error:
        pass
    return UPRIGHT


def _exif(orientation: int) -> bytes:
    """A directory of one field."""
    return b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, _ORIENTATION, _SHORT, 1, orientation, 0, 0)
