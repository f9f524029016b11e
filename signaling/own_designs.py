"""A shop's own designs: what they are. Pure rules: no database, no worker."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from protocol.designs import Design

FIRST_ID = 1000
"""The built-in catalogue stays below. Data files name ids from here on."""

FIRST_GIVEN_ID = 100_000
"""Photos and REST are given ids from here on, so that neither they nor data files take the other's."""

MAX_DESIGNS = 500
"""Every worker holds all of them in memory: some 100 kB for one that was taken from a photo of a hand."""


@dataclass(frozen=True)
class Own:
    """One design beside the built-in catalogue."""

    design: Design
    nail_set: str | None = None
    """Blob of the set of nails it wears, where it was taken from a picture."""
    nail_count: int = 0
    file: str | None = None
    """Name of the file in the designs folder that it comes from; None for one made through REST."""
    content: str | None = None
    """SHA-256 of that file as it was when it was taken in."""
    revision: int = 0
    """How often it was changed: of two who change it at once, one must look again."""

    @property
    def version(self) -> str:
        """Another one whenever anything of the design changes."""
        return hashlib.sha256(f"{self.design.model_dump_json()} {self.nail_set}".encode()).hexdigest()[:16]
