"""A signaling process of its own, that tests kill and put on small disks."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.signaling.conftest import SECRET_KEY

ROOT = Path(__file__).parents[2]


@contextmanager
def signaling_process(
    folder: Path, worker_url: str, prefix: Sequence[str] = (), **settings: str
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """`lacquer signaling` with its data in the folder: its address, and the process. `prefix` is put before it."""
    environment = {
        "LACQUER_DATA_DIR": str(folder),
        "LACQUER_WORKER_URL": worker_url,
        "SECRET_KEY": SECRET_KEY,
        "LACQUER_PORT": "0",
        "LACQUER_HOST": "127.0.0.1",
        "PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
        "PYTHONPATH": ".",
        **settings,
    }
    command = [*prefix, sys.executable, "-m", "signaling.cli", "signaling"]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT
    )
    assert process.stdout
    try:
        said = []
        for line in process.stdout:
            said.append(line)
            if found := re.search(r"ready: (http://\S+)", line):
                break
        else:
            raise AssertionError("".join(said))
        yield found[1], process
    finally:
        process.kill()
        process.wait(10)
        process.stdout.close()
