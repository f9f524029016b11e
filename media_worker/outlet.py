"""What one viewer gets of the frames that are encoded for all: everything, or what its link carries.

A frame can only be left out together with those after it, up to the next keyframe. So a viewer that falls behind, as
its sender or its link is too slow, misses frames until it has room again, and then asks for a keyframe. Nobody waits
for it, and it holds a few frames at most.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from media_worker.encoded_track import UNKNOWN, Encoded
from media_worker.rate_control import Target

QUEUED = 4
"""Frames that wait for a sender. More than one or two mean that the event loop is far behind."""

HEADROOM = 1.5
"""Times a link's rate at which frames may leave: its estimate is careful, and encoders overshoot."""

BURST = 1.0
"""Seconds' worth of a link's rate that may leave at once: a keyframe is as large as ten other frames."""

RESUME = 0.75
"""Share of a full burst from which on a viewer that fell behind may have a keyframe: it then has room for it, and
those of a slow link cost the other viewers one keyframe in several seconds at most."""


class Outlet:
    def __init__(self, want_keyframe: Callable[[], None]) -> None:
        self.want_keyframe = want_keyframe
        self.target: Target = UNKNOWN
        """What the viewer's link carries; its sender keeps it up to date."""
        self.dropped = 0
        self.closed = False
        self._frames: deque[Encoded] = deque()
        self._arrived = asyncio.Event()
        self._behind = True
        """Nothing can be shown before a keyframe: at the beginning, and after any frame that was left out."""
        self._credit = BURST
        """Seconds' worth of the link's rate that may leave now; below zero, that much too much has left."""
        self._filled_at: float | None = None

    def offer(self, frame: Encoded, now: float) -> bool:
        """Takes a frame, or leaves it out. Whether it was taken. Never waits."""
        self._fill(now)
        if not self._has_room_for(frame):
            self._behind = True
            self.dropped += 1
            if self._may_resume:
                self.want_keyframe()
            return False
        self._behind = False
        self._credit -= frame.bits / (HEADROOM * self.target.bitrate)
        self._frames.append(frame)
        self._arrived.set()
        return True

    def ask(self) -> None:
        """Its viewer cannot go on without a keyframe. The others are spared one that it has no room for."""
        if not self._behind or self._may_resume:
            self.want_keyframe()

    async def take(self) -> Encoded | None:
        """The next frame; None once closed."""
        while not self._frames:
            if self.closed:
                return None
            self._arrived.clear()
            await self._arrived.wait()
        return self._frames.popleft()

    def close(self) -> None:
        self.closed = True
        self._frames.clear()
        self._arrived.set()

    def _has_room_for(self, frame: Encoded) -> bool:
        if self._behind:
            return frame.keyframe and self._may_resume
        return len(self._frames) < QUEUED and self._credit > 0

    @property
    def _may_resume(self) -> bool:
        return not self._frames and self._credit >= RESUME * BURST

    def _fill(self, now: float) -> None:
        if self._filled_at is not None:
            self._credit = min(BURST, self._credit + now - self._filled_at)
        self._filled_at = now
