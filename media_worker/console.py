"""What commands have in common: errors are one line, native code is quiet, what takes long shows a bar."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

import typer

from protocol.errors import LacquerError

if TYPE_CHECKING:
    from rich.progress import Progress


@contextmanager
def one_line_errors(*mendable: type[Exception]) -> Iterator[None]:
    """What a person can mend is one line on stderr and exit code 1; only faults of ours show a traceback.

    `mendable` are kinds of errors, besides ours and the operating system's, whose message is such a line.
    """
    try:
        with _hushed():
            yield
    except LacquerError as error:
        fail(error.message)
    except mendable as error:
        fail(str(error))
    except FileNotFoundError as error:
        fail(f"{error.filename}: no such file or folder" if error.filename else str(error))
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}" if error.filename else str(error))


def fail(message: str) -> NoReturn:
    """One line on stderr, exit code 1."""
    typer.echo(f"error: {message}", err=True)
    raise typer.Exit(1)


def progress_bars() -> Progress:
    """Bars on stderr, so that `--json` can be piped, and only for people."""
    from rich.console import Console  # noqa: PLC0415  # `--help` is instant without it
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    return Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())


def ticker_of(progress: Progress, what: str) -> Callable[[int, int], None]:
    """A function (done, total) that moves a bar; a total of 0 is unknown."""
    task = progress.add_task(what, total=None)
    return lambda done, total: progress.update(task, completed=done, total=total or None)


@contextmanager
def _hushed() -> Iterator[None]:
    """MediaPipe's native code logs to file descriptor 2 whatever it is told (1.2; GLOG_minloglevel does nothing), six
    lines for each landmarker. It gets the null device, while Python's own stderr stays where it was."""
    real = os.dup(2)
    stream, ours = sys.stderr, os.fdopen(os.dup(2), "w", buffering=1)
    if stream is sys.__stderr__:  # in tests it is another one, which does not end in descriptor 2
        sys.stderr = ours
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)
    try:
        yield
    finally:
        os.dup2(real, 2)
        os.close(real)
        sys.stderr = stream
        ours.close()
