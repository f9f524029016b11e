"""A mailbox with one slot: the newest frame wins, and every frame it replaces is counted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class MailboxClosed(Exception):
    """Nothing will be delivered any more."""


class Mailbox(Generic[T]):
    """Hands the newest item from producers to one consumer, on one event loop. Never holds more than one item."""

    def __init__(self, on_drop: Callable[[T], None] = lambda item: None) -> None:
        self._item: T | None = None
        self._arrived = asyncio.Event()
        self._closed = False
        self._on_drop = on_drop

    def put(self, item: T) -> None:
        """Replaces what waits; the replaced item goes to `on_drop`. After `close` the item itself does."""
        if self._closed:
            self._on_drop(item)
            return
        if self._item is not None:
            self._on_drop(self._item)
        self._item = item
        self._arrived.set()

    async def take(self) -> T:
        """The newest item, as soon as there is one. Raises MailboxClosed once closed and empty."""
        await self._arrived.wait()
        item, self._item = self._item, None
        if item is None:
            raise MailboxClosed
        if not self._closed:
            self._arrived.clear()
        return item

    def close(self) -> None:
        """Wakes the consumer. An item that waits can still be taken."""
        self._closed = True
        self._arrived.set()
