"""A control group with a limit of memory, of the kernel's own; and processes that take memory in it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from media_worker.memory_left import GROUPS, MB, VERSIONS


@dataclass
class Group:
    folder: Path

    def enter(self) -> list[str]:
        """Put before a command, this runs it in the group."""
        return ["sh", "-c", f'echo $$ > {self.folder}/cgroup.procs; exec "$@"', "-"]

    def inflate(self, megabytes: int) -> subprocess.Popen[bytes]:
        """A process that has taken so much."""
        program = f"import sys; taken = b'x' * {megabytes * MB}; print(flush=True); sys.stdin.read()"
        command = [*self.enter(), sys.executable, "-c", program]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdout and process.stdout.readline(), "the kernel killed it"
        return process


def deflate(process: subprocess.Popen[bytes]) -> None:
    process.communicate(timeout=10)


@contextmanager
def memory_group(limit_mb: int) -> Iterator[Group]:
    """Skips the test, with the reason, where this machine does not let us make one."""
    for version in VERSIONS:
        folder = GROUPS / version.controller / f"lacquer-test-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        with suppress(OSError):
            folder.mkdir()
            if (folder / version.limit).exists():
                break
            folder.rmdir()
    else:
        pytest.skip("needs to make control groups that limit memory: be root, with /sys/fs/cgroup writable")
    try:
        (folder / version.limit).write_text(str(limit_mb * MB))
        yield Group(folder)
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
    """A group goes when its processes are gone, which takes the kernel a moment."""
    deadline = time.monotonic() + 10
    while True:
        try:
            folder.rmdir()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
