"""`lacquer db …`: the tables of the database, for operators. `lacquer serve` and `lacquer signaling` upgrade by
themselves when they start; this is for who wants to see to it before, or to look."""
# ruff: noqa: PLC0415  # as in `cli`: nothing is imported before it is needed

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import typer

Answer = TypeVar("Answer")

app = typer.Typer(no_args_is_help=True, help="The database's tables: upgrade them, or look at what they are.")


@app.command()
def upgrade() -> None:
    """Brings the database at LACQUER_DATABASE_URL to the newest revision. Make a backup first.

    Example: `DATABASE_URL=postgresql://lacquer@db/lacquer lacquer db upgrade`
    """
    from signaling import migrate

    before, now = _run(migrate.upgrade)
    typer.echo(f"up to date: {now}" if before == now else f"upgraded from {before or 'no tables'} to {now}")


@app.command()
def current() -> None:
    """Prints the database's revision, or `none`."""
    from signaling import migrate

    typer.echo(_run(migrate.current) or "none")


@app.command()
def check() -> None:
    """Exits with 0 where the database is as this Lacquer needs it; says what is not, and exits with 1."""
    from signaling import migrate

    now, newest = _run(migrate.current), migrate.newest()
    if now != newest:
        typer.echo(f"the database is at {now or 'no revision'}, not {newest}: run `lacquer db upgrade`", err=True)
        raise typer.Exit(1)
    if found := _run(migrate.differences):
        typer.echo("\n".join(["the tables were changed by hand:", *found]), err=True)
        raise typer.Exit(1)
    typer.echo(f"up to date: {now}")


def _run(command: Callable[[str], Coroutine[Any, Any, Answer]]) -> Answer:
    """The command's answer, of the database that the settings name. Raises DatabaseUnusable."""
    from protocol.errors import StoreUnavailable
    from signaling.database import DatabaseUnusable, explain, shown
    from signaling.settings import Settings

    url = Settings().async_database_url
    try:
        return asyncio.run(command(url))
    except StoreUnavailable as error:  # here nobody waits for it
        raise DatabaseUnusable(f"the database {shown(url)} does not answer: {explain(error.__cause__)}") from error
