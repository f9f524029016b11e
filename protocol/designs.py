"""Designs: what a nail can wear. The catalogue is data (`catalogue/`); both signaling and the worker read it."""

from __future__ import annotations

import json
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from protocol.errors import UnknownDesign

Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9A-Fa-f]{6}$")]
"""sRGB as #RRGGBB."""


def _one_line(text: str) -> str:
    if any(unicodedata.category(character) == "Cc" for character in text):
        raise PydanticCustomError("one_line", "should be one line of text")
    return text


ONE_LINE = AfterValidator(_one_line)
"""No control characters: no page shows them, and no PostgreSQL takes a NUL."""


Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60), ONE_LINE]
Family = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40), ONE_LINE]
"""Heading that designs are shown under."""


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
    """How the colours lie on the nail: base first, then the accents. Drawn by `media_worker/polish/patterns`."""

    SOLID = "solid"
    # tips, moons and halves
    FRENCH = "french"
    MICRO_FRENCH = "micro_french"
    DEEP_FRENCH = "deep_french"
    V_FRENCH = "v_french"
    DOUBLE_FRENCH = "double_french"
    SIDE_TIP = "side_tip"
    HALF_MOON = "half_moon"
    CUFF = "cuff"
    TWO_TONE = "two_tone"
    # colours that melt
    GRADIENT = "gradient"
    AURA = "aura"
    # lines
    STRIPES = "stripes"
    PINSTRIPES = "pinstripes"
    CHEVRON = "chevron"
    CHECKER = "checker"
    PLAID = "plaid"
    LATTICE = "lattice"
    # things strewn about
    DOTS = "dots"
    CONFETTI = "confetti"
    HEARTS = "hearts"
    STARS = "stars"
    DAISIES = "daisies"
    CHERRIES = "cherries"
    SNOWFLAKES = "snowflakes"
    # grown, poured, painted by hand
    SWIRL = "swirl"
    FLAMES = "flames"
    DRIP = "drip"
    MARBLE = "marble"
    TORTOISESHELL = "tortoiseshell"
    LEOPARD = "leopard"
    ZEBRA = "zebra"
    COW = "cow"


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


class NewDesign(BaseModel):
    """All of a design but its id. Patterns other than `solid` use two or more colours: base first, then the accents."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    family: Family
    pattern: Pattern = Pattern.SOLID
    finish: Finish = Finish.CREAM
    colours: Colours
    shape: Shape = Shape.NATURAL
    length: Length = Length.NATURAL
    fingers: dict[Finger, Style] = {}
    """Accent nails."""


class Design(NewDesign):
    """One entry of the catalogue."""

    id: Annotated[int, Field(ge=1)]
    """Also the `post_id` of explore mode. The built-in catalogue stays below 1000; a shop's own begin there."""


class BadCatalogue(ValueError):
    """Designs that cannot be used; says which file, entry and field, and what to write instead."""


class Catalogue(Mapping[int, Design]):
    """Designs by id, family after family, in the order given. Never changes."""

    def __init__(self, designs: Iterable[Design]) -> None:
        """Raises BadCatalogue where two designs have the same id."""
        self._families: dict[str, list[Design]] = {}
        self._by_id: dict[int, Design] = {}
        for design in designs:
            self._families.setdefault(design.family, []).append(design)
        for design in (design for family in self._families.values() for design in family):
            if design.id in self._by_id:
                other = self._by_id[design.id].name
                raise BadCatalogue(f"“{other}” and “{design.name}” have the same id, {design.id}: change one of them")
            self._by_id[design.id] = design

    def __getitem__(self, design_id: int) -> Design:
        return self._by_id[design_id]

    def __iter__(self) -> Iterator[int]:
        return iter(self._by_id)

    def __len__(self) -> int:
        return len(self._by_id)

    def find(self, design_id: int) -> Design:
        """Raises UnknownDesign."""
        try:
            return self._by_id[design_id]
        except KeyError:
            raise UnknownDesign(f"there is no design {design_id} in the catalogue") from None

    def families(self) -> dict[str, tuple[Design, ...]]:
        """Families in the order shown, with their designs."""
        return {family: tuple(designs) for family, designs in self._families.items()}

    def plus(self, designs: Iterable[Design]) -> Catalogue:
        """With more designs; those of a known family join it at its end. Raises BadCatalogue where an id is taken."""
        return Catalogue([*self.values(), *designs])


def load_file(path: Path | Traversable) -> list[Design]:
    """The designs of a TOML or JSON file; protocol/README.md tells its fields. Raises BadCatalogue."""
    raw = _parse(path)
    entries = raw.get("design")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        hint = "[[design]] sections" if path.name.endswith(".toml") else '{"design": [{…}, …]}'
        raise BadCatalogue(f"{path.name} holds no designs; write {hint}")
    shared = {field: value for field, value in raw.items() if field != "design"}
    return [_validated(path.name, number, shared | entry) for number, entry in enumerate(entries, 1)]


def _parse(path: Path | Traversable) -> dict[str, Any]:
    try:
        text = path.read_text("utf-8-sig")  # Windows editors put a mark in front
        raw = tomllib.loads(text) if path.name.endswith(".toml") else json.loads(text)
    except OSError as error:
        raise BadCatalogue(f"{path.name} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # not UTF-8, not TOML, not JSON
        raise BadCatalogue(f"{path.name} is no valid {path.name.rpartition('.')[2].upper()}: {error}") from error
    if not isinstance(raw, dict):
        raise BadCatalogue(f'{path.name} holds no designs; write {{"design": [{{…}}, …]}}')
    return raw


def _validated(file: str, number: int, entry: dict[str, Any]) -> Design:
    try:
        return Design.model_validate(entry)
    except ValidationError as error:
        name = f" (“{entry['name']!s:.60}”)" if "name" in entry else ""
        details = [f"{file}, design {number}{name}, {_explained(detail)}" for detail in error.errors()]
        raise BadCatalogue("\n".join(details)) from None


_HINTS = {
    "missing": "is missing",
    "extra_forbidden": "is no field of a design",
    "string_pattern_mismatch": 'should be a colour like "#B3001B"',
}


def _explained(detail: ErrorDetails) -> str:
    """`colours.1: should be a colour like "#B3001B", not '#F00'`."""
    field = ".".join(str(part) for part in detail["loc"] if part != "[key]")
    hint = _HINTS.get(detail["type"], detail["msg"].replace("Input should", "should").replace("Value should", "should"))
    given = f", not {detail['input']!r:.40}" if detail["type"] not in ("missing", "extra_forbidden") else ""
    return f"{field}: {hint}{given}"


def _built_in() -> Catalogue:
    files = resources.files("protocol").joinpath("catalogue").iterdir()
    toml = sorted((file for file in files if file.name.endswith(".toml")), key=lambda file: file.name)
    return Catalogue(design for file in toml for design in load_file(file))


_CATALOGUE = _built_in()  # on import: a broken file stops the process at its start, and no request waits for the disk


def catalogue() -> Catalogue:
    """The built-in designs."""
    return _CATALOGUE


def find(design_id: int) -> Design:
    """The built-in design with this id. Raises UnknownDesign."""
    return _CATALOGUE.find(design_id)
