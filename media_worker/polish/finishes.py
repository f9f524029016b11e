"""How ten finishes answer light: small functions over a sheet of nail coordinates.

Each takes what is `Wet` and gives a `Film`. Colour comes from the pattern, shading and small highlights from the bare
nail, and each finish rebuilds its own large highlight where the nail mirrors the lamp.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np

from media_worker.polish import metals
from media_worker.polish.colour import weakest
from media_worker.polish.flakes import DUST, GLITTER, flakes
from media_worker.polish.surface import Film, Wet, times, tinted
from media_worker.vision.arrays import Floats
from protocol.designs import Finish

DIFFUSE = 0.45
"""Strength of a window's image in light from all sides, beside that in hard light; a broad glow takes its place."""


def finished(finish: Finish, wet: Wet) -> Film:
    """The coat as the camera sees it."""
    return _FINISHES[finish](wet)


def _cream(wet: Wet) -> Film:
    """Even colour under a soft, small highlight."""
    # the faint foot of a highlight would show as haze on the darkest polish
    spot = np.maximum(wet.spot(0.105, 0.16) - np.float32(0.06), 0)
    highlight = np.maximum(np.float32(0.14 + 0.04 * wet.shine.hardness) * spot, np.float32(0.22) * wet.gleam)
    return Film(wet.lit(wet.round(0.16)) + wet.white(highlight))


def _clear_coat(wet: Wet, strength: float) -> Floats:
    """(rows, columns): what a thick wet coat mirrors: a window, its faint double across, the sides' rim."""
    hard, turn = wet.shine.hardness, wet.shine.turn
    # no two nails see quite the same of a room
    width, height = 0.15 + 0.02 * math.sin(1.3 * turn), 0.3 + 0.04 * math.cos(1.7 * turn)
    window = np.float32(DIFFUSE + (1 - DIFFUSE) * hard) * wet.window(width, height)
    glow = np.float32(0.4 * (1 - hard)) * wet.spot(1.7 * width, 1.1 * height)
    double = wet.spot(0.06, 0.8 * height, aside=0.75 if wet.shine.u < 0 else -0.75)
    share = 0.24 * hard * (0.5 + 0.5 * math.sin(2 * turn))
    rim = np.float32(0.05) * wet.relief.grazing
    mirrored: Floats = np.float32(strength) * (window + glow + np.float32(share) * double) + rim + wet.gleam
    return mirrored


def _gloss(wet: Wet) -> Film:
    """Gel: colour a little deeper at the sides, under a clear coat."""
    return Film(wet.lit(wet.round(0.22)) + wet.white(_clear_coat(wet, 0.5)))


def _matte(wet: Wet) -> Film:
    """No mirror image; a rough surface scatters a little white, broadly round the lamp and where it is seen aslant."""
    veil = np.float32(0.004) + np.float32(0.03) * wet.relief.grazing + np.float32(0.03) * wet.spot(0.45, 0.4)
    return Film(wet.lit(wet.round(0.3, turned=0.3)) + wet.white(veil))


def _sheer(wet: Wet) -> Film:
    """Jelly: light passes the coat twice and loses more where it is thicker (Beer–Lambert); some is scattered back.

    Pale polish is milky: what makes it pale is white pigment.
    """
    thickness = np.float32(0.85) - np.float32(0.25) * wet.relief.bulge
    through = np.exp(times(np.log(np.maximum(wet.colour, np.float32(0.004))), thickness))
    scattered = wet.lit(np.float32(0.3) * wet.round(0.2)) * (1 - through)
    milk = thickness * _milkiness(wet.colour)
    veil = wet.lit(np.float32(WHITENED) * milk)
    return Film(scattered + veil + wet.white(_clear_coat(wet, 0.34)), times(through, 1 - milk))


def _milkiness(colour: Floats) -> Floats:
    """(h, w) share of the light that pigment scatters back, of (h, w, 3)."""
    share: Floats = np.clip((weakest(colour) - MILK[0]) / np.float32(MILK[1] - MILK[0]), 0, 1)
    return np.float32(MILKY) * share


MILK = (0.35, 0.75)
"""The weakest channel of a colour, linear, from which polish is milky, and where it is most so."""

MILKY = 0.6
"""Share of the light that the milkiest coat holds back from the nail."""

WHITENED = 1.0
"""Part of that which comes back to the camera."""


