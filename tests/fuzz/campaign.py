"""The long fuzzers, one after the other, and a table of what came of them: `make fuzz`.

    python -m tests.fuzz.campaign [--scale 0.01] [--only headers,rest]

Offers and headers are guided by coverage (atheris), where it is installed; the rest is mutated from seeds. A find is
written to a file, which the table names.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import importlib.util
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from tests.fuzz import seeds

PACKETS = [
    bytes.fromhex("000100382112a442") + bytes(12) + b"\x00\x06\x00\x09name:pwd1\0\0\0\x00\x24\x00\x04\x6e\x00\x01\xff",
    b"\x90\xe3" + bytes(10) + b"\xbe\xde\x00\x01\x32abc" + b"\x10\x00\x9d\x01\x2a" + bytes(20),
    b"\x80\x63" + bytes(10) + bytes([24, 0, 2, 0x67, 66, 0, 2, 0x68, 1]),
    b"\x80\x63" + bytes(10) + bytes([0x7C, 0x85, 0x88, 1]),
    b"\x81\xc9\x00\x07" + bytes(28),
]

SEEDS: dict[str, Callable[[], list[bytes]]] = {
    "headers": seeds.headers,
    "texts": seeds.texts,
    "offers": seeds.offers,
    "fragments": lambda: [seeds.FRAGMENT.encode(), *seeds.offers()],
    "pictures": seeds.pictures,
    "packets": lambda: [seed[:1200] for seed in (*seeds.headers(), *seeds.pictures())] + PACKETS,
}

FULL = {"headers": 1_000_000, "texts": 300_000, "offers": 50_000, "fragments": 50_000, "pictures": 20_000} | {
    "packets": 500_000,
    "answers": 1_000,
    "rest": 10_000,
}
"""How many of each at scale 1."""

GUIDED = ("headers", "offers")
HANG = 1.0
WARM = 0.2
"""Share of a run after which memory is taken for the first time: caches are full by then."""

MAX_GROWTH_MB = 32.0
KEPT = Path(tempfile.gettempdir()) / "lacquer-fuzz"


@dataclass
class Outcome:
    name: str
    guided: bool = False
    tried: int = 0
    accepted: int = 0
    seconds: float = 0.0
    slowest_ms: float = 0.0
    growth_mb: float = 0.0
    finds: int = 0
    where: str = ""
    """Files with the inputs that were found."""

    @property
    def clean(self) -> bool:
        return not self.finds and self.slowest_ms < HANG * 1000 and self.growth_mb < MAX_GROWTH_MB


class Watch:
    """Runs one input after the other, and keeps what is told of them."""

    def __init__(
        self,
        name: str,
        count: int,
        job: Callable[[bytes], bool],
        *,
        guided: bool = False,
        clock: Callable[[], float] = time.process_time,
        process: psutil.Process | None = None,
    ) -> None:
        """`clock` is what slowness is told by: processor time, unless others do the work, for machines may be busy;
        `process` is whose memory is watched, by default our own."""
        self.outcome = Outcome(name, guided)
        self._count, self._job, self._clock = count, job, clock
        self._began, self._memory = time.monotonic(), 0.0
        self._process = process or psutil.Process()

    def feed(self, data: bytes) -> None:
        outcome = self.outcome
        try:
            accepted, took = self._timed(data)
            if took > HANG * 1000:  # once more: another program may have had the machine
                took = min(took, self._timed(data)[1])
        except Exception as error:
            accepted, took = False, 0.0
            self.keep(data, repr(error))
        outcome.accepted += accepted
        if took > outcome.slowest_ms:
            outcome.slowest_ms = took
            if took > HANG * 1000:
                self.keep(data, f"{took:.0f} ms")
        outcome.tried += 1
        if outcome.tried == max(int(self._count * WARM), 1):
            self._memory = self._resident()

    def _timed(self, data: bytes) -> tuple[bool, float]:
        """Whether it was accepted, and ms."""
        started = self._clock()
        return self._job(data), (self._clock() - started) * 1000

    def keep(self, data: bytes, why: str) -> None:
        self.outcome.finds += 1
        KEPT.mkdir(exist_ok=True)
        file = KEPT / f"{self.outcome.name}-{hashlib.sha256(data).hexdigest()[:12]}"
        file.write_bytes(data)
        if self.outcome.finds <= 3:
            self.outcome.where += f"{file} ({why[:80]}) "

    def done(self) -> Outcome:
        self.outcome.seconds = time.monotonic() - self._began
        self.outcome.growth_mb = self._resident() - self._memory
        return self.outcome

    def _resident(self) -> float:
        gc.collect()
        resident: float = self._process.memory_info().rss / 2**20
        return resident


def mutate(name: str, count: int) -> Outcome:
    """Seeds, changed at random, with the same chance each time."""
    from tests.fuzz.targets import TARGETS, run  # noqa: PLC0415  # loads vision, in the process that needs it

    chance, known = random.Random(name), SEEDS[name]()
    watch = Watch(name, count, lambda data: run(TARGETS[name], data))
    for number in range(count):
        change = seeds.mutated_lines if name in ("offers", "fragments") and number % 2 else seeds.mutated
        watch.feed(known[number] if number < len(known) else change(chance.choice(known), chance))
    return watch.done()


def child(name: str, count: int) -> Outcome:
    """In a process of its own: memory is its own, and libFuzzer never returns."""
    guided = name in GUIDED and importlib.util.find_spec("atheris") is not None
    module = {"rest": "rest", "answers": "answers"}.get(name, "guided" if guided else "campaign")
    arguments = [sys.executable, "-m", f"tests.fuzz.{module}", "--child", name, str(count)]
    done = subprocess.run(arguments, stdout=subprocess.PIPE, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith('{"name"')]
    if not lines:
        return Outcome(name, guided, finds=1, where=f"the process ended with {done.returncode}")
    return Outcome(**json.loads(lines[-1]))


def report(outcome: Outcome) -> None:
    """For the parent."""
    print(json.dumps(asdict(outcome)), flush=True)


def table(outcomes: list[Outcome]) -> Table:
    made = Table("what", "by", "tried", "accepted", "a second", "slowest", "memory", "finds")
    for each in outcomes:
        made.add_row(
            each.name,
            "coverage" if each.guided else "schema" if each.name == "rest" else "mutation",
            f"{each.tried:,}",
            f"{each.accepted:,}",
            f"{each.tried / max(each.seconds, 1e-3):,.0f}",
            f"{each.slowest_ms:,.0f} ms",
            f"{each.growth_mb:+.1f} MB",
            f"{each.finds} {each.where}".strip(),
        )
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="1 is the full size")
    parser.add_argument("--only", default=",".join(FULL), help="some of them, by name")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        return report(mutate(options.child[0], int(options.child[1])))
    outcomes = []
    for name in options.only.split(","):
        outcomes.append(child(name, max(int(FULL[name] * options.scale), 10)))
        Console(stderr=True).print(table(outcomes[-1:]))
    Console(width=140).print(table(outcomes))
    sys.exit(not all(outcome.clean for outcome in outcomes))


if __name__ == "__main__":
    main()
