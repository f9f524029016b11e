"""What a gallery shows on the drawn hand: every finish, every shape at every length, every pattern, the catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from media_worker.evaluation.worn import plain
from media_worker.polish.looks import Look
from protocol import designs
from protocol.designs import Finish, Length, Pattern, Shape
from protocol.messages import Wish

COLOURS = {"red": "#B3001B", "nude": "#D9A893", "night blue": "#1B2A5E"}
"""A finish looks different on a strong colour, on one near the skin's, and on a dark one."""

ACCENTED = ("#F3D3D1", "#B3001B", "#1F3FBF")
"""Base and accents, where a pattern is shown."""

IN_TURN = ("#B3001B", "#D9A893", "#5B2A4E", "#1E4D38", "#1B2A5E", "#C2185B", "#8A5A3C")
"""One colour a shape, so that rows are told apart."""


@dataclass(frozen=True)
class Tile:
    """One picture of the gallery."""

    name: str
    look: Look
    note: str = ""


@dataclass(frozen=True)
class Section:
    title: str
    explanation: str
    tiles: list[Tile]
    columns: int | None = None
    """Where tiles belong together in rows."""


def sections() -> list[Section]:
    """In the order of the page."""
    return [
        Section("Finishes", "How a surface answers light, in three colours.", list(_finishes()), len(COLOURS)),
        Section("Shapes and lengths", "From the nail's own to long press-ons.", list(_shapes()), len(Length)),
        Section("Patterns", "Where colours lie on a nail; every one takes any colours.", list(_patterns())),
        *_catalogue(),
    ]


def _finishes() -> Iterator[Tile]:
    for finish in Finish:
        for name, colour in COLOURS.items():
            yield Tile(said(finish), plain((colour,), finish), name)


def _shapes() -> Iterator[Tile]:
    for shape, colour in zip(Shape, IN_TURN, strict=True):
        for length in Length:
            yield Tile(
                said(shape), plain((colour,), Finish.GLOSS).wearing(Wish(shape=shape, length=length)), length.value
            )


def _patterns() -> Iterator[Tile]:
    for pattern in Pattern:
        yield Tile(said(pattern), plain(ACCENTED, Finish.GLOSS, pattern))


def _catalogue() -> Iterator[Section]:
    """A section a family, in the catalogue's order."""
    for family, members in designs.catalogue().families().items():
        tiles = [Tile(design.name, Look.of(design), f"design {design.id}") for design in members]
        yield Section(family, f"{len(tiles)} designs of the catalogue.", tiles)


def said(name: str) -> str:
    """`cat_eye` as a person says it: Cat eye."""
    return name.replace("_", " ").capitalize()
