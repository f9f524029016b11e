"""Threads of this process that were given up on and still hang. Python cannot end a thread; a process that collects
them must be started anew."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Hangs:
    """Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hanging: list[Callable[[], bool]] = []

    def add(self, hangs: Callable[[], bool]) -> None:
        """A thread was given up on; `hangs` tells whether it still has not come back."""
        with self._lock:
            self._hanging.append(hangs)

    def count(self) -> int:
        """Those that have not come back by now; the others are forgotten."""
        with self._lock:
            self._hanging = [hangs for hangs in self._hanging if hangs()]
            return len(self._hanging)


HANGS = Hangs()
"""Of this process."""
