"""How fast others may go: a bucket of tokens that fills by itself. Pure; tests turn its clock."""

from __future__ import annotations

import time
from collections.abc import Callable


class Allowance:
    """`rate` a second in the long run, `burst` at once."""

    __slots__ = ("_at", "_burst", "_clock", "_left", "_rate")

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._left, self._at = burst, clock()

    def take(self, amount: float = 1.0) -> bool:
        """Whether `amount` is allowed now; what is not allowed costs nothing."""
        now = self._clock()
        left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        if left < amount:
            self._left = left
            return False
        self._left = left - amount
        return True
