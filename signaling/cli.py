"""The `lacquer` command: the only module that knows both signaling and the media worker.

Commands import what they need when they run, so that `--help` is instant and `signaling` never loads vision.
"""
# ruff: noqa: PLC0415  # see above

from __future__ import annotations

import asyncio
import os
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError

from protocol import logs
from protocol.weak_secrets import HOW_TO_MAKE_ONE, weakness
from signaling import admin_cli
from signaling.database_cli import app as database_app

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails
    from pydantic_settings import BaseSettings

    from signaling.doctor.command import Media
    from signaling.settings import Settings

S = TypeVar("S")

SECRET_ENDINGS = ("_key", "_secret", "_token")
"""Of settings that are nobody's business."""

MIN_KEY_BYTES = 32
"""RFC 7518 §3.2, as in `auth`, which this module does not import: `--help` is instant."""

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="""Lacquer: real-time nail try-on. A hand in the camera, any polish on its nails.

Start with `lacquer serve`, then open the address that it prints.""",
)

app.add_typer(admin_cli.app, name="admin")
app.add_typer(database_app, name="db")

Port = Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.  [default: 8000]")]
Designs = Annotated[
    Path | None, typer.Option(help="Folder of your own designs: photos of manicures, TOML and JSON files.")
]
Host = Annotated[str | None, typer.Option(help="Address to listen on; 127.0.0.1 keeps everybody else out.")]


@app.command()
def serve(
    port: Annotated[
        int | None, typer.Option(help="Port to listen on; 0 takes a free one.  [default: 8000; with --lan 8443]")
    ] = None,
    host: Host = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=64, help="Media worker processes.  [default: one a core]")
    ] = None,
    designs: Designs = None,
    lan: Annotated[
        bool,
        typer.Option(
            "--lan", help="Also for phones in the same network: HTTPS, a certificate made here, and a QR code."
        ),
    ] = False,
) -> None:
    """Everything on one machine: page, REST, WebSocket and media workers.

    Sessions live in SQLite and pictures in a folder, both under LACQUER_DATA_DIR; nothing else is needed.

    With `--lan`, scan the QR code that it prints. Phones give cameras to HTTPS pages alone, so it listens with HTTPS
    on --port (8443 by default), for everybody in the network; this machine's own browsers open http://localhost:8000.
    Where the machine has several addresses, `--host` chooses one.

    Example: `lacquer serve --port 9000 --designs my-manicures`

    Example: `lacquer serve --lan`
    """
    from media_worker.settings import WorkerSettings
    from media_worker.vision import models
    from signaling.embedded import serve_embedded
    from signaling.lan import plan
    from signaling.settings import Settings

    settings = _settings(Settings, {"port": port, "host": host, "designs_dir": designs})
    _refuse_weak_secrets(settings)
    _settings(WorkerSettings, {})  # what the children will read: told here, once and in one line
    models.find()
    _configure_logs(settings)
    count = workers or os.cpu_count() or 1
    secret = settings.worker_secret or secrets.token_urlsafe(24)
    network = plan(settings) if lan else None
    asyncio.run(serve_embedded(settings.model_copy(update={"worker_secret": secret}), count, network))


@app.command()
def signaling(port: Port = None, host: Host = None, designs: Designs = None) -> None:
    """Only the page, REST and WebSocket; media goes to workers that are found in Redis, or named by their URLs.

    Any number of these may run beside each other with the same REDIS_URL, DATABASE_URL and SECRET_KEY.

    Example: `REDIS_URL=redis://10.0.0.2:6379/0 lacquer signaling`

    Example: `AI_TRYON_SERVICE_URL=http://10.0.0.5:8001,http://10.0.0.6:8001 lacquer signaling`
    """
    from signaling.embedded import serve_signaling
    from signaling.settings import Settings

    settings = _settings(Settings, {"port": port, "host": host, "designs_dir": designs})
    _refuse_weak_secrets(settings)
    _configure_logs(settings)
    asyncio.run(serve_signaling(settings))


@app.command()
def worker(
    port: Annotated[int | None, typer.Option(help="Port of the internal API.  [default: 8001]")] = None,
    host: Annotated[
        str | None, typer.Option(help="Its address; keep it off the internet.  [default: 127.0.0.1]")
    ] = None,
) -> None:
    """Only a media worker: takes video, finds hands and nails, sends the painted video back.

    Any number may run, on any machines; with REDIS_URL, every signaling process finds them. SIGTERM drains it: clients
    go to other workers within LACQUER_DRAIN_SECONDS, then it leaves; once more, and it leaves at once.

    Example: `REDIS_URL=redis://10.0.0.2:6379/0 LACQUER_WORKER_SECRET=… lacquer worker --host 0.0.0.0`
    """
    from media_worker.registration import NoAddress
    from media_worker.settings import WorkerSettings
    from media_worker.worker import run

    settings = _settings(WorkerSettings, {"worker_port": port, "worker_host": host})
    _refuse_weak_secrets(settings)
    logs.configure(settings.log_format, settings.log_level, addresses=settings.log_addresses)
    try:
        run(settings, lambda url: typer.echo(f"Media worker listens at {url}", err=True))
    except NoAddress as error:
        _fail(str(error))