def _shimmer(wet: Wet) -> Film:
    """Pearl dust: a soft glow where the light falls, and sparks finer than pixels."""
    dust, flash = flakes(DUST, wet.relief.place.u.shape[0], wet.shine.turn)
    glow = wet.spot(0.4, 0.45)
    shade = wet.round(0.3) * (np.float32(0.82) + np.float32(0.35) * glow + (0.9 * flash - 0.12 * dust) * (0.4 + glow))
    sparks = np.float32(0.22) * flash * flash * (0.3 + glow)
    return Film(wet.lit(shade) + wet.white(sparks + np.float32(0.12) * wet.spot(0.12, 0.3) + 0.6 * wet.gleam))


def _glitter(wet: Wet) -> Film:
    """Flakes of several sizes in the last colour over the first, each flashing in its own direction.

    In a pattern they lie where the last colour does.
    """
    strewn, flash = flakes(GLITTER, wet.relief.place.u.shape[0], wet.shine.turn)
    where = _share_of_last(wet)
    amount, flash = strewn * where, flash * where
    base = wet.lit(wet.round(0.25) * (1 - np.float32(0.6) * amount))
    flake = wet.colours[-1] if len(wet.colours) > 1 else np.minimum(wet.colours[0] * 1.5 + 0.08, 1)
    body = tinted((np.float32(0.3) * amount + np.float32(1.1) * flash) * wet.shading, flake * wet.light)
    glint = flash * flash
    return Film(base + body + wet.white(np.float32(0.9) * glint * glint + _clear_coat(wet, 0.2)))


def _share_of_last(wet: Wet) -> Floats | float:
    """(rows, columns) how far a pattern has gone from the first colour to the last; 1 everywhere without a pattern."""
    way = wet.colours[-1] - wet.colours[0]
    square = float(way @ way)
    if len(wet.colour) == 1 or square < 1e-6:
        return 1.0
    share: Floats = np.clip((wet.colour - wet.colours[0]) @ (way / np.float32(square)), 0, 1)
    return share


def _pearl(wet: Wet) -> Film:
    """Thin layers: pale, with a bloom of pink, gold, green and blue that changes with the direction of sight."""
    phase = np.float32(3.6) * (wet.relief.across - np.float32(0.6 * wet.shine.u)) + 2.2 * wet.relief.along
    glow = np.float32(0.5) + wet.spot(0.45, 0.5)
    white = np.float32(0.05) * glow + np.float32(0.22) * wet.spot(0.14, 0.3) + np.float32(0.7) * wet.gleam
    bloom = _interference(phase + np.float32(0.35 * wet.shine.turn)) * tinted(glow, BLOOM * wet.light)
    return Film(wet.lit(wet.round(0.25) * np.float32(PEARLED)) + bloom + wet.white(white))


def _interference(phase: Floats) -> Floats:
    """(rows, columns, 3) around 0: where waves of one colour add up, those of the others cancel each other."""
    waves: Floats = cv2.merge([np.cos(phase + offset) for offset in _OFFSETS]).astype(np.float32, copy=False)
    return waves


_OFFSETS = np.array([0, 2.7, -1.5], np.float32)
"""Of red, green and blue: a third of a turn each would be a rainbow; pearls leave out yellow-green and violet."""

BLOOM = np.array([0.05, 0.036, 0.06], np.float32)
"""Strength of the bloom, linear light."""

PEARLED = 0.82
"""Share of the pattern's own light: the rest is what the layers mirror, or white pearl would burn out."""


TURNING = {
    Finish.CREAM: 100.0,
    Finish.GLOSS: 0.06,
    Finish.MATTE: 100.0,
    Finish.SHEER: 0.06,
    Finish.METALLIC: 100.0,
    Finish.CHROME: 0.02,
    Finish.SHIMMER: 0.02,
    Finish.GLITTER: 0.02,
    Finish.PEARL: 0.05,
    Finish.CAT_EYE: 0.02,
}
"""Steps of Shine.turn, radians, that nobody sees: flakes flash by it, a wet coat's mirror image hardly changes, and
cream, matte and foil take no notice. Fingers turn all the time: finer steps would have polish mixed anew each frame."""


_FINISHES: dict[Finish, Callable[[Wet], Film]] = {
    Finish.CREAM: _cream,
    Finish.GLOSS: _gloss,
    Finish.MATTE: _matte,
    Finish.SHEER: _sheer,
    Finish.METALLIC: metals.metallic,
    Finish.CHROME: metals.chrome,
    Finish.SHIMMER: _shimmer,
    Finish.GLITTER: _glitter,
    Finish.PEARL: _pearl,
    Finish.CAT_EYE: metals.cat_eye,
}
