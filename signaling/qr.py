"""QR codes: for terminals, and as a picture."""

from __future__ import annotations

import io
import shutil
from typing import TextIO

import segno

_INK = "\x1b[97;40m"
_RESET = "\x1b[0m"
WIDEST = 45
"""Columns that the longest of our addresses takes."""

QUIET_ZONE = 4
"""Modules of white around it (ISO/IEC 18004)."""


def for_terminal(text: str) -> str:
    """Two rows of modules in each line, white on black whatever the terminal's own colours: cameras want dark on light,
    and in half blocks the light modules are what is drawn."""
    out = io.StringIO()
    _code(text).terminal(out, border=2, compact=True)
    return "\n".join(f"{_INK}{line}{_RESET}" for line in out.getvalue().splitlines())


def shows_qr(stream: TextIO) -> bool:
    """Whether it is a terminal that can draw half blocks, and is wide enough."""
    encoding = (stream.encoding or "").lower().replace("-", "")
    return stream.isatty() and encoding.startswith("utf") and shutil.get_terminal_size().columns >= WIDEST


def as_svg(text: str) -> bytes:
    """Without a size of its own: it fills what it is shown in."""
    out = io.BytesIO()
    _code(text).save(out, kind="svg", border=QUIET_ZONE, light="#fff", omitsize=True, svgclass=None, lineclass=None)
    return out.getvalue()


def _code(text: str) -> segno.QRCode:
    return segno.make_qr(text, error="m")
