"""`lacquer admin …`: looking after a running Lacquer from a terminal, over its REST API.

Commands import what they need when they run, so that `--help` is instant.
"""
# ruff: noqa: PLC0415  # see above

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.console import RenderableType

    from signaling.admin_client import AdminClient

TOKEN = "LACQUER_ADMIN_TOKEN"
LOOK_EVERY = 2.0
WAIT_EVERY = 0.5
MIN_PREFIX = 4

Answer = TypeVar("Answer")

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help=f"""Look after a running Lacquer: its workers, sessions, results and errors.

The same in a browser: /admin. Both need the server's admin token, here in `{TOKEN}`; never as an option, where other
people of this machine would see it.

Example: `{TOKEN}=… lacquer admin watch --url https://nails.example`

Exit codes: 0 done, 1 refused, 2 wrong usage, 3 token missing or wrong, 4 no answer, 5 not in time (`drain --wait`).""",
)

Url = Annotated[
    str,
    typer.Option(envvar="LACQUER_PUBLIC_URL", help="Where Lacquer is.", rich_help_panel="Where"),
]
Json = Annotated[bool, typer.Option("--json", help="Machine-readable, on stdout.")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="How many at most, newest first.")]
WorkerId = Annotated[str, typer.Argument(metavar="ID", help="As `lacquer admin workers` lists it.")]

LOCAL = "http://localhost:8000"


@app.command()
def workers(url: Url = LOCAL, json: Json = False) -> None:
    """Media workers, with their places as bars.

    Example: `lacquer admin workers --json | jq '.[] | select(.draining)'`
    """
    found = _call(url, lambda client: client.workers())
    _print(found, json, lambda tables: tables.workers(found))


@app.command()
def sessions(url: Url = LOCAL, limit: Limit = 50, json: Json = False) -> None:
    """Sessions that are not over: what they wear, where they are, and how well it goes.

    Example: `lacquer admin sessions --limit 1000 --json | jq 'group_by(.worker) | map(length)'`
    """
    found = _call(url, lambda client: client.sessions(limit))
    _print(found, json, lambda tables: tables.sessions(found))


@app.command()
def results(url: Url = LOCAL, limit: Limit = 20, json: Json = False) -> None:
    """Pictures that people kept, newest first, without the pictures.

    Example: `lacquer admin results --limit 5`
    """
    found = _call(url, lambda client: client.results(limit))
    _print(found, json, lambda tables: tables.results(found))


@app.command()
def errors(url: Url = LOCAL, limit: Annotated[int, typer.Option(min=1, max=200)] = 50, json: Json = False) -> None:
    """Recent warnings and errors of the signaling process that answers. Workers write their own log.

    Example: `lacquer admin errors`
    """
    found = _call(url, lambda client: client.errors(limit))
    _print(found, json, lambda tables: tables.errors(found))


@app.command()
def drain(
    worker_id: WorkerId,
    url: Url = LOCAL,
    wait: Annotated[bool, typer.Option("--wait", help="Come back when nobody is on it any more.")] = False,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds that `--wait` waits at most.")] = 120.0,
    json: Json = False,
) -> None:
    """Empty a worker before its machine is worked on: nobody new, and its people connect to others within seconds.

    Example: `lacquer admin drain worker-1a99c1bd --wait && ssh nails-2 reboot`
    """

    async def run(client: AdminClient) -> dict[str, Any]:
        before = await client.worker(worker_id)
        await client.drain(worker_id)
        left, seconds = await _emptied(client, worker_id, timeout) if wait else (before.load if before else 0, 0.0)
        return {"worker": worker_id, "people": before.load if before else 0, "left": left, "seconds": round(seconds, 1)}

    done = _call(url, run)
    if json:
        _print_json(done)
    elif wait:
        typer.echo(f"{worker_id} is empty after {done['seconds']:.0f} s: it can be stopped.")
    else:
        typer.echo(f"{worker_id} takes nobody in any more; {done['left']} on it are asked to connect elsewhere.")


@app.command()
def undrain(worker_id: WorkerId, url: Url = LOCAL) -> None:
    """Let people in again on a worker that was drained.

    Example: `lacquer admin undrain worker-1a99c1bd`
    """
    _call(url, lambda client: client.undrain(worker_id))
    typer.echo(f"{worker_id} takes people in again.")


@app.command()
def end(
    session: Annotated[str, typer.Argument(metavar="SESSION", help="Its id, or the beginning of it.")],
    url: Url = LOCAL,
) -> None:
    """End anybody's session. Whoever streams in it sees that it has ended, and may start another one.

    Example: `lacquer admin end 54173f22`
    """

    async def run(client: AdminClient) -> str:
        session_id = await _resolved(client, session)
        await client.end(session_id)
        return session_id

    typer.echo(f"Session {_call(url, run)} has ended.")


