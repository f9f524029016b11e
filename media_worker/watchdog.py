"""A worker whose event loop stands still serves nobody and looks alive. A thread of its own watches the loop: it says
where a stall is, with the loop's stack, and where one does not end, it ends the process: its supervisor starts it anew.

While some C code holds Python's lock (a regular expression, say), no Python thread can look. Then `faulthandler`, which
watches from a thread without Python, ends the process: later, for it cannot tell a stall from a stopped process.
"""

from __future__ import annotations

import asyncio
import faulthandler
import os
import sys
import threading
import time
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog

log = structlog.get_logger(__name__)

END_AFTER = 5
"""A stall that lasts so many times the reported one ends the process."""

HARD_END_AFTER = 3 * END_AFTER
"""The same for a stall in which no Python code runs at all."""

EXIT_CODE = 70
"""EX_SOFTWARE of sysexits.h. `faulthandler` has no choice: 1."""

BEATS, LOOKS = 4, 8
"""In the time of a stall: beats of the loop, looks of the thread."""


class Watchdog:
    """`beat` on the loop, as often as you like; `watch` in a thread, until `stop`."""

    def __init__(self, stall: float, end: Callable[[int], None] = os._exit) -> None:
        """`stall`: seconds without a beat that are reported. Made in the loop's thread."""
        self._stall, self._end = stall, end
        self._loop_thread = threading.get_ident()
        self._last = time.monotonic()
        self._reported = False
        self._over = threading.Event()

    def beat(self) -> None:
        now = time.monotonic()
        if self._reported:
            self._reported = False
            log.warning("the event loop goes on", stalled_s=round(now - self._last, 1))
        self._last = now

    def stop(self) -> None:
        self._over.set()

    def watch(self) -> None:
        """Returns once stopped, or when it has ended the process."""
        interval = self._stall / LOOKS
        looked = time.monotonic()
        while not self._over.wait(interval):
            now = time.monotonic()
            if now - looked > 2 * interval + 0.1:
                # This thread was late itself: the process was stopped, or the machine is far too busy. The loop gets
                # all of its time anew.
                self._last = min(now, self._last + now - looked)
            looked = now
            if self._judge(now - self._last):
                return

    def _judge(self, silent: float) -> bool:
        """Whether this was the end."""
        if silent > END_AFTER * self._stall:
            log.critical("the event loop does not come back; this process ends", stalled_s=round(silent, 1))
            sys.stderr.flush()
            self._end(EXIT_CODE)
            return True
        if silent > self._stall and not self._reported:
            self._reported = True
            log.error("the event loop stands still", stalled_s=round(silent, 1), stack=self._stack())
        return False

    def _stack(self) -> str:
        frame = sys._current_frames().get(self._loop_thread)
        return "".join(traceback.format_stack(frame)) if frame else "no stack: the thread of the loop is gone"


@asynccontextmanager
async def watched(stall: float) -> AsyncIterator[None]:
    """The running loop is watched while the block runs; not at all where `stall` is 0."""
    if not stall:
        yield
        return
    dog = Watchdog(stall)
    thread = threading.Thread(target=dog.watch, name="watchdog", daemon=True)
    thread.start()
    beating = asyncio.create_task(_keep_beating(dog, stall), name="watchdog")
    try:
        yield
    finally:
        dog.stop()
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)
        await asyncio.to_thread(thread.join)


async def _keep_beating(dog: Watchdog, stall: float) -> None:
    try:
        while True:
            dog.beat()
            faulthandler.dump_traceback_later(HARD_END_AFTER * stall, exit=True)
            await asyncio.sleep(stall / BEATS)
    finally:
        faulthandler.cancel_dump_traceback_later()