@app.command()
def settings() -> None:
    """Every setting with its default, explained: a file to edit, for containers and services.

    Example: `lacquer settings > settings.env`
    """
    from media_worker.settings import WorkerSettings
    from signaling.settings import Settings
    from signaling.settings_file import settings_file

    typer.echo(settings_file(Settings, WorkerSettings), nl=False)


@app.command()
def doctor(
    url: Annotated[
        str | None, typer.Option("--url", help="Stream through this Lacquer, which runs; else one is started for that.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Without measuring speed and without a stream.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable, on stdout.")] = False,
) -> None:
    """Is this installation well? One line for each check, and what to do where something is not.

    Looks at the settings in the environment and at all that they name: ports, database, pictures, Redis, STUN and TURN
    servers (a relay is opened, and tried), certificate, clock and disk, hand model and networks. Then it measures
    vision on this processor, and sends the drawn hand through a Lacquer, to see whether it comes back painted.

    `ok` needs nothing. `warning` works, though not for many or not for long. `failed` does not work: exit code 1.
    It takes thirty seconds at most. Run it where Lacquer runs, as the same user and with the same environment.

    Example: `lacquer doctor`, or, for a server that runs: `lacquer doctor --url https://nails.example`

    Example: `lacquer doctor --quick --json | jq '.checks[] | select(.outcome != "ok")'`
    """
    from signaling.doctor import command

    if not command.run(_media_checks(), url=url, quick=quick, as_json=as_json):
        raise typer.Exit(1)


def _media_checks() -> Media | ImportError:
    """An error where signaling alone is installed, as in its container, or a library of the system is missing."""
    try:
        from media_worker.doctor import plan
    except ImportError as error:
        return error
    return plan


def _settings(kind: type[S], options: dict[str, object]) -> S:
    return kind(**{name: value for name, value in options.items() if value is not None})


class WeakSecret(Exception):
    """A secret that everybody knows, or could guess."""


def _refuse_weak_secrets(settings: BaseSettings) -> None:
    """What was set to protect something, and would not. What was not set is made up, or off. Raises WeakSecret."""
    if getattr(settings, "debug", False):
        return
    for name in type(settings).model_fields:
        secret = getattr(settings, name)
        if not name.endswith(SECRET_ENDINGS) or not isinstance(secret, str):
            continue
        if problem := weakness(secret, MIN_KEY_BYTES if name == "secret_key" else 0):
            raise WeakSecret(f"LACQUER_{name.upper()} {problem}; make one with: {HOW_TO_MAKE_ONE}")


def _configure_logs(settings: Settings) -> None:
    level: logs.LogLevel = "DEBUG" if settings.debug else settings.log_level
    logs.configure(settings.log_format, level, addresses=settings.log_addresses)


def main() -> None:
    """Entry point: every expected failure is one line on stderr and an exit code that is not 0."""
    from media_worker.cli import app as vision
    from protocol.errors import LacquerError
    from signaling.launcher import WorkerFailed

    app.registered_commands += vision.registered_commands
    app.registered_groups += vision.registered_groups
    try:
        app()
    except ValidationError as error:
        _fail("; ".join(_setting_problem(problem) for problem in error.errors()))
    except (LacquerError, SettingsError, WeakSecret, WorkerFailed, OSError) as error:
        _fail(str(error))


def _fail(message: str) -> NoReturn:
    typer.echo(f"lacquer: {message}", err=True)
    sys.exit(1)


def _setting_problem(problem: ErrorDetails) -> str:
    """`LACQUER_PORT: Input should be a valid integer (got 'eight')`. What is secret is not shown."""
    name = str(problem["loc"][0]) if problem["loc"] else "settings"
    variable = name if name.isupper() else f"LACQUER_{name.upper()}"
    secret = variable.endswith("REDIS_URL") or variable.lower().endswith(SECRET_ENDINGS)
    given = str(problem["input"]) if isinstance(problem["input"], Path) else problem["input"]
    return f"{variable}: {problem['msg']}" + ("" if secret else f" (got {given!r:.60})")


if __name__ == "__main__":
    main()
