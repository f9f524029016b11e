"""`lacquer bench` and its kin, `capacity` and `placement`. Commands import what they need when they run."""
# ruff: noqa: PLC0415  # see above

from __future__ import annotations

import asyncio
import json
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from media_worker.bench.errors import BenchError
from media_worker.console import one_line_errors, progress_bars, ticker_of

if TYPE_CHECKING:
    from media_worker.bench.results import Results


class Codec(StrEnum):
    H264 = "h264"
    VP8 = "vp8"


class Peer(StrEnum):
    """What Lacquer is compared with."""

    ECHO = "echo"


app = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode="markdown")

Camera = Annotated[
    Path | None,
    typer.Option("--camera", metavar="VIDEO", help="A video as the camera, in a loop.  [default: drawn hand]"),
]
Url = Annotated[
    str | None,
    typer.Option(
        "--url", help="A Lacquer that runs already; its processor time is then unknown.  [default: start one]"
    ),
]
Workers = Annotated[
    int | None, typer.Option("--workers", min=1, max=64, help="Of the server that is started.  [default: as `serve`]")
]
JsonFile = Annotated[
    Path | None,
    typer.Option("--json", metavar="FILE", help="Write all figures as JSON; - is stdout, and nothing else."),
]


@app.callback(invoke_without_command=True)
def bench(
    context: typer.Context,
    *,
    codec: Annotated[list[Codec] | None, typer.Option("--codec", help="Again for more.  [default: both]")] = None,
    streams: Annotated[
        int, typer.Option(min=1, max=16, help="Measure one stream, then this many in the same browser.")
    ] = 1,
    seconds: Annotated[float, typer.Option(min=1, max=600, help="How long each run is watched.")] = 20,
    warm_up: Annotated[float, typer.Option(min=0, max=60, help="Seconds before that, in which rates settle.")] = 4,
    compare: Annotated[
        Peer | None, typer.Option("--compare", help="Measure a stock aiortc echo, too, by turns.")
    ] = None,
    camera: Camera = None,
    browser: Annotated[str | None, typer.Option(help="A Chromium or Chrome.  [default: the one on PATH]")] = None,
    url: Url = None,
    workers: Workers = None,
    json_file: JsonFile = None,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="DIR", help="Write a page to look at; made if need be.")
    ] = None,
) -> None:
    """How late, how often and how well a real browser sees its hand, and what that costs the server.

    Headless Chromium shows a numbered clip to `lacquer serve`, and reads the numbers where they come back: latency,
    frame rate, size over time, likeness outside nails, and the server's processor time a frame. Browser and server
    share this machine, so a machine of two cores is busier than a server alone.

    Example: `lacquer bench --compare echo --camera hand.mp4 --report bench`

    `lacquer bench capacity` finds how many streams this machine holds, `lacquer bench placement` how fast and how
    evenly sessions are placed on many workers.
    """
    if context.invoked_subcommand:
        return
    with one_line_errors(BenchError):
        from media_worker.bench import browser_run, devtools
        from media_worker.bench import report as report_page
        from media_worker.vision import models

        plan = browser_run.Plan(
            codecs=[str(each) for each in codec or list(Codec)],
            streams=sorted({1, streams}),
            seconds=seconds,
            warm_up=warm_up,
            camera=camera,
            browser=devtools.find(browser),
            model=models.find(),
            compare_echo=compare is Peer.ECHO,
            url=url,
            workers=workers,
        )
        with progress_bars() as progress:
            results, pictures = browser_run.run_all(plan, partial(ticker_of, progress))
        _tell(results, json_file)
        if report:
            typer.echo(f"report: {report_page.write(results, pictures, report)}", err=True)


def _tell(results: Results, json_file: Path | None) -> None:
    from media_worker.bench.machine import as_line
    from media_worker.evaluation.figures import as_text

    if not _write_json(results.as_dict(), json_file):
        typer.echo(as_line(results.machine))
        for run in results.runs:
            typer.echo(f"\n{run.name}\n{as_text(results.figures(run))}")


