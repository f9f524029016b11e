"""How much one connection may say: messages and bytes a second, whatever they hold.

What is over the pace is not looked at. It is answered with `rate_limited`, once a second at most; who goes on all the
same is closed with 4429. Pure; tests turn its clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from protocol import limits
from protocol.errors import RateLimited
from protocol.pace import Allowance

COMPLAINT_INTERVAL = 1.0


class Pace:
    """Of one connection, towards us."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._texts = Allowance(*limits.TEXT_PACE, clock)
        self._binaries = Allowance(*limits.BINARY_PACE, clock)
        self._bytes = Allowance(*limits.BYTE_PACE, clock)
        self._captures = Allowance(*limits.CAPTURE_PACE, clock)
        self._refusals = Allowance(*limits.REFUSAL_PACE, clock)
        self._complained = float("-inf")
        self.over = False
        """Whether so much was refused that the connection should end."""

    def admits(self, data: str | bytes) -> bool:
        """Whether a message may be looked at."""
        kind = self._texts if isinstance(data, str) else self._binaries
        return (kind.take() and self._bytes.take(len(data))) or self._refuse()

    def admits_control(self) -> bool:
        """The same for a WebSocket's own pings, which are answered by our pongs."""
        return self._texts.take() or self._refuse()

    def check_capture(self) -> None:
        """Raises RateLimited."""
        if not self._captures.take():
            raise RateLimited(f"{limits.CAPTURE_PACE[0]:.0f} captures a second are made; wait for them")

    def complaint(self) -> RateLimited | None:
        """What to answer to a refused message; None where that was said within the last second."""
        now = self._clock()
        if now - self._complained < COMPLAINT_INTERVAL and not self.over:
            return None
        self._complained = now
        return RateLimited(f"too many messages; {limits.TEXT_PACE[0]:.0f} of text a second are taken")

    def _refuse(self) -> bool:
        self.over = self.over or not self._refusals.take()
        return False
