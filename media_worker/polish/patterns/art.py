"""Grown, poured or painted by hand: nothing here repeats."""

from __future__ import annotations

import numpy as np

from media_worker.polish.patterns.sheet import Field, Sheet, accent, clouds, lay, slope
from media_worker.polish.patterns.strewn import Cells
from media_worker.vision.arrays import Floats


def swirl(sheet: Sheet, colours: Floats) -> Floats:
    """Lanes that wind from cuticle to tip, the base and all accents in turn."""
    x, y = sheet.x, sheet.y
    bend = 0.42 * np.sin(1.9 * y + 0.5) + 0.16 * np.sin(3.7 * y + 2.0)
    steep = np.hypot(1, 0.8 * np.cos(1.9 * y + 0.5) + 0.59 * np.cos(3.7 * y + 2.0))
    lanes = (x + bend) / 0.46
    period = len(colours) if len(colours) > 2 else 2
    picture: Floats = np.broadcast_to(colours[0], (*x.shape, 3))
    for number in range(1, period):
        from_middle = (lanes - number + period / 2) % period - period / 2
        picture = lay(picture, sheet.inside((0.5 - np.abs(from_middle)) * 0.46, steep), colours[number])
    return picture


def flames(sheet: Sheet, colours: Floats) -> Floats:
    """Tongues that lick from the cuticle towards the tip, with a core in the next accent."""
    picture: Floats = np.broadcast_to(colours[0], (*sheet.x.shape, 3))
    for number, lower in enumerate((0.0, 0.62)):
        picture = lay(picture, sheet.inside(_tongues(sheet, lower)), accent(colours, number))
    return picture


def _tongues(sheet: Sheet, lower: float) -> Floats:
    """Depth inside the tongues, which narrow and lean as they rise; `lower` half widths are taken off their height."""
    y = sheet.y + np.float32(lower)
    lane = (sheet.x + 0.16 * np.sin(2.6 * y)) / 0.58
    depths = []
    for number in np.round(lane) + np.arange(-1, 2)[:, None, None]:  # the nearest tongue and its neighbours
        top = sheet.length * (0.72 + 0.14 * np.cos(2.4 * number))
        half = 0.29 * np.sqrt(np.clip((top - y) / (top - 0.24 * sheet.length), 0, 1.6)) - 0.03
        depths.append(np.where(y > top, -1, half - 0.58 * np.abs(lane - number)))
    deepest: Floats = np.max(depths, axis=0)
    return deepest


def drip(sheet: Sheet, colours: Floats) -> Floats:
    """Poured over the tip and running down in drops."""
    lane = sheet.x / 0.4 + 0.5
    number = np.round(lane)
    aside = 0.4 * np.abs(lane - number)  # from the middle of the drop
    end = sheet.length * (0.42 + 0.13 * np.cos(2.3 * number + 0.4))  # y where its round end has its middle
    drop = 0.13 - np.hypot(aside, np.minimum(sheet.y - end, 0))
    ceiling = 0.74 * sheet.length  # gaps between drops are round at their upper end, too
    roof = np.hypot(0.2 - aside, sheet.y - ceiling) - 0.07
    return lay(colours[0], sheet.inside(np.where(sheet.y > ceiling, roof, drop)), colours[1])


def marble(sheet: Sheet, colours: Floats) -> Floats:
    """Stone: soft clouds and sharp veins of the first accent, few fine ones of the second."""
    cloud, vein = _stone(0.7, 208, 1.1), _stone(0.7, 248, 1.3)
    field = cloud(sheet.x, sheet.y)
    depth = np.clip(clouds(sheet.x, sheet.y, 1.1, 288) + 0.7, 0, 1)
    picture = lay(colours[0], 0.4 * np.exp(-((field / 0.35) ** 2)) * depth, colours[1])
    picture = lay(picture, sheet.line(field, 0.055, slope(cloud, sheet.x, sheet.y)) * depth, colours[1])
    if len(colours) < 3:
        return picture
    fine = sheet.line(vein(sheet.x, sheet.y), 0.04, slope(vein, sheet.x, sheet.y))
    return lay(picture, fine, colours[2])


def _stone(crumple: float, seed: int, size: float) -> Field:
    """A field whose zero lines run on a slant like veins, crumpled at a smaller size."""

    def field(x: Floats, y: Floats) -> Floats:
        folded = 0.22 * clouds(x, y, crumple, seed + 100)
        return clouds(0.9 * x + 0.5 * y + folded, 0.5 * y - 0.4 * x - folded, size, seed)

    return field


def tortoiseshell(sheet: Sheet, colours: Floats) -> Floats:
    """Amber in which darker clouds lie one over another; their edges melt."""
    shell: Floats = np.broadcast_to(colours[0], (*sheet.x.shape, 3))
    for number, (size, level) in enumerate(((0.6, -0.02), (0.46, 0.22))):
        field = clouds(sheet.x, sheet.y, size, 31 + number)
        shell = lay(shell, np.clip((field - level) / 0.3 + 0.5, 0, 1) * 0.9, accent(colours, 1 - number))
    return shell


def leopard(sheet: Sheet, colours: Floats) -> Floats:
    """Broken rings of the first accent; what they hold is the second, where there is one."""
    cells = Cells.of(sheet, 0.62, turn=np.pi, jitter=0.1, seed=41)
    wobble = 0.05 * clouds(sheet.x, sheet.y, 0.22, 42)
    radius = np.hypot(cells.x, 1.15 * cells.y) + wobble
    gap = np.abs(np.arctan2(cells.x, cells.y)) * radius - 0.05 - 0.06 * cells.lot
    ring = sheet.inside(np.minimum(0.075 - np.abs(radius - 0.185), gap))
    picture = lay(colours[0], 0.85 * sheet.inside(0.17 - radius), colours[2]) if len(colours) > 2 else colours[0]
    return lay(picture, ring, colours[1])


def zebra(sheet: Sheet, colours: Floats) -> Floats:
    """Stripes across that bend, swell and end."""

    def field(x: Floats, y: Floats) -> Floats:
        bent = y + 0.32 * clouds(x, y, 0.8, 51) + 0.25 * x
        lines: Floats = np.sin(bent * np.float32(2 * np.pi / 0.62))
        return lines + 0.45 * clouds(x, 0.7 * y, 0.5, 53) - np.float32(0.1)

    return lay(colours[0], sheet.within(field), colours[1])


def cow(sheet: Sheet, colours: Floats) -> Floats:
    """Few large patches with smooth rims."""

    def field(x: Floats, y: Floats) -> Floats:
        return clouds(x, y, 0.62, 63) + 0.15 * clouds(x, y, 0.3, 62) - np.float32(0.22)

    return lay(colours[0], sheet.within(field), colours[1])
