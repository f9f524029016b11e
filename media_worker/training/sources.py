"""`sources.toml`: what is trained on, and how much of each."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

DEFAULT = Path(__file__).with_name("sources.toml")


class _Source(BaseModel):
    model_config = ConfigDict(extra="forbid")

    weight: float = Field(gt=0)
    licence: str


class Masked(_Source):
    kind: Literal["masked"]
    path: Path
    leave_out: frozenset[str] = frozenset()
    fingers_up: bool = False
    on_blue_cloth: bool = False


class Boxed(_Source):
    kind: Literal["boxed"]
    path: Path


class Unlabelled(_Source):
    kind: Literal["photos", "videos"]
    path: Path


class Drawn(_Source):
    kind: Literal["drawn"]
    pictures: int = Field(gt=0)
    palms: float = Field(ge=0, le=1)
    """Share of pictures that show only palms, without any nail."""


S = TypeVar("S", Masked, Boxed, Unlabelled, Drawn)

Source = Annotated[Masked | Boxed | Unlabelled | Drawn, Field(discriminator="kind")]


class Sources(BaseModel):
    model_config = ConfigDict(extra="forbid")

    source: list[Source]

    def of(self, kind: type[S]) -> list[S]:
        """Those of one kind."""
        return [source for source in self.source if isinstance(source, kind)]


def read(path: Path = DEFAULT) -> Sources:
    """Raises FileNotFoundError, tomllib.TOMLDecodeError and pydantic.ValidationError, which say what is wrong where."""
    return Sources.model_validate(tomllib.loads(path.read_text()))
