"""What five nails wear, prepared for painting: colours in linear light, textures at hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from media_worker.polish.colour import to_linear
from media_worker.vision.arrays import Floats, Pixels
from protocol.designs import Design, Finger, Finish, Length, Pattern, Shape, Style
from protocol.messages import Wish

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

    def wearing(self, wish: Wish) -> Look:
        """The same change on every finger."""
        return Look({finger: coat.wearing(wish) for finger, coat in self.coats.items()})

    @classmethod
    def from_colours(cls, colours: Mapping[Finger, Pixels], finish: Finish = Finish.GLOSS) -> Look:
        """A plain colour, uint8 sRGB (3,), for each finger; fingers left out wear the median of the others."""
        median = np.median(np.stack(list(colours.values())), axis=0).astype(np.uint8)
        return cls({f: Coat(finish, Pattern.SOLID, to_linear(colours.get(f, median).reshape(1, 3))) for f in Finger})

    @classmethod
    def from_swatch(cls, rgb: Pixels, finish: Finish = Finish.CREAM) -> Look:
        """The middle of a picture, uint8 (H, W, 3), as a texture on every nail, its top at the cuticle."""
        height, width = rgb.shape[:2]
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        square = np.ascontiguousarray(rgb[top : top + side, left : left + side])
        small = cv2.resize(square, (TEXTURE_SIZE, TEXTURE_SIZE), interpolation=cv2.INTER_AREA)
        texture = to_linear(small.astype(np.uint8))
        coat = Coat(finish, Pattern.SOLID, texture.mean(axis=(0, 1)).reshape(1, 3), texture)
        return cls(dict.fromkeys(Finger, coat))

    @classmethod
    def from_image(cls, rgb: Pixels, model_path: Path | None = None) -> Look:
        """The look of a person's own reference, uint8 (H, W, 3): the nails of a hand if it shows one, else a swatch.

        `model_path` is the hand model, by default the one that models.find() finds. Raises ModelUnavailable.
        """
        from media_worker.polish import reference  # noqa: PLC0415  (reference builds looks, so it imports this module)

        return reference.look_of(rgb, model_path)


def _linear(colours: Sequence[str]) -> Floats:
    """(K, 3) linear light of #RRGGBB."""
    return to_linear(np.array([_channels(colour) for colour in colours], np.uint8))


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
