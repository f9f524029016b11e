"""Photos in a gallery: the whole picture before and after, then its nails in every finish and shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from media_worker import files
from media_worker.evaluation.gallery import said
from media_worker.evaluation.panels import FRAME, View, view_of
from media_worker.evaluation.worn import plain
from media_worker.files import Progress
from media_worker.pipeline import StillPipeline
from media_worker.polish.looks import Look
from media_worker.polish.painter import Painter
from media_worker.vision.arrays import Pixels
from media_worker.vision.nails import Nail
from protocol.designs import Finish, Length, Pattern, Shape
from protocol.messages import Wish

FINISH_COLOURS = {
    Finish.CREAM: "#B3001B", Finish.GLOSS: "#6B0F1A", Finish.MATTE: "#9CAF93", Finish.SHEER: "#E88AA0",
    Finish.METALLIC: "#B8860B", Finish.CHROME: "#C9CDD4", Finish.SHIMMER: "#5B2A8E", Finish.GLITTER: "#C9A13B",
    Finish.PEARL: "#F3E6DF", Finish.CAT_EYE: "#0F5C4C",
}  # fmt: skip
"""What each finish is mostly sold in."""

PATTERNS: Mapping[Pattern, tuple[str, ...]] = {
    Pattern.FRENCH: ("#F0CFC4", "#FBF9F6"),
    Pattern.GRADIENT: ("#F3D3D1", "#D6127C"),
    Pattern.STRIPES: ("#F7F3EA", "#1F3FBF"),
    Pattern.LEOPARD: ("#E3B778", "#8A5A2B", "#1C1410"),
}


@dataclass(frozen=True)
class Shown:
    """One picture of a photo."""

    name: str
    picture: Pixels


@dataclass(frozen=True)
class PhotoStrip:
    nails: int
    whole: list[Shown]
    """Before and after."""
    close: list[Shown]
    """The nails, in one look after the other; none where no nail was found."""


def strips(photos: Sequence[Path], model: Path, progress: Progress) -> Iterator[PhotoStrip]:
    """One after the other, for each takes much memory. Raises BadImage, VisionFailed, OSError."""
    with closing(StillPipeline(model)) as pipeline:
        for done, photo in enumerate(photos, 1):
            rgb = files.read_image(photo)
            nails, _ = pipeline.find(rgb)
            yield _strip(rgb, nails)
            progress(done, len(photos))


def _strip(rgb: Pixels, nails: list[Nail]) -> PhotoStrip:
    whole, near = view_of([], *rgb.shape[1::-1]), view_of([nail.outline for nail in nails], *rgb.shape[1::-1])
    whole, near = _no_larger(replace(whole, longest=FRAME)), replace(near, longest=FRAME)
    before = Shown("Before", whole.of(rgb))
    if not nails:
        return PhotoStrip(0, [before], [])
    after = Shown("After, gloss", whole.of(_painted(rgb, nails, plain(("#B3001B",), Finish.GLOSS))))
    close = [Shown(name, near.of(_painted(rgb, nails, look))) for name, look in _looks()]
    return PhotoStrip(len(nails), [before, after], [Shown("Bare", near.of(rgb)), *close])


def _no_larger(view: View) -> View:
    return replace(view, longest=min(view.longest, max(view.right - view.left, view.bottom - view.top)))


def _looks() -> Iterator[tuple[str, Look]]:
    for finish, colour in FINISH_COLOURS.items():
        yield said(finish), plain((colour,), finish)
    for pattern, colours in PATTERNS.items():
        yield said(pattern), plain(colours, Finish.GLOSS, pattern)
    for shape in Shape:
        for length in (Length.MEDIUM, Length.LONG):
            yield (
                f"{said(shape)}, {length}",
                plain(("#A3123A",), Finish.GLOSS).wearing(Wish(shape=shape, length=length)),
            )


def _painted(rgb: Pixels, nails: list[Nail], look: Look) -> Pixels:
    painted = rgb.copy()
    Painter().paint_rgb(painted, nails, look)
    return painted
