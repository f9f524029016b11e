"""QR codes that cameras read: decoded here with OpenCV's own reader."""

from __future__ import annotations

import io
import re
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from signaling import qr

URLS = ["https://10.0.0.2:8443", "https://192.168.178.200:65535"]


def decode(modules: NDArray[np.bool_]) -> str:
    """What a grid of dark modules says."""
    picture = np.where(np.pad(modules, 4), 0, 255).astype(np.uint8)
    text, _, _ = cv2.QRCodeDetector().detectAndDecode(np.kron(picture, np.full((8, 8), 1, np.uint8)))
    return text


def modules_of_terminal(text: str) -> NDArray[np.bool_]:
    """Dark modules of half blocks: where nothing is drawn, in black."""
    lines = [re.sub(r"\x1b\[[\d;]*m", "", line) for line in text.splitlines()]
    upper = [[character not in "█▀" for character in line] for line in lines]
    lower = [[character not in "█▄" for character in line] for line in lines]
    rows = np.array([row for pair in zip(upper, lower, strict=True) for row in pair])
    return rows[2 : 2 + rows.shape[1] - 4, 2:-2]


def modules_of_svg(svg: bytes) -> NDArray[np.bool_]:
    """Dark modules of segno's path: `m` moves the pen, `h` draws a run of modules."""
    root = ElementTree.fromstring(svg)
    size = int(root.attrib["viewBox"].split()[2])
    ink = next(element for element in root if element.attrib.get("stroke") == "#000")
    modules, x, y = np.zeros((size, size), bool), 0.0, 0.0
    for step, first, second in re.findall(r"([Mmh])(-?[\d.]+) ?(-?[\d.]+)?", ink.attrib["d"]):
        if step == "h":
            modules[int(y), int(x) : int(x) + int(first)] = True
            x += float(first)
        else:
            x, y = (float(first), float(second)) if step == "M" else (x + float(first), y + float(second))
    return modules


@pytest.mark.parametrize("url", URLS)
def test_a_terminal_shows_it_in_its_own_colours(url: str) -> None:
    text = qr.for_terminal(url)
    assert decode(modules_of_terminal(text)) == url
    assert all(line.startswith("\x1b[97;40m") and line.endswith("\x1b[0m") for line in text.splitlines())


@pytest.mark.parametrize("url", URLS)
def test_the_picture_has_its_quiet_zone(url: str) -> None:
    svg = qr.as_svg(url)
    modules = modules_of_svg(svg)
    assert decode(modules) == url
    assert not modules[: qr.QUIET_ZONE].any() and not modules[:, : qr.QUIET_ZONE].any()
    assert b'fill="#fff"' in svg and b"<script" not in svg and b"style=" not in svg


class Terminal(io.TextIOWrapper):
    def __init__(self, encoding: str, *, terminal: bool) -> None:
        super().__init__(io.BytesIO(), encoding=encoding)
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


@pytest.mark.parametrize(
    ("encoding", "terminal", "columns", "shown"),
    [
        ("utf-8", True, "80", True),
        ("UTF8", True, "80", True),
        ("ascii", True, "80", False),
        ("utf-8", False, "80", False),
        ("utf-8", True, "30", False),
    ],
)
def test_where_it_cannot_be_drawn_it_is_left_out(
    encoding: str, terminal: bool, columns: str, shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert qr.shows_qr(Terminal(encoding, terminal=terminal)) is shown


def test_the_longest_address_fits() -> None:
    assert len(qr.for_terminal(URLS[-1]).splitlines()[0]) - len("\x1b[97;40m\x1b[0m") <= qr.WIDEST
