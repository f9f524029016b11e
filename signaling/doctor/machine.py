"""What signaling needs of its machine: a port, room on the disk, and the time."""

from __future__ import annotations

import asyncio
import ctypes
import shutil
import time
from pathlib import Path

import aiohttp

import protocol
from protocol.api import Health
from protocol.checkup import Verdict, failed, ok, warning
from signaling.embedded import PortTaken, listen
from signaling.settings import Settings

ANSWERS_WITHIN = 2.0
"""Seconds that a Lacquer has to say that it holds the port."""

LITTLE_ROOM, NO_ROOM = 2 << 30, 256 << 20
"""Bytes: a result is some 100 kB, so 2 GB are 20,000 of them."""

_STA_UNSYNC, _ADJTIMEX_SIZE, _STATUS_AT = 0x40, 512, 10
"""<sys/timex.h> on Linux with 64 bits: `status` is the eleventh int of the struct, which has 208 bytes."""

DAY = 86400.0


async def http_port(settings: Settings) -> Verdict:
    try:
        listen(settings.host, settings.port).close()
    except PortTaken:
        return await _taken(settings)
    except OSError as error:
        return failed(str(error), "choose another LACQUER_HOST or LACQUER_PORT (under 1024 only root may)")
    return ok(f"{settings.host} port {settings.port} is free")


async def _taken(settings: Settings) -> Verdict:
    """By a Lacquer that runs, as it should; or by something else."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)
    url = f"http://{f'[{host}]' if ':' in host else host}:{settings.port}/healthz"
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWERS_WITHIN)) as http,
            http.get(url) as response,
        ):
            health = Health.model_validate_json(await response.read())
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return failed(f"port {settings.port} is taken by another program", "stop it, or choose another LACQUER_PORT")
    return ok(f"port {settings.port} is held by a Lacquer that runs, version {health.version}")


async def disk(folder: Path) -> Verdict:
    """Of the data folder, or of the nearest one above it that is there."""
    return await asyncio.to_thread(_disk, folder)


def _disk(folder: Path) -> Verdict:
    there = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
    try:
        usage = shutil.disk_usage(there)
    except OSError as error:
        return failed(f"{there}: {error.strerror}", "mend the folder's rights, or set LACQUER_DATA_DIR")
    said = f"{usage.free / 2**30:.1f} of {usage.total / 2**30:.0f} GB are free at {folder}"
    if usage.free < NO_ROOM:
        return failed(said, "free space: nothing could be saved")
    if usage.free < LITTLE_ROOM:
        return warning(said, "free space, or shorten how long results are kept")
    return ok(said)


async def clock() -> Verdict:
    return judge_clock(time.time(), await asyncio.to_thread(_built), synchronised())


def judge_clock(now: float, built: float, synced: bool | None) -> Verdict:
    """`built` is when this Lacquer was put here: no clock may be before that."""
    told = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now))
    if now < built - DAY:
        return failed(f"it is {told} here, before this Lacquer was installed", "set the clock: tokens and TLS go by it")
    if synced is False:
        return warning(f"it is {told} here, and nothing keeps the clock in step", "run NTP (chrony, systemd-timesyncd)")
    return ok(f"it is {told} here" + (", kept in step" if synced else ""))


def _built() -> float:
    return Path(protocol.__file__).stat().st_mtime


def synchronised() -> bool | None:
    """Whether the kernel's clock is kept in step with others (adjtimex(2)); None where that is not told."""
    try:
        timex = (ctypes.c_int * (_ADJTIMEX_SIZE // 4))()  # all zero: only asks
        if ctypes.CDLL(None).adjtimex(ctypes.byref(timex)) < 0:
            return None
    except (AttributeError, OSError):  # not Linux
        return None
    return not timex[_STATUS_AT] & _STA_UNSYNC
