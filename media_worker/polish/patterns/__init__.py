"""What colour lies where on a nail: nail coordinates in, linear light out, (h, w, 3) or (1, 1, 3).

    sheet.py    the flat sheet that patterns are drawn on, and its strokes
    tips.py     French tips, moons, halves, gradients
    lines.py    stripes, checks, plaid, lattice
    strewn.py   dots, hearts, stars, flowers …: one thing in each cell
    art.py      marble, animal prints, swirls, flames

A pattern is a pure function (sheet, colours) → colours: the same place on the nail has the same colour at any size. It
takes up to some milliseconds; the painter draws it once for a coat and a size, and keeps it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from media_worker.polish.looks import Coat
from media_worker.polish.nail_space import Place
from media_worker.polish.patterns import art, lines, strewn, tips
from media_worker.polish.patterns.sheet import Sheet, with_accent
from media_worker.vision.arrays import Floats
from protocol.designs import Pattern

PATTERNS: dict[Pattern, Callable[[Sheet, Floats], Floats]] = {
    Pattern.FRENCH: tips.french,
    Pattern.MICRO_FRENCH: tips.micro_french,
    Pattern.DEEP_FRENCH: tips.deep_french,
    Pattern.V_FRENCH: tips.v_french,
    Pattern.DOUBLE_FRENCH: tips.double_french,
    Pattern.SIDE_TIP: tips.side_tip,
    Pattern.HALF_MOON: tips.half_moon,
    Pattern.CUFF: tips.cuff,
    Pattern.TWO_TONE: tips.two_tone,
    Pattern.GRADIENT: tips.gradient,
    Pattern.AURA: tips.aura,
    Pattern.STRIPES: lines.stripes,
    Pattern.PINSTRIPES: lines.pinstripes,
    Pattern.CHEVRON: lines.chevron,
    Pattern.CHECKER: lines.checker,
    Pattern.PLAID: lines.plaid,
    Pattern.LATTICE: lines.lattice,
    Pattern.DOTS: strewn.dots,
    Pattern.CONFETTI: strewn.confetti,
    Pattern.HEARTS: strewn.hearts,
    Pattern.STARS: strewn.stars,
    Pattern.DAISIES: strewn.daisies,
    Pattern.CHERRIES: strewn.cherries,
    Pattern.SNOWFLAKES: strewn.snowflakes,
    Pattern.SWIRL: art.swirl,
    Pattern.FLAMES: art.flames,
    Pattern.DRIP: art.drip,
    Pattern.MARBLE: art.marble,
    Pattern.TORTOISESHELL: art.tortoiseshell,
    Pattern.LEOPARD: art.leopard,
    Pattern.ZEBRA: art.zebra,
    Pattern.COW: art.cow,
}
"""All but `solid`."""


def colour_of(coat: Coat, place: Place) -> Floats:
    """What the coat's pattern has at each place, float32; a coat of one colour gets an accent for it."""
    if coat.pattern is Pattern.SOLID:
        return coat.colours[:1].reshape(1, 1, 3)
    drawn = PATTERNS[coat.pattern](Sheet.on(coat, place), with_accent(coat.colours))
    return drawn.astype(np.float32, copy=False)
