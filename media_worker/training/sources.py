"""`sources.toml`: what is trained on, and how much of each."""

from __future__ import annotations

import importlib.util
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from media_worker.training.errors import CannotTrain

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

DEFAULT = Path(__file__).with_name("sources.toml")

PICTURES = {".png", ".jpg", ".jpeg"}


class _Source(BaseModel):
    model_config = ConfigDict(extra="forbid")

    weight: float = Field(gt=0)
    licence: str = Field(min_length=1)

    folders: ClassVar[tuple[str, ...]] = ()
    """What must lie in its path."""


class Masked(_Source):
    folders = ("images", "masks")

    kind: Literal["masked"]
    path: Path
    leave_out: list[str] = []
    """Stems of images."""
    fingers_up: bool = False
    on_blue_cloth: bool = False


class Boxed(_Source):
    folders = ("images", "boxes")

    kind: Literal["boxed"]
    path: Path


class Unlabelled(_Source):
    folders = (".",)

    kind: Literal["photos", "videos"]
    path: Path


class Empty(_Source):
    """Pictures without any nail: whatever the networks see in them is a mistake to learn from."""

    kind: Literal["empty"]
    path: Path
    """Searched with all that is in it; inside of `package`, if that is named."""
    package: str | None = None
    """An installed Python package."""
    install: str
    """What to install where the pictures are missing."""

    def pictures(self, data: Path) -> list[Path]:
        """Raises CannotTrain where there are none."""
        folder = (_package_folder(self.package) if self.package else data) / self.path
        found = sorted(path for path in folder.rglob("*") if path.suffix in PICTURES)
        if not found:
            raise CannotTrain(f"{folder} has no pictures; install {self.install}, or take that source out")
        return found


def _package_folder(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else Path(name)


class Drawn(_Source):
    kind: Literal["drawn"]
    pictures: int = Field(gt=0)
    palms: float = Field(ge=0, le=1)
    """Share of pictures that show only palms, without any nail."""


S = TypeVar("S", Masked, Boxed, Unlabelled, Empty, Drawn)

Source = Annotated[Masked | Boxed | Unlabelled | Empty | Drawn, Field(discriminator="kind")]


class Sources(BaseModel):
    model_config = ConfigDict(extra="forbid")

    source: list[Source] = Field(min_length=1)

    def of(self, kind: type[S]) -> list[S]:
        """Those of one kind."""
        return [source for source in self.source if isinstance(source, kind)]

    def check(self, data: Path) -> None:
        """That every source's folders and pictures are there. Raises CannotTrain."""
        for empty in self.of(Empty):
            empty.pictures(data)
        for source in self.source:
            for name in source.folders:
                folder = data / getattr(source, "path", "") / name
                if not folder.is_dir():
                    raise CannotTrain(
                        f"{folder} is missing; correct --data, or take that source out of the sources file"
                    )


def read(path: Path = DEFAULT) -> Sources:
    """Raises FileNotFoundError, and CannotTrain, which says what is wrong where."""
    try:
        return Sources.model_validate(tomllib.loads(path.read_text("utf-8")))
    except tomllib.TOMLDecodeError as error:
        raise CannotTrain(f"{path} is no TOML: {error}") from error
    except ValidationError as error:
        raise CannotTrain(f"{path}: " + "; ".join(map(_problem, error.errors()))) from error


def _problem(problem: ErrorDetails) -> str:
    """`source 2, weight: Input should be greater than 0 (got 0)`; sources are counted from 1."""
    where = [f"source {part + 1}" if isinstance(part, int) else part for part in problem["loc"] if part != "source"]
    given = problem["input"]
    if problem["type"] == "extra_forbidden":
        return f"{', '.join(where)}: there is no such key"
    got = f" (got {given!r:.60})" if isinstance(given, str | int | float) else ""
    return f"{', '.join(where) or 'the file'}: {problem['msg']}{got}"
