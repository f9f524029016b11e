"""A lock that one who never gives it back cannot keep from all others."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE = 1.0
"""Seconds that one waits for its turn: longer than another one waits for a model (`vision/patience.py`)."""


class Turn:
    """One at a time, as long as each is quick."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Held while the block runs, or without it after PATIENCE; the next ones take turns by a new lock."""
        lock = self._lock
        held = lock.acquire(timeout=PATIENCE)
        if not held and self._lock is lock:
            self._lock = threading.Lock()
        try:
            yield
        finally:
            if held:
                lock.release()
