"""What a stream shows, frame by frame: hands, nails and flow, each when it is due. A live stream does without a look
that fails or takes too long: its nails are followed by flow alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

import structlog

from media_worker.vision.finder import Guess, NailFinder, distinct, finger_pads, same_place
from media_worker.vision.following import FADE_IN_MS, NailFollower, Track
from media_worker.vision.hands import Hand
from media_worker.vision.nails import Nail
from media_worker.vision.patience import Hung, Patience
from media_worker.vision.pictures import Picture
from media_worker.vision.schedule import Retreat, Schedule, Work
from media_worker.vision.tracking import FORGET_MS, HandTracker
from protocol.errors import VisionFailed

log = structlog.get_logger(__name__)
T = TypeVar("T")

REFUSED_MS = 250
"""Where landmarks expect a nail and a look found none, as at a tucked thumb, nobody looks again for so long, unless the
hand moves on."""

TROUBLE_MS = 1000
"""For so long after a look failed, nails are believed longer without one."""


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
    trouble: VisionFailed | None = None
    """Why a look of a live stream was done without; `Overrun` where it took too long."""


class Watch:
    """Watches one stream. Not thread-safe."""

    def __init__(self, hands: Hands, finder: NailFinder, *, live: bool = False) -> None:
        """`live`: frames wait only so long for a model (`patience.py`), and go on without one that fails."""
        self.retreat = Retreat.NONE
        self._hands = hands
        self._finder = finder
        self._patience = (Patience("hands"), Patience("nails")) if live else None
        self._closed = False
        self._troubled = self._logged = float("-inf")
        self._tracker = HandTracker()
        self._follower = NailFollower()
        self._schedule = Schedule()
        self._last: int | None = None
        self._clock = 0
        """Milliseconds that only grow, whatever the frames' timestamps do."""
        self._size: tuple[int, int] | None = None
        self._found = 0
        self._settled = False
        """Whether the last look at hands expected no further nails."""
        self._refused: list[tuple[int, Guess]] = []
        """When a look found no nail, and where."""

    def see(self, picture: Picture, now: int, *, hurry: bool = False) -> Seen:
        """The nails in the next frame, at `now`, milliseconds. In a `hurry` they are only followed.

        Raises VisionFailed where a look fails, unless the stream is live, and once it is closed.

        After a pause, or a change of size, a stream starts anew. A first frame shows its nails in full: there is
        nothing before it to flicker against, and a client may send no other.
        """
        if self._closed:
            raise VisionFailed("the stream is closed")
        fresh = self._last is None or abs(now - self._last) > FORGET_MS or picture.size != self._size
        elapsed = FADE_IN_MS if fresh or self._last is None else max(now - self._last, 1)
        self._last, self._size = now, picture.size
        self._clock += elapsed
        if fresh:
            self._restart()
        self._finder.thrifty = self.retreat >= Retreat.INFERENCE
        self._follower.trusting = self._finder.thrifty or self._clock - self._troubled <= TROUBLE_MS
        stages: dict[str, float] = {}
        with _timed(stages, "flow"):
            self._follower.move(picture)
        keyframe, trouble = False, None
        if fresh or not hurry:
            keyframe, trouble = self._work(picture, fresh, stages)
        return Seen(self._follower.fade(self._clock, elapsed), self._found, keyframe, stages, trouble)

    def close(self) -> None:
        """Ends the threads; nothing is seen any more. May be called twice."""
        self._closed = True
        for each in self._patience or ():
            each.close()

    def _restart(self) -> None:
        self._follower.restart()
        self._schedule.restart()
        self._found = 0
        self._refused = []

    def _work(self, picture: Picture, fresh: bool, stages: dict[str, float]) -> tuple[bool, VisionFailed | None]:
        """Whether there were nails to look at, and what went wrong."""
        tracks = self._follower.tracks
        urgent = any(track.restless for track in tracks)
        at_rest = all(track.at_rest for track in tracks)
        work = self._schedule.next(
            self._clock,
            hands=self._found,
            nails=len(tracks),
            urgent=urgent,
            settled=self._settled,
            at_rest=at_rest,
            retreat=self.retreat,
        )
        places: list[Guess] = []
        troubles: list[VisionFailed] = []
        keyframe = False
        if work.hands:
            with _timed(stages, "hands"), self._done_without(troubles):
                places += self._expect(picture)
        if work.propose or work.refine or places:
            with _timed(stages, "nails"), self._done_without(troubles):
                if work.propose:
                    places += self._ask_finder(partial(self._finder.propose, picture))
                keyframe = self._look(picture, places, fresh, work)
        return keyframe, max(troubles, key=lambda trouble: isinstance(trouble, Hung), default=None)

    @contextmanager
    def _done_without(self, troubles: list[VisionFailed]) -> Iterator[None]:
        """A live stream goes on without a look that fails; that is logged at most once a second."""
        try:
            yield
        except VisionFailed as error:
            if self._patience is None:
                raise
            troubles.append(error)
            self._troubled = self._clock
            if self._clock - self._logged >= 1000:
                self._logged = self._clock
                log.warning("vision failed; nails are only followed", error=error.message)

    def _ask_hands(self, look: Callable[[], T]) -> T:
        return self._patience[0].ask(look) if self._patience else look()

    def _ask_finder(self, look: Callable[[], T]) -> T:
        return self._patience[1].ask(look) if self._patience else look()

    def _expect(self, picture: Picture) -> list[Guess]:
        """Finds hands, names nails and denies pads by them; the places where further nails should be."""
        hands = self._ask_hands(partial(self._hands.find, picture, self._clock))
        self._found = len(hands)
        steady = self._tracker.update(hands, self._clock, max(picture.size))
        self._follower.deny([pad for hand in steady for pad in finger_pads(hand)])
        self._refused = [(when, place) for when, place in self._refused if self._clock - when < REFUSED_MS]
        expected = self._follower.rename(self._finder.expect(picture, steady))
        new = [each for each in expected if not any(same_place(each, place) for _, place in self._refused)]
        self._settled = not new
        return new

    def _look(self, picture: Picture, places: list[Guess], fresh: bool, work: Work) -> bool:
        """Looks closely at what is followed and due, and at new places. Whether there was anything to look at."""
        followed = [track for track in self._follower.tracks if not track.denied]
        tracks = self._due(followed, work.unseen) if work.refine else []
        known = [track.guess for track in tracks]
        new = [
            place for place in distinct(places, [track.guess for track in followed]) if not self._follower.denies(place)
        ]
        guesses = known + new
        if not guesses:
            return False
        nails = self._ask_finder(partial(self._finder.refine, picture, guesses))
        self._follower.correct(tracks, nails[: len(known)], self._clock)
        found = nails[len(known) :]
        self._refused += [(self._clock, place) for place, nail in zip(new, found, strict=True) if nail is None]
        self._follower.add(found, self._clock, shown=fresh)
        return True

    def _due(self, tracks: list[Track], unseen: int) -> list[Track]:
        """The restless ones, and those that were `unseen` for so long, ms; in retreat at most half of all others."""
        restless = [track for track in tracks if track.restless]
        calm = [track for track in tracks if not track.restless and self._clock - track.looked >= unseen]
        if self.retreat >= Retreat.INFERENCE:
            calm = sorted(calm, key=lambda track: track.looked)[: (len(tracks) - len(restless) + 1) // 2]
        return restless + calm


@contextmanager
def _timed(stages: dict[str, float], stage: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    stages[stage] = (time.perf_counter() - start) * 1e3
