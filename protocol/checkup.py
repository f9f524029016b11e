"""What `lacquer doctor` is made of: checks that each say how something is, one after the other or beside each other, in
bounded time. Knows nothing of what is checked.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


class Part(StrEnum):
    """What runs here, where that is not everything."""

    ALL = "all"
    SIGNALING = "signaling"
    WORKER = "worker"


@dataclass(frozen=True)
class Verdict:
    """How it is, in words for the operator; and what to do, where something is to be done."""

    outcome: Outcome
    said: str
    mend: str = ""


def ok(said: str) -> Verdict:
    return Verdict(Outcome.OK, said)


def warning(said: str, mend: str) -> Verdict:
    return Verdict(Outcome.WARNING, said, mend)


def failed(said: str, mend: str) -> Verdict:
    return Verdict(Outcome.FAILED, said, mend)


@dataclass(frozen=True)
class Finding:
    """A check's verdict."""

    check: str
    verdict: Verdict
    seconds: float


@dataclass(frozen=True)
class Check:
    """`look` raises for nothing that an operator can mend; what it raises is a fault of the check itself."""

    name: str
    look: Callable[[], Awaitable[Verdict]]
    seconds: float = 5.0
    """How long it may take."""
    mend: str = "find out what hangs there"
    """What to do where it took longer."""


Groups = Sequence[Sequence[Check]]
"""Groups come one after the other; the checks of one go on at once, and so must not measure time."""


async def examine(
    groups: Groups,
    within: float,
    *,
    begun: Callable[[Sequence[str]], None] = lambda names: None,
    found: Callable[[Finding], None] = lambda finding: None,
) -> list[Finding]:
    """All verdicts, in order, within so many seconds. `begun` hears what is looked at now, `found` each verdict."""
    deadline = time.monotonic() + within
    findings: list[Finding] = []
    for group in groups:
        begun([check.name for check in group])
        of_group = await asyncio.gather(*(_examine(check, deadline) for check in group))
        for finding in of_group:
            found(finding)
        findings += of_group
    return findings


async def _examine(check: Check, deadline: float) -> Finding:
    began = time.monotonic()
    bound = max(0.0, min(check.seconds, deadline - began))
    try:
        async with asyncio.timeout(bound):
            verdict = await check.look()
    except TimeoutError:
        verdict = failed(f"no answer within {bound:.0f} s", check.mend)
    except Exception as error:  # one broken check must not keep the verdicts of all others back
        verdict = failed(f"the check itself failed: {type(error).__name__}: {error}", "please report this")
    return Finding(check.name, verdict, time.monotonic() - began)


def worst(findings: Sequence[Finding]) -> Outcome:
    outcomes = {finding.verdict.outcome for finding in findings}
    return next((outcome for outcome in (Outcome.FAILED, Outcome.WARNING) if outcome in outcomes), Outcome.OK)
