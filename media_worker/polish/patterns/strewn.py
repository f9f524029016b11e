"""Small things strewn over the nail: dots, confetti, hearts, stars, flowers, cherries, snowflakes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from media_worker.polish.patterns.sheet import Sheet, accent, lay
from media_worker.vision.arrays import Floats, Mask


@dataclass(frozen=True)
class Cells:
    """The nail cut into cells in rows, every other row shifted by half a cell; a thing in the middle of each."""

    x: Floats
    """Half widths right of the thing's middle, (h, w); turned with the thing."""
    y: Floats
    """Towards its own top, which is the nail's tip where it is not turned."""
    lot: Floats
    """A number from 0 to 1 drawn for the cell."""

    @classmethod
    def of(cls, sheet: Sheet, size: float, *, turn: float = 0, jitter: float = 0, seed: int = 0) -> Cells:
        """Cells `size` half widths wide and almost as high. Things are turned by up to `turn` radians, and moved by up
        to `jitter` of a cell."""
        rows = sheet.y / np.float32(0.9 * size) + 0.05
        row = np.floor(rows)
        columns = sheet.x / np.float32(size) + 0.5 * (row % 2)
        column = np.round(columns)
        lots = [_lot(column, row, seed + k) for k in range(4)]
        x = (columns - column - np.float32(jitter) * (2 * lots[1] - 1)) * np.float32(size)
        y = (rows - row - 0.5 - np.float32(jitter) * (2 * lots[2] - 1)) * np.float32(0.9 * size)
        angle = np.float32(turn) * (2 * lots[3] - 1)
        cos, sin = np.cos(angle), np.sin(angle)
        return cls(x * cos - y * sin, x * sin + y * cos, lots[0])

    def picks(self, count: int, number: int) -> Mask:
        """Cells whose lot falls on `number` of `count`."""
        chosen: Mask = (self.lot * count).astype(int) == number
        return chosen


def dots(sheet: Sheet, colours: Floats) -> Floats:
    """Rows of dots, every other row shifted, in all accents by lot."""
    cells = Cells.of(sheet, 0.66)
    return _coloured(colours, cells, sheet.inside(0.18 - np.hypot(cells.x, cells.y)))


def confetti(sheet: Sheet, colours: Floats) -> Floats:
    """Short strips of all accents at every angle."""
    cells = Cells.of(sheet, 0.42, turn=np.pi, jitter=0.12, seed=3)
    outside = np.hypot(np.maximum(np.abs(cells.x) - 0.08, 0), cells.y)
    return _coloured(colours, cells, sheet.inside(0.062 - outside))


def hearts(sheet: Sheet, colours: Floats) -> Floats:
    cells = Cells.of(sheet, 0.84, turn=0.25, seed=5)
    return _coloured(colours, cells, sheet.inside(_heart(cells.x / 0.56, cells.y / 0.56 + 0.55) * 0.56))


def stars(sheet: Sheet, colours: Floats) -> Floats:
    """Five-pointed, large and small."""
    cells = Cells.of(sheet, 0.78, turn=0.5, jitter=0.06, seed=11)
    size = np.where(cells.picks(3, 0), np.float32(0.2), np.float32(0.31))
    return _coloured(colours, cells, sheet.inside(_star(cells.x, cells.y, size)))


def daisies(sheet: Sheet, colours: Floats) -> Floats:
    """Five round petals in the first accent, the middle in the second."""
    cells = Cells.of(sheet, 0.98, turn=np.pi, seed=8)
    along, aside = _folded(cells.x, cells.y, 5)
    petals = (1 - np.hypot((along - 0.23) / 0.19, aside / 0.145)) * 0.15
    flowers = lay(colours[0], sheet.inside(petals), accent(colours, 0))
    return lay(flowers, sheet.inside(0.115 - np.hypot(cells.x, cells.y)), accent(colours, 1))


