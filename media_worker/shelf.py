"""All that can be worn on this worker: the built-in catalogue, and a shop's own designs, which signaling sends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from media_worker.polish.looks import Coat
from protocol import designs
from protocol.designs import Design, Finger
from protocol.errors import BadRequest, CatalogueUnknown, UnknownDesign
from protocol.internal import OwnDesign, Worn, catalogue_version
from protocol.messages import Wish
from protocol.nail_sets import NailSet


@dataclass(frozen=True)
class Piece:
    """One thing to wear: a design, a set of nails taken from a picture, or a design that wears such a set."""

    design: Design | None = None
    nail_set: NailSet | None = None

    @property
    def nail_count(self) -> int:
        return len(self.nail_set.nails) if self.nail_set else 0

    def coat(self, finger: Finger, nail: int | None = None) -> Coat:
        """What `finger` wears; `nail` is one of the set that the person chose for it. Decodes that nail's picture."""
        if self.nail_set is None:
            assert self.design is not None, "a piece is a design, a set, or both"
            return Coat.of(self.design, finger)
        place = self.nail_set.fingers[finger] if nail is None or nail >= self.nail_count else nail
        return Coat.of_picture(self.nail_set.nails[place], self.nail_set.finish).wearing(self._surface(finger))

    def _surface(self, finger: Finger) -> Wish:
        """What a design says of nails whose colours come from a picture."""
        if self.design is None:
            return Wish()
        style = self.design.fingers.get(finger)
        finish = style.finish if style and style.finish else self.design.finish
        return Wish(finish=finish, shape=self.design.shape, length=self.design.length)


class Shelf:
    """Changed on the event loop, read by every session's thread: own designs are replaced as a whole, not in place."""

    def __init__(self) -> None:
        self._own: Mapping[int, OwnDesign] = {}
        self._version = catalogue_version({})

    def versions(self) -> dict[int, str]:
        """Own designs held here."""
        return {design_id: own.version for design_id, own in self._own.items()}

    def put(self, own: OwnDesign) -> None:
        self._replace({**self._own, own.design.id: own})

    def remove(self, design_id: int) -> None:
        """Does nothing where there is none."""
        self._replace({known: own for known, own in self._own.items() if known != design_id})

    def _replace(self, own: Mapping[int, OwnDesign]) -> None:
        self._own = own
        self._version = catalogue_version(self.versions())

    def find(self, design_id: int) -> Piece:
        """Raises UnknownDesign."""
        if own := self._own.get(design_id):
            return Piece(own.design, own.nail_set)
        return Piece(designs.find(design_id))

    def get(self, design_id: int | None) -> Piece | None:
        """None where there is no such design, or not any more."""
        try:
            return None if design_id is None else self.find(design_id)
        except UnknownDesign:
            return None

    def check(self, version: str | None) -> None:
        """Whether this is the catalogue that a caller means; None means any. Raises CatalogueUnknown."""
        if version is not None and version != self._version:
            raise CatalogueUnknown("this worker holds other own designs")

    def chosen(self, worn: Worn) -> Piece:
        """What is worn before any change. Raises CatalogueUnknown, UnknownDesign, BadRequest."""
        self.check(worn.catalogue)
        if worn.nail_set is not None:
            return Piece(nail_set=worn.nail_set)
        if worn.design_id is None:
            raise BadRequest("neither a design nor a set of nails is worn")
        return self.find(worn.design_id)
