"""Stripes and what is woven from them."""

from __future__ import annotations

import numpy as np

from media_worker.polish.patterns.sheet import Sheet, accent, lay, triangle
from media_worker.vision.arrays import Floats


def stripes(sheet: Sheet, colours: Floats) -> Floats:
    """Bands across the nail, each in the next accent."""
    return _bands(sheet, colours, sheet.y / 0.6, 0.4, 1.7)


def chevron(sheet: Sheet, colours: Floats) -> Floats:
    """Bands that form arrows towards the tip, each in the next accent."""
    return _bands(sheet, colours, (sheet.y + 0.6 * np.abs(sheet.x)) / 0.66, 0.45, 1.8)


def pinstripes(sheet: Sheet, colours: Floats) -> Floats:
    """Fine lines from cuticle to tip, one of them in the middle."""
    return lay(colours[0], sheet.line(_wave(sheet.x, 0.4), 0.1), colours[1])


def checker(sheet: Sheet, colours: Floats) -> Floats:
    """A chess board, four squares wide."""
    across, along = (np.clip(2 * _border(place, 0.5) / sheet.pixel, -1, 1) for place in (sheet.x, sheet.y))
    share: Floats = 0.5 - 0.5 * across * along
    return lay(colours[0], share, colours[1])


def plaid(sheet: Sheet, colours: Floats) -> Floats:
    """Woven: broad bands both ways, darker where they cross, and fine lines of the next accent between them."""
    cloth: Floats = colours[0]
    for place in (sheet.x, sheet.y - 0.2):
        cloth = lay(cloth, 0.65 * sheet.line(_wave(place + 0.55, 1.1), 0.5), accent(colours, 0))
    for place in (sheet.x, sheet.y - 0.2):
        cloth = lay(cloth, 0.85 * sheet.line(_wave(place, 1.1), 0.08), accent(colours, 1))
    return cloth


def lattice(sheet: Sheet, colours: Floats) -> Floats:
    """Quilted: fine lines cross slantwise; a stud of the next accent sits on each crossing."""
    one, other = sheet.x + 0.8 * sheet.y, sheet.x - 0.8 * sheet.y
    lines = np.maximum(*(sheet.line(_wave(way, 0.8), 0.07, 1.28) for way in (one, other)))
    # crossings are where x and 0.8 y are both whole or both half multiples of 0.8
    studs = np.minimum(np.hypot(_wave(one, 0.8), _wave(other, 0.8)), np.float32(1)) / 1.6
    return lay(lay(colours[0], lines, colours[1]), sheet.inside(0.11 - studs), accent(colours, 1))


def _bands(sheet: Sheet, colours: Floats, turns: Floats, width: float, slope: float) -> Floats:
    """Bands of the accents in turn, halfway between the whole numbers of `turns`, which changes by `slope` in a half
    width; `width` is the share that a band takes of its turn."""
    share = sheet.line(triangle(turns - 0.5), width / slope, slope)
    turn = np.floor(turns).astype(int) % (len(colours) - 1)
    return lay(colours[0], share, colours[1:][turn])


def _wave(place: Floats, period: float) -> Floats:
    """Distance from the nearest whole multiple of `period`."""
    distance: Floats = triangle(place / np.float32(period)) * np.float32(period)
    return distance


def _border(place: Floats, cell: float) -> Floats:
    """Distance from the nearest border between cells; positive in every other cell."""
    distance: Floats = (triangle(place / np.float32(2 * cell) + 0.25) - np.float32(0.25)) * np.float32(2 * cell)
    return distance
