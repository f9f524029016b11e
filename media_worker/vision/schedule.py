"""Which work is done in which frame. A hand costs 3 ms, a look at the whole picture 4, five nails closely 3: they take
turns, so that frames take about as long, and optical flow carries nails over the frames between. What hardly moves is
looked at less often."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import IntEnum


class Retreat(IntEnum):
    """What is given up when cores are short, in this order; each step includes those before it."""

    NONE = 0
    CADENCE = 1
    """Hands and nails are looked at less often."""
    INFERENCE = 2
    """The map network sees a smaller picture; only half of the nails are looked at, in turns."""
    FRAMES = 3
    """Every second frame is left out."""


@dataclass(frozen=True)
class Pace:
    """How often work is due, in milliseconds."""

    sparse: int = 50
    """Frames that come this far apart leave time for all work that is due."""
    refine: int = 80
    """Nails that move: of frames 33 apart, every third one."""
    searched_hands: int = 50
    """Hands where there is none."""
    open_hands: int = 80
    """A hand of which nails are missing: of frames 33 apart, every third one."""
    refine_at_rest: int = 110
    """Nails that hardly move: every fourth one. With every fifth a tenth fewer nails are found of fingers that open."""
    settled_hands: int = 110
    """A hand whose nails are followed: of frames 33 apart, every fourth one. Nails need it only for their names and for
    turning away."""
    hands_at_rest: int = 180
    """The same where they hardly move: every sixth one, so that a second hand is still looked for every 400 ms."""
    hands_without_hand: int = 250
    """Hands where nails are followed without one, as in close-ups."""
    propose_without_nails: int = 50
    propose_without_hand: int = 200
    propose_with_hand: int = 1500
    """How often the whole picture is searched for further nails. A hand's landmarks show where most are."""


SLOWER = Pace(
    refine=110,
    searched_hands=80,
    open_hands=110,
    settled_hands=160,
    hands_without_hand=400,
    propose_without_nails=80,
    propose_without_hand=300,
    propose_with_hand=3000,
)
PACES = {
    Retreat.NONE: Pace(),
    Retreat.CADENCE: SLOWER,
    Retreat.INFERENCE: SLOWER,
    Retreat.FRAMES: replace(SLOWER, sparse=90),  # the frames that are left come 66 apart: they take turns, too
}

URGENT = 50
"""A nail that was just lost or missed is looked at in the next frame; in retreat, this many milliseconds later."""

SLACK = 20
"""Milliseconds by which a nail may be looked at before its time, together with the others."""

HAND_MAY_BE_BACK = 400
"""For so long after a hand was lost, ms, it is looked for as if there were one."""


@dataclass(frozen=True)
class Work:
    """What is due in one frame."""

    hands: bool
    """Find hands."""
    propose: bool
    """Search the whole picture for nails."""
    refine: bool
    """Look closely at nails that are followed…"""
    unseen: int = 0
    """… those that were not looked at for so many milliseconds, and restless ones."""


class Schedule:
    """One stream's."""

    def __init__(self) -> None:
        self._frame = self._hands = self._propose = self._refine = self._hand_seen = -math.inf

    def next(
        self,
        now: float,
        *,
        hands: int,
        nails: int,
        urgent: bool = False,
        settled: bool = True,
        at_rest: bool = False,
        retreat: Retreat = Retreat.NONE,
    ) -> Work:
        """The work for the frame at `now`, ms; `hands` and `nails` are followed so far.

        `urgent`: a nail was just lost, missed or seen for the first time, so look again at once. `settled`: the last
        look at hands expected no nail that was not known. `at_rest`: nails hardly move.
        """
        pace = PACES[retreat]
        if at_rest:
            pace = replace(pace, refine=pace.refine_at_rest, settled_hands=max(pace.settled_hands, pace.hands_at_rest))
        urgent = urgent and (retreat == Retreat.NONE or now - self._refine >= URGENT)
        if hands or self._frame == -math.inf:
            self._hand_seen = now
        sparse = now - self._frame >= pace.sparse
        close_up = nails > 0 and now - self._hand_seen > HAND_MAY_BE_BACK
        settled = settled and not urgent
        hands_due = now - self._hands >= _hands_interval(pace, hands, settled=settled, close_up=close_up)
        propose_due = now - self._propose >= _propose_interval(pace, hands, nails)
        refine_due = nails > 0 and (urgent or now - self._refine >= pace.refine)
        if not sparse:
            first = urgent or not (refine_due or propose_due) or self._hands < max(self._refine, self._propose)
            hands_due = hands_due and first
            propose_due = propose_due and not hands_due
            refine_due = refine_due and (urgent or not (hands_due or propose_due))
        work = Work(hands_due, propose_due, refine_due, pace.refine - SLACK)
        self._note(now, work)
        return work

    def restart(self) -> None:
        """Everything is due in the next frame."""
        self._frame = self._hands = self._propose = self._refine = self._hand_seen = -math.inf

    def _note(self, now: float, work: Work) -> None:
        self._frame = now
        self._hands = now if work.hands else self._hands
        self._propose = now if work.propose else self._propose
        self._refine = now if work.refine else self._refine


def _hands_interval(pace: Pace, hands: int, *, settled: bool, close_up: bool) -> int:
    if close_up:
        return pace.hands_without_hand
    if not hands:
        return pace.searched_hands
    return pace.settled_hands if settled else pace.open_hands


def _propose_interval(pace: Pace, hands: int, nails: int) -> int:
    if not nails:
        return pace.propose_without_nails
    return pace.propose_with_hand if hands else pace.propose_without_hand
