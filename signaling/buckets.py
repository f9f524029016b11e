"""Token buckets: how often is too often. Pure; whoever asks says what time it is.

A bucket holds `count` tokens and gets that many back over `seconds`, evenly. So a person may do all at once what they
may do in that time, and what is taken comes back bit by bit. Every call is O(1), and no more than `max_keys` buckets
are remembered: where one more is needed, the one that nobody touched for longest is forgotten, which is the fullest
one or soon will be.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass

MAX_KEYS = 20_000
"""Some 6 MB for each kind of limit. Who can speak from more addresses than that is not stopped by counting them."""


@dataclass(frozen=True)
class Rate:
    """`count` times in `seconds`; 0 is no limit."""

    count: int
    seconds: float


@dataclass(frozen=True)
class Verdict:
    allowed: bool
    remaining: int
    """What could be done at once after this."""
    wait: float
    """Seconds until it would be allowed; 0 where it is."""


NO_LIMIT = Verdict(allowed=True, remaining=2**31, wait=0.0)


class Buckets:
    """Buckets of one rate, each under a key."""

    def __init__(self, rate: Rate, *, max_keys: int = MAX_KEYS) -> None:
        self.rate = rate
        self._max_keys = max_keys
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """Key → tokens, and when they were counted; last touched, last."""

    def __len__(self) -> int:
        return len(self._left)

    def take(self, key: str, now: float, taken: int = 1) -> Verdict:
        """Takes a token where there is one; none with `taken` 0, which only asks whether there is. Being refused costs
        nothing: who asks too early waits no longer for it."""
        rate = self.rate
        if rate.count <= 0:
            return NO_LIMIT
        tokens = self._tokens(key, now)
        allowed = tokens >= 1
        if taken or key in self._left:
            self._remember(key, tokens - taken if allowed else tokens, now)
        if allowed:
            return Verdict(allowed=True, remaining=math.floor(tokens - taken), wait=0.0)
        return Verdict(allowed=False, remaining=0, wait=(1 - tokens) * rate.seconds / rate.count)

    def _tokens(self, key: str, now: float) -> float:
        """By now. A clock that was set back gives nothing, and takes nothing either."""
        tokens, counted_at = self._left.get(key, (float(self.rate.count), now))
        back = max(0.0, now - counted_at) * self.rate.count / self.rate.seconds
        return min(float(self.rate.count), tokens + back)

    def _remember(self, key: str, tokens: float, now: float) -> None:
        self._left[key] = (tokens, now)
        self._left.move_to_end(key)
        if len(self._left) > self._max_keys:
            self._left.popitem(last=False)


class Held:
    """How many things of a kind are held at once, under a key: open sockets of an address. 0 is no limit."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._held: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._held)

    def take(self, key: str) -> bool:
        """False where there are too many. Give back what was taken, and only that."""
        held = self._held.get(key, 0)
        if 0 < self.most <= held:
            return False
        self._held[key] = held + 1
        return True

    def give_back(self, key: str) -> None:
        if self._held[key] == 1:
            del self._held[key]
        else:
            self._held[key] -= 1
