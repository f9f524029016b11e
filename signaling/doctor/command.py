"""`lacquer doctor`, put together and shown: a line for each check, for people or as JSON."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import secrets
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Any, Protocol

from pydantic_settings import BaseSettings
from rich.console import Console
from rich.text import Text

from protocol import logs
from protocol.api import IceServer
from protocol.checkup import Check, Finding, Groups, Outcome, Part, Verdict, examine, failed, ok, worst
from signaling import turn
from signaling.doctor import configuration, machine, storage, tls
from signaling.doctor.redis_server import redis_server
from signaling.settings import Settings

WITHIN = 25.0
"""Seconds for all checks; what the last one started has 4 more to leave."""

THREADS = "doctor-"

LINGER = 0.5
"""For threads that are about to end."""

STYLE = {Outcome.OK: "green", Outcome.WARNING: "yellow", Outcome.FAILED: "bold red"}


class Media(Protocol):
    """What the media worker's side brings along, where it is installed."""

    def settings(self) -> type[BaseSettings]: ...
    def beside(self, settings: BaseSettings, servers: Sequence[IceServer]) -> list[Check]:
        """Those that may go on at once."""
        ...

    def alone(self, settings: BaseSettings, url: str | None, part: Part) -> Groups:
        """Those that measure, one after the other. `url` is of a server to stream through."""
        ...


def run(
    media: Callable[[], Media | ImportError],
    *,
    part: Part,
    url: str | None,
    quick: bool,
    as_json: bool,
    began: float,
) -> bool:
    """Whether nothing failed. `began` is when the command did, by `time.monotonic`: imports take seconds, too."""
    console = Console()
    with _progress(as_json) as begun, _silent_logs():
        groups = plan(media(), part=part, url=url, quick=quick)
        left = began + WITHIN - time.monotonic()
        found: Callable[[Finding], None] = (lambda finding: None) if as_json else partial(_show, console)
        findings = asyncio.run(_impatiently(examine(groups, left, begun=begun, found=found)))
    seconds = time.monotonic() - began
    if as_json:
        print(json.dumps(as_dict(findings, seconds), ensure_ascii=False))
    else:
        console.print(summary(findings, seconds))
    return worst(findings) is not Outcome.FAILED


class _Impatient(ThreadPoolExecutor):
    """A name that DNS does not answer for keeps a thread for half a minute; asyncio would wait for it in the end."""

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        super().shutdown(wait=False, cancel_futures=True)


async def _impatiently(work: Coroutine[Any, Any, list[Finding]]) -> list[Finding]:
    asyncio.get_running_loop().set_default_executor(_Impatient(thread_name_prefix=THREADS))
    return await work


def leave(code: int) -> None:
    """Ends the process where such a thread would hold it up; else returns. All has been said."""
    deadline = time.monotonic() + LINGER
    for thread in threading.enumerate():
        if thread.name.startswith(THREADS):
            thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)


def plan(
    media: Media | ImportError, *, part: Part = Part.ALL, url: str | None = None, quick: bool = False
) -> list[list[Check]]:
    settings, verdict = configuration.read(Settings)
    first = [] if part is Part.WORKER else [_said("settings: signaling", verdict)]
    beside = [] if part is Part.WORKER else _signaling(settings)
    if part is Part.SIGNALING:
        return [first, beside]
    if isinstance(media, ImportError):
        return [[*first, _said("media worker", _missing(media))], beside]
    worker, verdict = configuration.read(media.settings())
    first.append(_said("settings: worker", verdict))
    if worker is None:
        return [first, beside]
    beside += media.beside(worker, _servers(settings, worker))
    return [first, beside, *([] if quick else [list(group) for group in media.alone(worker, url, part)])]


def _missing(error: ImportError) -> Verdict:
    if isinstance(error, ModuleNotFoundError):
        return ok(f"not installed here, so this is signaling alone (there is no {error.name})")
    return failed(f"it cannot be loaded: {error}", "install what is missing; deploy/debian-packages.sh names it")


def _signaling(settings: BaseSettings | None) -> list[Check]:
    if not isinstance(settings, Settings):
        return []
    checks = [
        Check("http port", partial(machine.http_port, settings)),
        *storage.checks(settings),
        Check("disk", partial(machine.disk, settings.data_dir)),
        Check("clock", machine.clock),
        Check("public url", partial(tls.certificate, settings.public_url), mend="start the TLS proxy; open its port"),
    ]
    if settings.redis_url:
        checks.append(Check("redis", partial(redis_server, settings.redis_url), mend="see that it runs"))
    return checks


def _servers(settings: BaseSettings | None, worker: BaseSettings) -> list[IceServer]:
    """All that browsers and workers are told to use, each URL once."""
    name = f"doctor-{secrets.token_hex(4)}"
    told = turn.ice_servers(settings, name, time.time()) if isinstance(settings, Settings) else []
    known = {url for server in told for url in server.urls}
    own = [server for server in getattr(worker, "ice_servers", []) if not known.issuperset(server.urls)]
    return [*told, *own]


def _said(name: str, verdict: Verdict) -> Check:
    async def look() -> Verdict:
        return verdict

    return Check(name, look)


# --- shown -----------------------------------------------------------------------------------------------------------
@contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[Sequence[str]], None]]:
    """What is looked at now, on stderr, and only for people."""
    console = Console(stderr=True)
    shown: AbstractContextManager[Any] = (
        console.status("looking …") if sys.stderr.isatty() and not quiet else nullcontext()
    )
    with shown as status:
        yield lambda names: status.update(f"{', '.join(names)} …") if status else None


@contextmanager
def _silent_logs() -> Iterator[None]:
    """Verdicts say all that is to be said."""
    logs.configure("console")
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def _show(console: Console, finding: Finding) -> None:
    console.print(line(finding), soft_wrap=True)


def line(finding: Finding) -> Text:
    """`ok       redis: …`; where something is to be done, what."""
    verdict = finding.verdict
    text = Text.assemble((f"{verdict.outcome:8}", STYLE[verdict.outcome]), (finding.check, "bold"), ": ", verdict.said)
    return text.append(f" → {verdict.mend}") if verdict.mend else text


def summary(findings: Sequence[Finding], seconds: float) -> str:
    count = {outcome: sum(finding.verdict.outcome is outcome for finding in findings) for outcome in Outcome}
    told = ", ".join(f"{number} {outcome}" for outcome, number in count.items() if number)
    return f"{told}, in {seconds:.0f} s"


def as_dict(findings: Sequence[Finding], seconds: float) -> dict[str, Any]:
    checks = [
        {
            "check": finding.check,
            "outcome": finding.verdict.outcome,
            "said": finding.verdict.said,
            "mend": finding.verdict.mend or None,
            "seconds": round(finding.seconds, 3),
        }
        for finding in findings
    ]
    return {"outcome": worst(findings), "seconds": round(seconds, 1), "checks": checks}
