"""What five nails wear, prepared for painting: colours in linear light, textures at hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from media_worker.polish.colour import to_linear
from media_worker.vision.arrays import Floats
from protocol.designs import Design, Finger, Finish, Length, Pattern, Shape, Style
from protocol.messages import Wish
from protocol.nail_sets import NailPicture, NailSet

TEXTURE_SIZE = 128
"""A swatch is kept as a square of this many pixels: more than a nail has in a 720p stream, about a phone photo's."""


@dataclass(frozen=True, eq=False)
class Coat:
    """What one nail wears."""

    finish: Finish
    pattern: Pattern
    colours: Floats
    """(K, 3) linear light RGB, 0–1: base first, accent second."""
    texture: Floats | None = None
    """(TEXTURE_SIZE, TEXTURE_SIZE, 3) linear light RGB over u (left to right) and v (cuticle at the top); replaces the
    pattern."""
    shape: Shape = Shape.NATURAL
    length: Length = Length.NATURAL

    @classmethod
    def of(cls, design: Design, finger: Finger | None = None) -> Coat:
        """What `finger` wears of a design; without one, what most fingers wear."""
        style = design.fingers.get(finger, Style()) if finger else Style()
        return cls(
            style.finish or design.finish,
            style.pattern or design.pattern,
            _linear(style.colours or design.colours),
            shape=design.shape,
            length=design.length,
        )

    @classmethod
    def of_picture(cls, nail: NailPicture, finish: Finish) -> Coat:
        """One nail of a picture."""
        bgr = cv2.imdecode(np.frombuffer(nail.image, np.uint8), cv2.IMREAD_COLOR)
        if bgr is None:
            raise ValueError("a nail of a set is not a picture")
        square = cv2.resize(bgr, (TEXTURE_SIZE, TEXTURE_SIZE), interpolation=cv2.INTER_AREA)
        texture = to_linear(cv2.cvtColor(square, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False))
        return cls(finish, Pattern.SOLID, texture.mean(axis=(0, 1)).reshape(1, 3), texture)

    def wearing(self, wish: Wish) -> Coat:
        """With the changes that `wish` names; its design is not looked at. A pattern or colours replace a texture."""
        repainted = wish.pattern is not None or wish.colours is not None
        return Coat(
            wish.finish or self.finish,
            wish.pattern or self.pattern,
            _linear(wish.colours) if wish.colours is not None else self.colours,
            None if repainted else self.texture,
            wish.shape or self.shape,
            wish.length or self.length,
        )


@dataclass(frozen=True, eq=False)
class Look:
    """What each of the five fingers wears, on both hands."""

    coats: Mapping[Finger, Coat]

    @classmethod
    def of(cls, design: Design) -> Look:
        return cls({finger: Coat.of(design, finger) for finger in Finger})

    @classmethod
    def of_set(cls, nail_set: NailSet, fingers: Mapping[Finger, int] | None = None) -> Look:
        """The nails of a picture. `fingers` wear other ones of them than the set says; IndexError beyond the last."""
        places = {**nail_set.fingers, **(fingers or {})}
        coats = {place: Coat.of_picture(nail_set.nails[place], nail_set.finish) for place in set(places.values())}
        return cls({finger: coats[places[finger]] for finger in Finger})

    def wearing(self, wish: Wish) -> Look:
        """The same change on every finger."""
        return Look({finger: coat.wearing(wish) for finger, coat in self.coats.items()})


def _linear(colours: Sequence[str]) -> Floats:
    """(K, 3) linear light of #RRGGBB."""
    return to_linear(np.array([_channels(colour) for colour in colours], np.uint8))


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