@app.command()
def watch(
    url: Url = LOCAL,
    json: Annotated[bool, typer.Option("--json", help="One line of JSON for each look, for programs.")] = False,
    looks: Annotated[int | None, typer.Option(min=1, help="Stop after so many.  [default: Ctrl-C stops it]")] = None,
) -> None:
    """Workers, sessions and errors, looked at every two seconds.

    Example: `lacquer admin watch`
    """
    if not json and not sys.stdout.isatty():
        with _telling():
            from signaling.admin_client import AdminFailed

            raise AdminFailed("`watch` draws on a terminal; for a pipe, use `lacquer admin watch --json`")
    try:
        _call(url, lambda client: _watch(client, json, looks))
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


async def _watch(client: AdminClient, json: bool, looks: int | None) -> None:
    """The first look must succeed; later ones that fail are said, and what was seen stays."""
    from rich.live import Live

    from signaling import admin_tables
    from signaling.admin_client import NoAnswer

    seen = await client.look()
    with Live(screen=not json, auto_refresh=False, transient=True) as live:
        note, done = "", 0
        while True:
            if json:
                _print_json({name: _plain(value) for name, value in vars(seen).items()}, indent=None)
            else:
                live.update(admin_tables.board(seen, note), refresh=True)
            done += 1
            if done == looks:
                return
            await asyncio.sleep(LOOK_EVERY)
            try:
                seen, note = await client.look(), ""
            except NoAnswer:
                note = "no answer, trying again"


async def _emptied(client: AdminClient, worker_id: str, patience: float) -> tuple[int, float]:
    """(people left, seconds it took). A worker that has left is empty, too. Raises StillBusy."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from signaling.admin_client import StillBusy

    began = time.monotonic()
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        bar, most = progress.add_task(f"{worker_id} empties"), 0
        while True:
            worker = await client.worker(worker_id)
            left = worker.load if worker and worker.live else 0
            seconds, most = time.monotonic() - began, max(most, left)
            progress.update(bar, total=most, completed=most - left)
            if left == 0:
                return 0, seconds
            if seconds > patience:
                raise StillBusy(f"{left} still on {worker_id} after {seconds:.0f} s; it goes on draining")
            await asyncio.sleep(WAIT_EVERY)


async def _resolved(client: AdminClient, beginning: str) -> str:
    """The one session whose id begins so; a whole id as it is. Raises AdminFailed."""
    from signaling.admin_client import AdminFailed
    from signaling.sessions import is_id

    if is_id(beginning):
        return beginning
    if len(beginning) < MIN_PREFIX:
        raise AdminFailed(f"{beginning!r} is too short: write at least {MIN_PREFIX} signs of the session's id")
    found = [s.session_id for s in await client.sessions(10_000) if s.session_id.startswith(beginning.lower())]
    if len(found) != 1:
        many = f"{len(found)} sessions begin with {beginning!r}: write more of the id"
        raise AdminFailed(many if found else f"there is no session {beginning:.40}")
    return found[0]


# --- calling and printing --------------------------------------------------------------------------------------------
def _call(url: str, ask: Callable[[AdminClient], Awaitable[Answer]]) -> Answer:
    """The answer of a running Lacquer; what goes wrong is one line and an exit code."""
    from signaling.admin_client import AdminClient, NotLetIn

    async def run(token: str) -> Answer:
        async with AdminClient(url, token) as client:
            return await ask(client)

    with _telling():
        token = os.environ.get(TOKEN, "").strip()
        if not token:
            raise NotLetIn(f"set {TOKEN} to the admin token of the server")
        return asyncio.run(run(token))


@contextmanager
def _telling() -> Iterator[None]:
    from signaling.admin_client import AdminFailed

    try:
        yield
    except AdminFailed as error:
        typer.echo(f"lacquer: {error}", err=True)
        raise typer.Exit(error.exit_code) from error


def _print(found: BaseModel | Sequence[BaseModel], json: bool, draw: Callable[[Any], RenderableType]) -> None:
    if json:
        _print_json(_plain(found))
        return
    from rich.console import Console

    from signaling import admin_tables

    Console().print(draw(admin_tables))


def _plain(found: BaseModel | Sequence[BaseModel]) -> Any:
    if isinstance(found, Sequence):
        return [each.model_dump(mode="json") for each in found]
    return found.model_dump(mode="json")


def _print_json(value: Any, indent: int | None = 2) -> None:
    import json

    typer.echo(json.dumps(value, indent=indent, ensure_ascii=False))
