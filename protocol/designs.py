"""Designs: what a nail can wear. The catalogue is data (`catalogue.toml`); both signaling and the worker read it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from enum import StrEnum
from importlib import resources
from types import MappingProxyType
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from protocol.errors import UnknownDesign

Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9A-Fa-f]{6}$")]
"""sRGB as #RRGGBB."""


class Finish(StrEnum):
    """How the surface answers light."""

    CREAM = "cream"
    GLOSS = "gloss"
    MATTE = "matte"
    SHEER = "sheer"
    METALLIC = "metallic"
    CHROME = "chrome"
    SHIMMER = "shimmer"
    GLITTER = "glitter"
    PEARL = "pearl"
    CAT_EYE = "cat_eye"


class Pattern(StrEnum):
    """How the colours lie on the nail, from cuticle to free edge."""

    SOLID = "solid"
    FRENCH = "french"
    GRADIENT = "gradient"
    TWO_TONE = "two_tone"
    STRIPES = "stripes"
    DOTS = "dots"


class Finger(StrEnum):
    THUMB = "thumb"
    INDEX = "index"
    MIDDLE = "middle"
    RING = "ring"
    PINKY = "pinky"


class Shape(StrEnum):
    """Of the free edge; `natural` keeps the nail's own."""

    NATURAL = "natural"
    SQUARE = "square"
    SQUOVAL = "squoval"
    ROUND = "round"
    ALMOND = "almond"
    COFFIN = "coffin"
    STILETTO = "stiletto"


class Length(StrEnum):
    """How far the nail reaches beyond the finger tip; `natural` keeps the nail's own."""

    NATURAL = "natural"
    SHORT = "short"
    MEDIUM = "medium"
    LONG = "long"


Colours = Annotated[tuple[Colour, ...], Field(min_length=1, max_length=5)]


class Style(BaseModel):
    """What one finger of a design wears differently; None is as the design says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pattern: Pattern | None = None
    finish: Finish | None = None
    colours: Colours | None = None


class Design(BaseModel):
    """One entry of the catalogue. Patterns other than `solid` use two or more colours: base first, then the accent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[int, Field(ge=1)]
    """Also the `post_id` of explore mode."""
    name: str
    family: str
    pattern: Pattern = Pattern.SOLID
    finish: Finish = Finish.CREAM
    colours: Colours
    shape: Shape = Shape.NATURAL
    length: Length = Length.NATURAL
    fingers: dict[Finger, Style] = {}
    """Accent nails."""


def _load() -> Mapping[int, Design]:
    raw = tomllib.loads(resources.files("protocol").joinpath("catalogue.toml").read_text("utf-8"))
    designs = [Design.model_validate(entry) for entry in raw["design"]]
    by_id = {design.id: design for design in designs}
    if len(by_id) != len(designs):
        raise ValueError("catalogue.toml uses a design id twice")
    return MappingProxyType(by_id)


_CATALOGUE = _load()  # on import: a broken file stops the process at its start, and no request ever waits for the disk


def catalogue() -> Mapping[int, Design]:
    """All designs by id, in the order of the file."""
    return _CATALOGUE


def find(design_id: int) -> Design:
    """The catalogue's design with this id. Raises UnknownDesign."""
    try:
        return catalogue()[design_id]
    except KeyError:
        last = max(_CATALOGUE)
        raise UnknownDesign(f"there is no design {design_id}; the catalogue has 1 to {last}") from None
