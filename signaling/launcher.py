"""Child workers of `lacquer serve`: started, watched, started again when they die, stopped in the end.

A child takes a free port on loopback and says its URL on stdout; it holds the other end of a pipe to us, so that it
leaves even when we are killed. Several cores get several workers, because media in Python fills one core each.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import Callable, Sequence

import structlog

log = structlog.get_logger(__name__)

START_TIMEOUT = 60.0
"""Importing the vision libraries takes 2–4 s on a warm disk, far more on a cold one."""

STOP_TIMEOUT = 8.0
BACKOFF = (0.0, 1.0, 2.0, 5.0)
"""Seconds before a dead child is started again; the last one repeats. At first none: its guests see a still picture."""

CHATTER = re.compile(rb"[IW]\d{4} \d\d:\d\d:|INFO: Created TensorFlow Lite|WARNING: (Logging before|All log messages)")
"""Information and warnings as absl and TensorFlow Lite write them; errors and fatal ones pass."""

OWN = ("LACQUER_WORKER_ID", "LACQUER_WORKER_ADVERTISE", "LACQUER_REDIS_URL", "REDIS_URL")
"""Settings of a worker by itself: a child makes up its name, and is known to its parent alone."""

STABLE_AFTER = 30.0
"""A child that lived this long starts the backoff anew."""


class WorkerFailed(Exception):
    """A child did not come up; its own words are on stderr."""


class Launcher:
    """Keeps `count` workers running. `added` and `removed` hear each worker's URL as it comes and goes."""

    def __init__(
        self,
        count: int,
        secret: str,
        added: Callable[[str], None],
        removed: Callable[[str], None],
        ice_addresses: Sequence[str] = (),
    ) -> None:
        """`ice_addresses` are those that media is offered at; by default all of this machine's."""
        self._count = count
        self._environment = {
            # One thread per numeric library: streams are the parallelism. What the operator set wins.
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "LACQUER_ICE_ADDRESSES": json.dumps(list(ice_addresses)),
            **{name: value for name, value in os.environ.items() if name not in OWN},
            "LACQUER_DRAIN_SECONDS": "2",  # all leave together: nobody has a place to go to
            "LACQUER_WORKER_HOST": "127.0.0.1",
            "LACQUER_WORKER_PORT": "0",
            "LACQUER_WORKER_SECRET": secret,
        }
        self._added, self._removed = added, removed
        self._children: set[Child] = set()
        self._keepers: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Launcher:
        """Returns when every worker listens. Raises WorkerFailed when one does not come up."""
        started = await asyncio.gather(*(self._start() for _ in range(self._count)), return_exceptions=True)
        self._keepers = [asyncio.create_task(self._keep(child)) for child in started if isinstance(child, Child)]
        if failures := [child for child in started if isinstance(child, BaseException)]:
            await self.__aexit__()
            raise failures[0]
        return self

    async def __aexit__(self, *exception: object) -> None:
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        await asyncio.gather(*(self._stop(child) for child in list(self._children)))

    async def _start(self) -> Child:
        child = await Child.start(self._environment)
        log.info("worker started", url=child.url, pid=child.pid)
        self._children.add(child)
        self._added(child.url)
        return child

    async def _stop(self, child: Child) -> None:
        self._forget(child)
        await child.stop()

    def _forget(self, child: Child) -> None:
        self._children.discard(child)
        self._removed(child.url)

    async def _keep(self, child: Child) -> None:
        """Starts a new child whenever the last one died, for ever."""
        failures = 0
        while True:
            lived = await child.wait()
            log.error("worker died", url=child.url, code=child.returncode, lived_s=round(lived, 1))
            self._forget(child)
            failures = 0 if lived > STABLE_AFTER else failures
            child = await self._start_again(failures)
            failures += 1

    async def _start_again(self, failures: int) -> Child:
        """The next child, after a pause that grows with every failure in a row."""
        while True:
            await asyncio.sleep(BACKOFF[min(failures, len(BACKOFF) - 1)])
            try:
                return await self._start()
            except WorkerFailed as error:
                log.error("worker did not start again", error=str(error))
                failures += 1


class Child:
    """One worker process."""

    def __init__(self, process: asyncio.subprocess.Process, url: str, relay: asyncio.Task[None]) -> None:
        self._process = process
        self._relay = relay
        self._started = asyncio.get_running_loop().time()
        self.url = url

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.returncode

    @classmethod
    async def start(cls, environment: dict[str, str]) -> Child:
        """Raises WorkerFailed where the child leaves, or says nothing for START_TIMEOUT."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "media_worker"),
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is ours to handle: we stop the children in good order
        )
        assert process.stdout is not None and process.stderr is not None
        relay = asyncio.create_task(_relay(process.stderr))
        try:
            async with asyncio.timeout(START_TIMEOUT):
                line = await process.stdout.readline()
            if not line:
                raise WorkerFailed(f"a media worker left with exit code {await process.wait()}")
            return cls(process, json.loads(line)["url"], relay)
        except TimeoutError:
            raise WorkerFailed(f"a media worker said nothing for {START_TIMEOUT:.0f} s") from None
        finally:
            if sys.exception() is not None:
                if process.returncode is None:
                    process.kill()
                await process.wait()
                await relay

    async def wait(self) -> float:
        """Seconds that the child lived, once it is dead and its last words are told."""
        await self._process.wait()
        await self._relay
        return asyncio.get_running_loop().time() - self._started

    async def stop(self) -> None:
        """Asks it to drain and leave; kills it after STOP_TIMEOUT."""
        if self._process.returncode is None:
            self._process.terminate()
        try:
            async with asyncio.timeout(STOP_TIMEOUT):
                await self._process.wait()
        except TimeoutError:
            log.error("worker did not leave in time and is killed", url=self.url)
            self._process.kill()
            await self._process.wait()
        await asyncio.gather(self._relay, return_exceptions=True)


async def _relay(stderr: asyncio.StreamReader) -> None:
    """Passes on what a child says, except for the chatter of MediaPipe's native libraries: a dozen lines for every
    session, which no environment variable turns off."""
    while True:
        try:
            line = await stderr.readline()
        except ValueError:  # longer than the reader's limit of 64 KiB, and dropped by it
            continue
        if not line:
            return
        if not CHATTER.match(line):
            sys.stderr.buffer.write(line)
            sys.stderr.buffer.flush()
