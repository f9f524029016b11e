"""Commands of vision: paint files, cut out nails, measure, fetch the model. `lacquer` takes them over as they are.

Commands import what they need when they run, so that `--help` is instant.
"""
# ruff: noqa: PLC0415  # see above

from __future__ import annotations

import json
import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from media_worker.bench import cli as bench
from media_worker.console import fail, one_line_errors, progress_bars, ticker_of
from protocol.designs import Finish, Length, Pattern, Shape

if TYPE_CHECKING:
    from media_worker.evaluation.drawn import DrawnReport
    from media_worker.evaluation.figures import Figure
    from media_worker.polish.looks import Look
    from protocol.messages import Config

    class Measured(Protocol):
        """Any report."""

        def as_dict(self) -> dict[str, Any]: ...
        def figures(self) -> list[Figure]: ...


class Skin(StrEnum):
    """Of the drawn hand (`drawn_hand.SKIN_TONES`)."""

    LIGHT = "light"
    MEDIUM = "medium"
    DARK = "dark"


app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Nail vision on files: paint, cut out, measure.",
)

app.add_typer(bench.app, name="bench")

WEAR: dict[str, Any] = {"rich_help_panel": "What to wear"}
PICTURE: dict[str, Any] = {"rich_help_panel": "The picture"}

Model = Annotated[
    Path | None,
    typer.Option("--model", help="Hand model to use instead of the fetched one; also LACQUER_HAND_MODEL."),
]
Report = Annotated[
    Path | None,
    typer.Option("--report", metavar="DIR", help="Write a page with the worst cases to look at; made if need be."),
]
Json = Annotated[bool, typer.Option("--json", help="Machine-readable.")]


