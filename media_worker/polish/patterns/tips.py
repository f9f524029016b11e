"""Tips, moons, halves, and colours that melt into each other."""

from __future__ import annotations

import numpy as np

from media_worker.polish.patterns.sheet import Sheet, accent, blend, lay
from media_worker.vision.arrays import Floats


def french(sheet: Sheet, colours: Floats) -> Floats:
    """The accent on the tip; its smile line arches a little more than the free edge does."""
    return _above(sheet, colours, 0.77 - 0.07 * sheet.u**2)


def micro_french(sheet: Sheet, colours: Floats) -> Floats:
    """A fine line along the free edge."""
    return _above(sheet, colours, 0.925 - 0.02 * sheet.u**2)


def deep_french(sheet: Sheet, colours: Floats) -> Floats:
    """A smile that reaches far down the sides."""
    return _above(sheet, colours, 0.68 - 0.32 * sheet.u**2)


def v_french(sheet: Sheet, colours: Floats) -> Floats:
    """The tip's line is a V that points at the cuticle."""
    return _above(sheet, colours, 0.54 + 0.46 * np.abs(sheet.u))


def double_french(sheet: Sheet, colours: Floats) -> Floats:
    """A French tip with a second, fine line below it, in the next accent where there is one."""
    smile = 0.84 - 0.07 * sheet.u**2
    below = (sheet.v - smile + 0.13) * sheet.length
    return lay(_above(sheet, colours, smile), sheet.line(below, 0.13), accent(colours, 1))


def side_tip(sheet: Sheet, colours: Floats) -> Floats:
    """A tip that sweeps down one side."""
    return _above(sheet, colours, 0.68 - 0.34 * sheet.u)


def half_moon(sheet: Sheet, colours: Floats) -> Floats:
    """A moon of the base colour at the cuticle, no larger on a long nail; the accent above it."""
    from_middle = np.hypot(sheet.u, sheet.v * np.float32(sheet.length))
    return lay(colours[0], sheet.inside(from_middle - 0.85), colours[1])


def cuff(sheet: Sheet, colours: Floats) -> Floats:
    """A crescent of the accent along the cuticle."""
    return lay(colours[0], 1 - _share_above(sheet, (0.23 + 0.1 * sheet.u**2) / sheet.length), colours[1])


def two_tone(sheet: Sheet, colours: Floats) -> Floats:
    """The nail cut in two by a slanting line, the accent towards the tip."""
    return lay(colours[0], sheet.inside(sheet.y - 0.5 * sheet.length + 0.6 * sheet.x, 1.17), colours[1])


def gradient(sheet: Sheet, colours: Floats) -> Floats:
    """Through all colours, however many, from cuticle to free edge."""
    return blend(colours, np.clip((sheet.v - 0.12) / 0.76, 0, 1))


def aura(sheet: Sheet, colours: Floats) -> Floats:
    """Airbrushed rings: the last colour glows in the middle, the base is the rim."""
    radius = np.hypot(sheet.u, 2 * sheet.v - 1.04)
    return blend(colours, np.clip(1.12 - 1.12 * radius, 0, 1))


def _above(sheet: Sheet, colours: Floats, edge: Floats) -> Floats:
    """The accent from the line v = `edge` to the free edge."""
    return lay(colours[0], _share_above(sheet, edge), colours[1])


def _share_above(sheet: Sheet, edge: Floats) -> Floats:
    return sheet.inside((sheet.v - edge) * np.float32(sheet.length))