def cherries(sheet: Sheet, colours: Floats) -> Floats:
    """Pairs in the first accent, their stems in the second."""
    cells = Cells.of(sheet, 1.15, turn=0.3, seed=2)
    stems = _bow(cells.x, cells.y)
    fruits = np.hypot(np.abs(cells.x) - 0.2, cells.y + 0.2)
    picture = lay(colours[0], sheet.line(stems, 0.07), accent(colours, 1))
    picture = lay(picture, sheet.inside(0.19 - fruits), accent(colours, 0))
    gleam = np.hypot(np.abs(cells.x + 0.06) - 0.2, cells.y + 0.14)
    return lay(picture, 0.7 * sheet.inside(0.05 - gleam), np.ones(3, np.float32))


def snowflakes(sheet: Sheet, colours: Floats) -> Floats:
    """Six arms with two twigs each."""
    cells = Cells.of(sheet, 1.0, turn=0.5, seed=4)
    along, aside = _folded(cells.x, cells.y, 6)
    arm = np.hypot(aside, np.maximum(along - 0.38, 0))
    run = np.clip(0.5 * (along - 0.2) + 0.866 * aside, 0, 0.15)  # twigs leave the arm at 60°
    twig = np.hypot(along - 0.2 - 0.5 * run, aside - 0.866 * run)
    return _coloured(colours, cells, sheet.line(np.minimum(arm, twig), 0.075))


def _coloured(colours: Floats, cells: Cells, share: Floats) -> Floats:
    """Each cell's thing in an accent by lot."""
    accents = colours[1:]
    return lay(colours[0], share, accents[(cells.lot * len(accents)).astype(int)])


def _lot(column: Floats, row: Floats, seed: int) -> Floats:
    """A number from 0 to 1 for each cell that looks drawn by lot (the old shader's trick: far digits of a sine)."""
    far = np.sin(column.astype(np.float64) * 127.1 + row.astype(np.float64) * 311.7 + seed * 74.7) * 43758.5453
    return (far - np.floor(far)).astype(np.float32)


def _folded(x: Floats, y: Floats, arms: int) -> tuple[Floats, Floats]:
    """Coordinates along and aside (never negative) of the nearest of `arms` rays, the first of which points up."""
    slice_ = 2 * np.pi / arms
    angle = np.arctan2(x, y)
    near = np.abs(angle - np.round(angle / slice_) * slice_)
    radius = np.hypot(x, y)
    return radius * np.cos(near), radius * np.sin(near)


def _heart(x: Floats, y: Floats) -> Floats:
    """Depth inside a heart from its point (0, 0) to its top, y = 1.1; after I. Quilez, 2D distance functions."""
    x = np.abs(x)
    lobe = np.sqrt(2) / 4 - np.hypot(x - 0.25, y - 0.75)
    slope = 0.5 * np.maximum(x + y, 0)
    wedge = np.minimum(np.hypot(x, y - 1), np.hypot(x - slope, y - slope)) * np.sign(y - x)
    depth: Floats = np.where(x + y > 1, lobe, wedge)
    return depth


def _star(x: Floats, y: Floats, size: Floats) -> Floats:
    """Depth inside a five-pointed star with points at radius `size`: behind the edge from a point to the next notch."""
    along, aside = _folded(x, y, 5)
    notch_along, notch_aside = 0.48 * np.cos(np.pi / 5), 0.48 * np.sin(np.pi / 5)
    edge = np.hypot(1 - notch_along, notch_aside)
    depth: Floats = ((size - along) * notch_aside - aside * (1 - notch_along)) / edge
    return depth


def _bow(x: Floats, y: Floats) -> Floats:
    """Distance from two stems that lean together, from (0, 0.4) down to the cherries."""
    down = np.clip(0.4 - y, 0, 0.55)
    distance: Floats = np.hypot(np.abs(x) - 0.27 * np.sqrt(down), 0.4 - y - down)
    return distance
