"""What a stream shows, frame by frame: hands, nails and flow, each when it is due."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from media_worker.vision.finder import Guess, NailFinder, distinct, finger_pads, same_place
from media_worker.vision.following import FADE_IN_MS, NailFollower
from media_worker.vision.hands import Hand
from media_worker.vision.nails import Nail
from media_worker.vision.pictures import Picture
from media_worker.vision.schedule import Schedule
from media_worker.vision.tracking import FORGET_MS, HandTracker

REFUSED_MS = 250
"""Where landmarks expect a nail and a look found none, as at a tucked thumb, nobody looks again for so long, unless the
hand moves on."""


class Hands(Protocol):
    """What finds hands: `HandFinder`."""

    def find(self, picture: Picture, timestamp_ms: int) -> list[Hand]: ...


@dataclass(frozen=True)
class Seen:
    """One frame."""

    nails: list[Nail]
    """Those to paint, numbered."""
    hands: int
    """As last counted."""
    keyframe: bool
    """Whether nails were looked at closely; else they were followed by flow alone."""
    stages: dict[str, float]
    """Milliseconds of `hands`, `nails` and `flow`, as far as they were due."""


class Watch:
    """Watches one stream. Not thread-safe."""

    def __init__(self, hands: Hands, finder: NailFinder) -> None:
        self._hands = hands
        self._finder = finder
        self._tracker = HandTracker()
        self._follower = NailFollower()
        self._schedule = Schedule()
        self._last: int | None = None
        self._clock = 0
        """Milliseconds that only grow, whatever the frames' timestamps do."""
        self._size: tuple[int, int] | None = None
        self._found = 0
        self._refused: list[tuple[int, Guess]] = []
        """When a look found no nail, and where."""

    def see(self, picture: Picture, now: int) -> Seen:
        """The nails in the next frame, at `now`, milliseconds. Raises VisionFailed.

        After a pause, or a change of size, a stream starts anew. A first frame shows its nails in full: there is
        nothing before it to flicker against, and a client may send no other.
        """
        fresh = self._last is None or abs(now - self._last) > FORGET_MS or picture.size != self._size
        elapsed = FADE_IN_MS if fresh or self._last is None else max(now - self._last, 1)
        self._last, self._size = now, picture.size
        self._clock += elapsed
        if fresh:
            self._restart()
        stages: dict[str, float] = {}
        with _timed(stages, "flow"):
            self._follower.move(picture)
        keyframe = self._work(picture, fresh, stages)
        return Seen(self._follower.fade(self._clock, elapsed), self._found, keyframe, stages)

    def _restart(self) -> None:
        self._follower.restart()
        self._schedule.restart()
        self._found = 0
        self._refused = []

    def _work(self, picture: Picture, fresh: bool, stages: dict[str, float]) -> bool:
        tracks = self._follower.tracks
        urgent = any(track.restless for track in tracks)
        work = self._schedule.next(self._clock, hands=self._found, nails=len(tracks), urgent=urgent)
        places: list[Guess] = []
        if work.hands:
            with _timed(stages, "hands"):
                places += self._expect(picture)
        if not (work.propose or work.refine or places):
            return False
        with _timed(stages, "nails"):
            if work.propose:
                places += self._finder.propose(picture)
            return self._look(picture, places, fresh, refine=work.refine)

    def _expect(self, picture: Picture) -> list[Guess]:
        """Finds hands, names nails and denies pads by them; the places where further nails should be."""
        hands = self._hands.find(picture, self._clock)
        self._found = len(hands)
        steady = self._tracker.update(hands, self._clock, max(picture.size))
        self._follower.deny([pad for hand in steady for pad in finger_pads(hand)])
        self._refused = [(when, place) for when, place in self._refused if self._clock - when < REFUSED_MS]
        expected = self._follower.rename(self._finder.expect(picture, steady))
        return [each for each in expected if not any(same_place(each, place) for _, place in self._refused)]

    def _look(self, picture: Picture, places: list[Guess], fresh: bool, *, refine: bool) -> bool:
        """Looks closely at what is followed, if `refine`, and at new places. Whether there was anything to look at."""
        tracks = [track for track in self._follower.tracks if not track.denied]
        known = [track.guess for track in tracks]
        new = [place for place in distinct(places, known) if not self._follower.denies(place)]
        guesses = (known if refine else []) + new
        if not guesses:
            return False
        nails = self._finder.refine(picture, guesses)
        if refine:
            self._follower.correct(tracks, nails[: len(known)], self._clock)
        found = nails[len(guesses) - len(new) :]
        self._refused += [(self._clock, place) for place, nail in zip(new, found, strict=True) if nail is None]
        self._follower.add(found, self._clock, shown=fresh)
        return True


@contextmanager
def _timed(stages: dict[str, float], stage: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    stages[stage] = (time.perf_counter() - start) * 1e3
