"""How hard the pictures that go back on a socket are compressed. Pure: sizes in, a quality out.

A client makes its pictures as small as its link needs them (web/picture-size.js does), and the way back is the same
link. So a reply may be somewhat larger than what it answers, and where a client sends little, it gets little.
"""

from __future__ import annotations

SMALL = 12_000
"""Bytes; smaller replies are not worth more compression."""

LARGER = 1.5
"""Times what it answers that a reply may have: painted nails and a second encoding take some more."""

LOWEST = 40
DOWN, UP = 5, 2
"""Steps of quality (1–100) after a reply that was too large, and after one that had room."""

ROOM = 0.8


class ReplySize:
    """One connection's."""

    def __init__(self) -> None:
        self._below = 0
        """By how much the quality is below what the client wishes."""

    def quality(self, wished: int) -> int:
        """Of the next reply."""
        return max(min(LOWEST, wished), wished - self._below)

    def sent(self, size: int, *, asked_with: int) -> None:
        """A reply of `size` bytes to a picture of `asked_with` bytes."""
        most = max(SMALL, LARGER * asked_with)
        if size > most:
            self._below = min(self._below + DOWN, 100 - LOWEST)
        elif size < ROOM * most:
            self._below = max(0, self._below - UP)
