from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from protocol.checkup import Check, Finding, Outcome, Verdict, examine, failed, ok, warning, worst


def says(verdict: Verdict, name: str = "a") -> Check:
    async def look() -> Verdict:
        return verdict

    return Check(name, look)


async def test_verdicts_come_in_the_order_of_the_checks() -> None:
    seen: list[Sequence[str]] = []
    told: list[Finding] = []
    groups = [[says(ok("fine"), "a"), says(warning("odd", "look"), "b")], [says(failed("broken", "mend it"), "c")]]
    findings = await examine(groups, 5, begun=seen.append, found=told.append)
    assert [finding.check for finding in findings] == ["a", "b", "c"]
    assert told == findings
    assert seen == [["a", "b"], ["c"]]
    assert findings[2].verdict == Verdict(Outcome.FAILED, "broken", "mend it")


async def test_what_hangs_fails_after_its_time_and_says_what_to_do() -> None:
    async def hang() -> Verdict:
        await asyncio.sleep(60)
        raise AssertionError

    (finding,) = await examine([[Check("slow", hang, seconds=0.05, mend="open the firewall")]], 5)
    assert finding.verdict.outcome is Outcome.FAILED
    assert finding.verdict.mend == "open the firewall"


async def test_all_of_it_is_bounded() -> None:
    async def hang() -> Verdict:
        await asyncio.sleep(60)
        raise AssertionError

    began = time.monotonic()
    findings = await examine([[Check("slow", hang)], [Check("too late", hang)], [says(ok("quick"))]], 0.1)
    assert time.monotonic() - began < 2
    assert [finding.verdict.outcome for finding in findings[:2]] == [Outcome.FAILED, Outcome.FAILED]


async def test_a_group_is_looked_at_at_once() -> None:
    met = asyncio.Barrier(2)

    async def meet() -> Verdict:
        await met.wait()
        return ok("met")

    findings = await examine([[Check("a", meet, seconds=2), Check("b", meet, seconds=2)]], 5)
    assert worst(findings) is Outcome.OK


async def test_a_broken_check_does_not_take_the_others_along() -> None:
    async def broken() -> Verdict:
        raise ValueError("ours")

    findings = await examine([[Check("a", broken)], [says(ok("fine"), "b")]], 5)
    assert "ValueError: ours" in findings[0].verdict.said
    assert findings[1].verdict.outcome is Outcome.OK


def test_the_worst_counts() -> None:
    def of(*outcomes: Outcome) -> Outcome:
        return worst([Finding("x", Verdict(outcome, ""), 0) for outcome in outcomes])

    assert of() is Outcome.OK
    assert of(Outcome.OK, Outcome.WARNING) is Outcome.WARNING
    assert of(Outcome.FAILED, Outcome.WARNING, Outcome.OK) is Outcome.FAILED
