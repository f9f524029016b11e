"""One target, guided by coverage: atheris, which is libFuzzer for Python. Run by `campaign`."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["protocol", "aiortc.sdp", "media_worker.sdp"], enable_loader_override=False):
    from media_worker import sdp  # noqa: F401  # instrumented as it is imported first
    from protocol import framing, messages  # noqa: F401

from tests.fuzz.campaign import SEEDS, Watch, report
from tests.fuzz.targets import TARGETS, run

LARGEST = {"headers": 2048, "offers": 16_384}


def main() -> None:
    _, _, name, count = sys.argv
    watch = Watch(name, int(count), lambda data: run(TARGETS[name], data), guided=True)

    def one(data: bytes) -> None:
        watch.feed(data)
        if watch.outcome.tried >= int(count):
            report(watch.done())
            os._exit(0)  # libFuzzer would say more

    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder)
        for number, seed in enumerate(SEEDS[name]()):
            (corpus / str(number)).write_bytes(seed[: LARGEST[name]])
        flags = [f"-max_len={LARGEST[name]}", "-seed=1", "-rss_limit_mb=4096", "-timeout=20", "-verbosity=0"]
        atheris.Setup([sys.argv[0], *flags, folder], one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
