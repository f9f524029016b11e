"""A frame's number as black and white blocks along the top edge, to measure latency from camera to screen.

22 blocks: white, black (which says that a code is here), 16 bits, 4 bits of checksum, most significant first. Blocks
are wide enough (1/22 of the width, 1/16 of the height) to survive VP8 or H.264 at 1 Mbit/s and scaling.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BITS = 16
BLOCKS = 2 + BITS + 4
ROWS = 16
"""The strip takes 1/ROWS of the height."""

WHITE, BLACK = 235, 16
"""Within video range, so that no conversion clips them."""

SMALLEST_CONTRAST = 90
"""A strip whose blocks differ by less than this many bytes is part of the picture."""


def write(rgb: NDArray[np.uint8], number: int) -> None:
    """Burns `number` modulo 65536 into uint8 (H, W, 3), in place."""
    height, width = rgb.shape[:2]
    number %= 1 << BITS
    word = number << 4 | _checksum(number)
    bits = [1, 0] + [word >> shift & 1 for shift in reversed(range(BITS + 4))]
    edges = np.round(np.linspace(0, width, BLOCKS + 1)).astype(int)
    for bit, left, right in zip(bits, edges[:-1], edges[1:], strict=True):
        rgb[: max(height // ROWS, 4), left:right] = WHITE if bit else BLACK


def read(rgb: NDArray[np.uint8]) -> int | None:
    """The number in uint8 (H, W, 3), which may be scaled and compressed; None where there is none to be sure of."""
    height, width = rgb.shape[:2]
    rows = max(height // ROWS, 4)
    strip = rgb[rows // 4 : max(rows * 3 // 4, rows // 4 + 1)].astype(np.float32).mean(axis=(0, 2))
    centres = (np.arange(BLOCKS) + 0.5) * width / BLOCKS
    reach = max(width // (BLOCKS * 5), 1)
    levels = np.array([strip[int(c) - reach : int(c) + reach].mean() for c in centres])
    white, black = levels[0], levels[1]
    if white - black < SMALLEST_CONTRAST:
        return None
    share = (levels - black) / (white - black)
    if np.any(np.minimum(np.abs(share), np.abs(share - 1)) > 0.35):
        return None
    word = int("".join("1" if each > 0.5 else "0" for each in share[2:]), 2)
    number, checksum = word >> 4, word & 15
    return number if checksum == _checksum(number) else None


def _checksum(number: int) -> int:
    """CRC-4 (x⁴ + x + 1) started at 0b1010, so that neither all black nor all white is valid."""
    remainder = 0b1010
    for shift in reversed(range(BITS)):
        remainder = remainder << 1 | number >> shift & 1
        if remainder & 16:
            remainder ^= 0b10011
    return remainder