@app.command()
def apply(
    source: Annotated[Path, typer.Argument(metavar="IN", help="Photo (JPEG, PNG, WebP) or video.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="File to write; its suffix says the format.")],
    *,
    design: Annotated[
        str, typer.Option("--design", help="Number of a catalogue design, or a picture to copy from.", **WEAR)
    ] = "1",
    finish: Annotated[Finish | None, typer.Option(help="Overrides the design's finish.", **WEAR)] = None,
    pattern: Annotated[
        Pattern | None,
        typer.Option(metavar="NAME", help=f"Overrides the design's pattern: {', '.join(Pattern)}.", **WEAR),
    ] = None,
    colour: Annotated[
        list[str] | None,
        typer.Option(
            "--colour", metavar="RRGGBB", help="Overrides its colours; again for accents, base first.", **WEAR
        ),
    ] = None,
    shape: Annotated[Shape | None, typer.Option(help="Of the free edge.", **WEAR)] = None,
    length: Annotated[Length | None, typer.Option(help="Beyond the finger tip.", **WEAR)] = None,
    finger: Annotated[
        list[str] | None,
        typer.Option(
            "--finger",
            metavar="FINGER[.WHAT]=VALUE",
            help="One finger alone; again for more. ring=12 is a design, ring.finish=glitter one thing of it: pattern, "
            "finish, colour, shape or length. With a picture as --design, ring.nail=2 wears its third nail.",
            **WEAR,
        ),
    ] = None,
    compare: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Share of the width, from the left, that is left as it was.", **PICTURE),
    ] = None,
    model: Model = None,
) -> None:
    """Paint the nails of a photo or a video.

    Example: `lacquer apply hand.jpg red.jpg`, or as a live session could be told:

    `lacquer apply hand.mp4 out.mp4 --design manicure.jpg --shape almond --length long`

    `lacquer apply hand.jpg out.jpg --colour B3001B --finish chrome --finger ring=12 --finger thumb.finish=matte`
    """
    with one_line_errors():
        from media_worker import choices, files
        from media_worker.vision import models
        from protocol.messages import Config

        chosen = Config(
            finish=finish,
            pattern=pattern,
            colours=choices.colours(colour or ()),
            shape=shape,
            length=length,
            fingers=choices.fingers(finger or ()),
        )
        path = models.find(model)
        look = _look(design, chosen, path)
        if files.is_image(source):
            nails = files.paint_image(source, target, look, path, compare=compare or 0)
            typer.echo(f"{target}: {nails} nails painted" if nails else f"{target}: no nails found, nothing painted")
        else:
            with progress_bars() as progress:
                ticker = ticker_of(progress, f"painting {source.name}")
                frames = files.paint_video(source, target, look, path, ticker, compare=compare or 0)
            typer.echo(f"{target}: {frames} frames")


@app.command()
def segment(
    images: Annotated[list[Path], typer.Argument(metavar="IMAGES...", help="Photos.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the masks; made if need be.")],
    model: Model = None,
) -> None:
    """Write a mask for each photo: PNG of the same size and stem, 255 on nails, 0 elsewhere.

    Example: `lacquer segment photos/*.jpg --out masks`
    """
    with one_line_errors():
        from media_worker import files
        from media_worker.vision import models

        path = models.find(model)
        stems = [image.stem for image in images]
        twice = next((stem for stem in stems if stems.count(stem) > 1), None)
        if twice is not None:
            fail(f"two images are called {twice}, so their masks would overwrite each other")
        with progress_bars() as progress:
            empty = files.segment(images, out, path, ticker_of(progress, "segmenting"))
        typer.echo(f"{len(images)} masks in {out}" + (f"; no hand found in {empty}" if empty else ""))


@app.command()
def evaluate(
    *,
    images: Annotated[Path, typer.Option("--images", help="Folder of photos.")],
    masks: Annotated[
        Path | None,
        typer.Option(
            "--masks",
            help="Folder of their true masks: PNG, same stem, above 127 is nail. Left out: the photos hold no nail.",
        ),
    ] = None,
    skip: Annotated[Path | None, typer.Option("--skip", help="File of stems to leave out, one a line.")] = None,
    skin_tone: Annotated[
        bool, typer.Option("--skin-tone", help="IoU per third of skin tone, measured round the true nails.")
    ] = False,
    report: Report = None,
    as_json: Json = False,
    model: Model = None,
) -> None:
    """Measure the nail outlines against masks drawn by people.

    Example: `lacquer evaluate --images nails/val/images --masks nails/val/masks --report worst`

    Without masks the photos are known to hold no nail, and what is found is false:
    `lacquer evaluate --images negatives/palms --skip folded_thumbs.txt`
    """
    with one_line_errors():
        from media_worker.evaluation import still_page, stills
        from media_worker.vision import models

        _make(report)
        if skin_tone and masks is None:
            fail("--skin-tone is measured round true nails: give their --masks, too")
        path = models.find(model)
        with progress_bars() as progress:
            ticker = ticker_of(progress, "evaluating")
            measured = stills.evaluate(images, masks, path, ticker, skip=skip, tones=skin_tone)
        _print(measured, as_json)
        if report:
            _tell_page(still_page.write(measured, report, f"Nails in {images}"))


@app.command("evaluate-video")
def evaluate_video(
    *,
    videos: Annotated[list[Path] | None, typer.Argument(metavar="[VIDEO]...", help="Videos of hands.")] = None,
    drawn: Annotated[
        bool, typer.Option("--drawn", help="The drawn hand instead, at rest and at 300 px/s: jitter and lag.")
    ] = False,
    no_hands: Annotated[
        bool, typer.Option("--no-hands", help="The videos hold no nail: false nails per 1,000 frames.")
    ] = False,
    height: Annotated[
        int | None,
        typer.Option(min=64, max=2160, help="Scale frames to this height; else the longer side is at most 640."),
    ] = None,
    report: Report = None,
    as_json: Json = False,
    model: Model = None,
) -> None:
    """Measure how steady, how prompt and how fast nails are in a live session's pipeline.

    Example: `lacquer evaluate-video hand.mp4 fist.mp4 --report steady`, or `lacquer evaluate-video --drawn`
    """
    with one_line_errors():
        from media_worker.evaluation import video_page
        from media_worker.evaluation import videos as live
        from media_worker.vision import models

        _make(report)
        if bool(videos) == drawn:
            fail("give one or more videos, or --drawn" + (", not both" if drawn else ""))
        path, measured = models.find(model), list[live.VideoReport]()
        for video in videos or []:
            with progress_bars() as progress:
                ticker = ticker_of(progress, f"watching {video.name}")
                measured.append(live.evaluate(video, path, ticker, height=height, no_hands=no_hands))
            _print(measured[-1], as_json, title=str(video))
        hand = _drawn_hand(path) if drawn else None
        if hand:
            _print(hand, as_json)
        if report:
            title = "Nails of the drawn hand" if drawn else "Nails in videos"
            _tell_page(video_page.write(measured, hand, report, title, height=height))


@app.command("evaluate-polish")
def evaluate_polish(
    *,
    live: Annotated[
        bool, typer.Option("--live/--renderer-only", help="Also through the pipeline of a live session.")
    ] = True,
    report: Report = None,
    as_json: Json = False,
    model: Model = None,
) -> None:
    """Measure polish on the drawn hand: colour, hiding, sticking, flicker, cost, designs that come back from photos.

    Takes about a minute.

    Example: `lacquer evaluate-polish --report polish`, or `lacquer evaluate-polish --renderer-only`
    """
    with one_line_errors():
        from media_worker.evaluation import polish, polish_page
        from media_worker.vision import models

        _make(report)
        path = models.find(model) if live else None
        with progress_bars() as progress:
            measured = polish.evaluate(path, lambda part: ticker_of(progress, part))
        _print(measured, as_json)
        if report:
            _tell_page(polish_page.write(measured, report))


@app.command()
def gallery(
    more: Annotated[list[Path] | None, typer.Argument(metavar="[PHOTO]...", help="As --photos.")] = None,
    *,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the page; made if need be.")],
    photos: Annotated[
        list[Path] | None, typer.Option("--photos", metavar="PHOTO", help="Photos to paint, too.")
    ] = None,
    skin: Annotated[Skin, typer.Option(help="Of the drawn hand.")] = Skin.LIGHT,
    model: Model = None,
) -> None:
    """Show every finish, shape, pattern and design on one page: on the drawn hand, and on photos.

    Example: `lacquer gallery --out gallery`, or `lacquer gallery --out gallery --photos hands/*.jpg`
    """
    with one_line_errors():
        from media_worker.evaluation import gallery_page
        from media_worker.vision import models

        painted = [*(photos or []), *(more or [])]
        path = models.find(model) if painted else None
        with progress_bars() as progress:
            page = gallery_page.write(out, painted, skin, path, lambda part: ticker_of(progress, part))
        typer.echo(f"gallery: {page}")


@app.command()
def models() -> None:
    """Fetch the hand model into the cache, or verify the one that is there.

    It comes with pip out of the official mediapipe 0.10.21 wheel (36 MB, Apache-2.0) and is checked by SHA-256.

    Example: `lacquer models`
    """
    with one_line_errors():
        from media_worker.vision import models as hand_models

        if os.environ.get(hand_models.ENVIRONMENT):
            typer.echo(f"{hand_models.find()} (from {hand_models.ENVIRONMENT}) can be read")
        else:
            hand_models.fetch(typer.echo)


def _look(design: str, chosen: Config, model: Path) -> Look:
    """As a live session would dress its nails."""
    from media_worker import files, nail_sets
    from media_worker.shelf import Shelf
    from media_worker.wardrobe import Wardrobe
    from protocol.internal import Worn

    if design.isdecimal():
        worn = Worn(design_id=int(design))
    elif Path(design).is_file():
        worn = Worn(design_id=None, nail_set=nail_sets.take(files.read_image(Path(design)), model))
    else:
        fail(f"--design takes a catalogue number or a picture; {design} is neither")
    wardrobe = Wardrobe(worn, Shelf())
    wardrobe.check(chosen, chosen)
    return wardrobe.look(chosen)


def _drawn_hand(model: Path) -> DrawnReport:
    from media_worker.evaluation import drawn

    with progress_bars() as progress:
        return drawn.evaluate(model, ticker_of(progress, "watching the drawn hand"))


def _print(measured: Measured, as_json: bool, *, title: str = "") -> None:
    """JSON takes one line a call, so that several videos are JSON Lines."""
    from media_worker.evaluation.figures import as_text

    if as_json:
        typer.echo(json.dumps(measured.as_dict()))
    else:
        typer.echo((f"{title}\n" if title else "") + as_text(measured.figures()))


def _make(folder: Path | None) -> None:
    """Before anything is measured: it takes minutes, and would be lost where its report cannot be written."""
    if folder:
        folder.mkdir(parents=True, exist_ok=True)


def _tell_page(page: Path) -> None:
    typer.echo(f"report: {page}", err=True)


if __name__ == "__main__":
    app()
