"""The surface that polish makes: a nail's roundness, where it mirrors lamps, and what a finish makes of both.

Everything lies on a sheet of nail coordinates (`nail_space.sheet`), so that nothing can swim over the nail.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from media_worker.polish.nail_space import SHEETS, Place, sheet
from media_worker.vision.arrays import Floats

ROUND_ACROSS = 0.8
"""Part of the normal that points sideways at a nail's sides: they turn 53° away from the camera."""

ROUND_ALONG = 0.25
"""The same towards cuticle and free edge."""

TURNED = 0.1
"""Light that a side gains as it turns to the lamp; the lamp is seldom further aside than u = 0.6."""

STEP = 0.01
"""Of Shine: a highlight moves by a hundredth of half a nail's width."""

LAMP = (-0.42, -0.62, 0.66)
"""Where light comes from unless highlights tell: from above and a little from the left of the camera; x right, y down,
z to the camera."""


@dataclass(frozen=True, eq=False)
class Relief:
    """The shape of a nail on a sheet of so many rows; each float32 (rows, columns)."""

    place: Place
    across: Floats
    """Normal's part in the direction of u."""
    along: Floats
    """Normal's part in the direction of v."""
    facing: Floats
    """Normal's part towards the camera."""
    grazing: Floats
    """0 in the middle to nearly 1 at the sides: how much more a clear coat mirrors there (Schlick's approximation)."""
    bulge: Floats
    """u⁴: how far a side has turned away."""


@lru_cache(maxsize=len(SHEETS))
def relief(rows: int) -> Relief:
    """Shared: read only."""
    place = sheet(rows)
    across, along = ROUND_ACROSS * place.u, ROUND_ALONG * (2 * place.v - 1)
    facing = np.sqrt(1 - across**2 - along**2)
    return Relief(place, across, along, facing, (1 - facing) ** 3 * 4, place.u**4)


@dataclass(frozen=True)
class Shine:
    """Where a nail mirrors light, and how it is turned."""

    u: float
    """The line along the nail that mirrors the lamp."""
    v: float
    """The middle of that line."""
    turn: float
    """Radians; changes as the finger turns or moves, and so does what a mirror or a flake shows."""
    hardness: float = 1.0
    """0 where light comes from all sides, 1 where it comes from a lamp or a window."""

    def rounded(self, turning: float = STEP) -> Shine:
        """In steps that nobody sees, so that what was mixed for one frame serves the next; `turning` is turn's."""
        u, v = round(self.u / STEP) * STEP, round(self.v / STEP) * STEP
        return Shine(u, v, round(self.turn / turning) * turning, round(10 * self.hardness) / 10)


def shine(angle: float, across: float, down: float) -> Shine:
    """Of a nail at `angle` (radians, of its axis in the picture) and at a place in the picture, each −1 to 1.

    A mirror shows the lamp where its normal is halfway between the lamp's direction and the camera's.
    """
    x, y = _HALFWAY[0] - 0.12 * across, _HALFWAY[1] - 0.12 * down  # the camera sees a nail aside of its middle aslant
    sine, cosine = math.sin(angle), math.cos(angle)
    sideways, ahead = cosine * y - sine * x, cosine * x + sine * y
    turn = 3 * (angle + math.pi / 2) + 1.5 * across + 1.0 * down
    return Shine(sideways / ROUND_ACROSS, min(max(0.46 + 0.2 * ahead, 0.3), 0.62), turn)


_HALFWAY = np.divide(np.add(LAMP, (0, 0, 1)), np.hypot(np.hypot(LAMP[0], LAMP[1]), LAMP[2] + 1)).tolist()


def lit_at(shine: Shine, lamp: Floats, hardness: float = 1.0) -> Shine:
    """The same where highlights tell better where the lamp is: `lamp` is their u, their v, and how sure they are."""
    u, v, sure = (float(part) for part in lamp)
    u, v = min(max(u, -0.6), 0.6), min(max(v, 0.3), 0.62)
    return Shine(shine.u + sure * (u - shine.u), shine.v + sure * (v - shine.v), shine.turn, hardness)


def tinted(amount: Floats, colour: Floats) -> Floats:
    """(h, w, 3): so much, (h, w), of a colour, (3,). Numpy's own broadcasting is five times slower."""
    three: Floats = cv2.merge([amount * channel for channel in colour]).astype(np.float32, copy=False)
    return three


def times(colours: Floats, amount: Floats) -> Floats:
    """(h, w, 3): colours, (h, w, 3) or one (1, 1, 3), times so much, (h, w)."""
    if len(colours) == 1:
        return tinted(amount, colours[0, 0])
    return colours * tinted(amount, _WHITE)


_WHITE = np.ones(3, np.float32)


@dataclass(frozen=True, eq=False)
class Wet:
    """All that a finish is given; colours and light are linear."""

    colour: Floats
    """(rows, columns, 3) or (1, 1, 3): the pattern."""
    colours: Floats
    """(K, 3) of the coat: base first."""
    relief: Relief
    light: Floats
    """(3,) light of the scene on the hand; 1 shows polish in its own colour."""
    shading: Floats
    """(rows, columns) its unevenness on this nail."""
    gleam: Floats
    """(rows, columns) small highlights that the bare nail shows."""
    shine: Shine

    def lit(self, shade: Floats) -> Floats:
        """(rows, columns, 3): the pattern under the scene's light, times `shade` (rows, columns)."""
        shade = shade * self.shading
        if len(self.colour) == 1:
            return tinted(shade, self.colour[0, 0] * self.light)
        return self.colour * tinted(shade, self.light)

    def white(self, amount: Floats) -> Floats:
        """(rows, columns, 3): so much of the lamp, mirrored."""
        return tinted(amount, self.light)

    def round(self, sides: float, turned: float = TURNED) -> Floats:
        """Shade of a round nail whose sides are darker by `sides`; over the whole of it the median is about 1.

        `turned`: how much more light falls where the nail turns to the lamp, as a share for each unit of u.
        """
        aside = np.float32(turned * self.shine.u) * self.relief.place.u[:1]
        return np.float32(1 + 0.12 * sides) - np.float32(sides) * self.relief.bulge + aside

    def spot(self, width: float, height: float, aside: float = 0.0) -> Floats:
        """A soft highlight, 1 at its middle; `width` in u and `height` in v are where it has fallen to 1/e.

        `aside` moves it in u.
        """
        du = (self.relief.place.u[:1] - np.float32(self.shine.u + aside)) / np.float32(width)
        dv = (self.relief.place.v[:, :1] - np.float32(self.shine.v)) / np.float32(height)
        spot: Floats = np.exp(-du * du) * np.exp(-dv * dv)
        return spot

    def window(self, width: float, height: float) -> Floats:
        """A lamp with edges, as a wet surface mirrors it; bent with the nail."""
        place = self.relief.place
        dv = (place.v[:, :1] - np.float32(self.shine.v)) / np.float32(height)
        # towards its ends a reflection on a barrel narrows and leans inwards
        middle = np.float32(self.shine.u) * (1 - np.float32(0.12) * dv * dv)
        du = (place.u[:1] - middle) / (np.float32(width) * (1 - np.float32(0.25) * np.minimum(dv * dv, 1)))
        du *= du
        dv *= dv
        window: Floats = np.exp(-du * du) * np.exp(-dv * dv * dv)
        return window


@dataclass(frozen=True, eq=False)
class Film:
    """What a coat sends to the camera."""

    light: Floats
    """(rows, columns, 3) linear, from the coat itself."""
    through: Floats | None = None
    """(rows, columns, 3) share of the bare nail's light that comes through; None of an opaque coat."""
