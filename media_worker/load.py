"""Decides how far a stream retreats when cores are short, and when it may come back.

Pure: told what happened to frames, by a clock of the caller's. Every stream decides for itself, from its own frames:
where cores are short, they are short for all streams, as everybody's work then takes longer.
"""

from __future__ import annotations

from media_worker.vision.schedule import Retreat

WINDOW = 1.0
"""Seconds over which a stream is judged."""

LOST, BUSY = 0.1, 0.85
"""A window is strained if a larger share of frames was lost because the one before was not done yet, or if vision and
painting took a larger share of the time."""

MUCH_LOST = 0.3
"""Before every second frame is left out: a stream that loses fewer is better off as it is."""

CALM_BUSY = 0.5
"""A window is calm if nothing was lost and no more than this share of the time was taken: one step back costs up to
half as much again."""

STRAINED_WINDOWS = 2
"""In a row, before the next step: a hiccup, or the start of a stream, is no lack of cores."""

CALM_WINDOWS, MOST_CALM_WINDOWS = 5, 80
"""In a row, before a step back. Where that step has to be taken again soon, twice as many are asked for next time."""


class Load:
    """One stream's."""

    def __init__(self, now: float) -> None:
        """`now`, here and below: seconds of any one clock."""
        self.retreat = Retreat.NONE
        self._calm_asked = CALM_WINDOWS
        self._came_back = float("-inf")
        self._strained = self._calm = 0
        self._begin(now)

    def worked(self, now: float, seconds: float) -> None:
        """A frame was seen and painted, which took so long."""
        self._frames += 1
        self._busy += seconds
        self._judge(now)

    def lost(self, now: float) -> None:
        """A newer frame took the place of one that waited."""
        self._frames += 1
        self._lost += 1
        self._judge(now)

    def _begin(self, now: float) -> None:
        self._since, self._frames, self._lost, self._busy = now, 0, 0, 0.0

    def _judge(self, now: float) -> None:
        elapsed = now - self._since
        if elapsed < WINDOW:
            return
        lost, busy = self._lost / self._frames, self._busy / elapsed
        self._begin(now)
        self._strained = self._strained + 1 if self._is_strained(lost, busy) else 0
        self._calm = self._calm + 1 if not lost and busy < CALM_BUSY else 0
        if self._strained >= STRAINED_WINDOWS and self.retreat < max(Retreat):
            self._step(now, 1)
        elif self._calm >= self._calm_asked and self.retreat > Retreat.NONE:
            self._step(now, -1)

    def _is_strained(self, lost: float, busy: float) -> bool:
        if self.retreat + 1 == Retreat.FRAMES:
            return lost > MUCH_LOST
        return lost > LOST or busy > BUSY

    def _step(self, now: float, by: int) -> None:
        if by > 0:
            in_vain = now - self._came_back <= 2 * STRAINED_WINDOWS * WINDOW
            self._calm_asked = min(2 * self._calm_asked, MOST_CALM_WINDOWS) if in_vain else CALM_WINDOWS
        else:
            self._came_back = now
        self.retreat = Retreat(self.retreat + by)
        self._strained = self._calm = 0
