"""How much memory is left before the kernel kills: that of the machine, or of the container where that has a limit.

A further stream takes 20 to 100 MB. Where they are not there, nobody new is taken in; the streams that are here go on.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import psutil
import structlog

log = structlog.get_logger(__name__)

INTERVAL = 1.0
GROUPS = Path("/sys/fs/cgroup")
MB = 2**20


@dataclass(frozen=True)
class Version:
    """Of Linux's control groups: what the files are called."""

    controller: str
    """That counts memory, as /proc/self/cgroup calls it; also the folder of its groups."""
    limit: str
    usage: str
    reclaimable: str
    """In memory.stat: cached files, which make room when asked."""


VERSIONS = (
    Version("", "memory.max", "memory.current", "inactive_file"),
    Version("memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)


def left_mb(groups: Path = GROUPS) -> float:
    """Reads files; not for an event loop."""
    left = [float(psutil.virtual_memory().available / MB)]
    for version in VERSIONS:
        own = PurePosixPath(_own_group(version.controller))
        for group in (own, *own.parents):
            found = _left_in_group(groups / version.controller / group, version)
            left += [] if found is None else [found]
    return min(left)


def _own_group(controller: str) -> str:
    """A container's is the root of all that it sees; a service's of systemd lies deeper."""
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, group = line.split(":", 2)
            if controller in controllers.split(","):
                return group.lstrip("/")
    return ""


def _left_in_group(group: Path, version: Version) -> float | None:
    """None where there is no such group, or no limit."""
    try:
        limit = int((group / version.limit).read_text())  # "max" is none
        usage = int((group / version.usage).read_text())
        statistics = (group / "memory.stat").read_text()
    except (OSError, ValueError):
        return None
    reclaimable = 0
    for line in statistics.splitlines():
        with suppress(ValueError):
            name, value = line.split()
            reclaimable = int(value) if name == version.reclaimable else reclaimable
    return (limit - usage + reclaimable) / MB


class MemoryWatch:
    """Knows whether less than `reserve_mb` is left; looks once a second. 0: never."""

    def __init__(self, reserve_mb: float = 0, groups: Path = GROUPS) -> None:
        self._reserve_mb, self._groups = reserve_mb, groups
        self.short = False

    async def measure(self) -> None:
        """For ever; run it as a task."""
        while self._reserve_mb:
            await self.look()
            await asyncio.sleep(INTERVAL)

    async def look(self) -> None:
        left = await asyncio.to_thread(left_mb, self._groups)
        short = left < self._reserve_mb
        if short != self.short:
            self.short = short
            say = log.error if short else log.info
            event = "memory is short: nobody new is taken in" if short else "memory is there again: people are taken in"
            say(event, left_mb=round(left), reserve_mb=self._reserve_mb)