def _write_json(figures: dict[str, Any], json_file: Path | None) -> bool:
    """Whether stdout belongs to the JSON."""
    text = json.dumps(figures, indent=2)
    if json_file == Path("-"):
        typer.echo(text)
    elif json_file:
        json_file.write_text(text + "\n", "utf-8")
    return json_file == Path("-")


@app.command()
def capacity(
    *,
    codec: Annotated[Codec, typer.Option("--codec")] = Codec.H264,
    up_to: Annotated[int, typer.Option(min=1, max=64, help="Streams to stop at.")] = 16,
    seconds: Annotated[float, typer.Option(min=1, max=120, help="How long each number of streams is watched.")] = 8,
    warm_up: Annotated[float, typer.Option(min=0, max=60, help="Seconds before that.")] = 3,
    camera: Camera = None,
    workers: Workers = None,
    json_file: JsonFile = None,
) -> None:
    """How many streams of 640x480 at 30 fps this machine holds: one more at a time, until the slowest one gets under
    28.5 fps or one frame in twenty takes 200 ms.

    Clients send a clip that is encoded already and decode nothing, in a process of their own. Still they take time from
    the server; how much is told, and how many streams the server's own time would leave room for without them. Round
    trips are from a frame's first packet leaving to its last one coming back: cameras and screens come on top.

    Example: `lacquer bench capacity --workers 2 --camera hand.mp4`
    """
    with one_line_errors(BenchError):
        from media_worker.bench import capacity as capacity_runs

        plan = capacity_runs.Plan(str(codec), up_to, seconds, warm_up, camera, workers)
        with progress_bars() as progress:
            found = capacity_runs.measure(plan, ticker_of(progress, "streams"))
        if not _write_json(found.as_dict(), json_file):
            typer.echo(capacity_runs.as_text(found))


@app.command()
def placement(
    *,
    redis: Annotated[
        str | None,
        typer.Option("--redis", metavar="URL", help="A Redis that nobody uses.  [default: start redis-server]"),
    ] = None,
    workers: Annotated[int, typer.Option(min=2, max=10_000, help="Simulated workers.")] = 1000,
    sessions: Annotated[int, typer.Option(min=100, max=1_000_000, help="Sessions that fill them.")] = 50_000,
    placers: Annotated[int, typer.Option(min=1, max=32, help="Placements asked for at once.")] = 4,
    failures: Annotated[int, typer.Option(min=1, max=1000, help="Workers that are killed at once.")] = 50,
    json_file: JsonFile = None,
) -> None:
    """How fast, how evenly and how safely sessions are placed on many workers by a real Redis, without media.

    Simulated workers register and speak every 2 s as real ones do. Sessions fill them to the last slot; a fifth leaves
    and others come; more people come than there are slots; then workers are killed without a word. Counted are
    placements a second, the slots between the most and the least loaded worker, sessions beyond what a worker holds,
    and the time until no killed worker is an owner any more. Redis and the benchmark share this machine. It takes
    about half a minute.

    Example: `lacquer bench placement`

    Example: `lacquer bench placement --redis redis://10.0.0.2:6379/9 --workers 100 --sessions 5000 --json -`
    """
    with one_line_errors(BenchError, ValueError):
        from media_worker.bench import placement as placing
        from media_worker.bench.machine import as_line, describe
        from media_worker.evaluation.figures import as_text

        machine, plan = describe(), placing.Plan(workers, sessions, placers, failures, redis)
        with progress_bars() as progress:
            measured = asyncio.run(placing.measure(plan, partial(ticker_of, progress)))
        asked = {"workers": workers, "sessions": sessions, "placers": placers}
        if not _write_json({"machine": machine, **asked, **measured.as_dict()}, json_file):
            typer.echo(as_line(machine))
            typer.echo(f"\n{workers} workers, {sessions} sessions, {placers} placements at once")
            typer.echo(as_text(measured.figures()))
