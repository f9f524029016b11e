"""Which work is done in which frame. Hands cost 11 ms, a look at the whole picture 18, five nails closely 7: any two of
them are more than a frame may take, so they take turns, and optical flow carries nails over the frames between."""

from __future__ import annotations

import math
from dataclasses import dataclass

EVERY_SECOND_FRAME = 50
"""Milliseconds: of frames 33 apart, every second one; of slower ones, every one."""

SPARSE = 50
"""Frames that come this many milliseconds apart leave time for all work that is due."""

HANDS_WITH_NAILS = 80
"""How often a hand is looked for, ms, whose nails are followed: of frames 33 apart, every third one. Nails need it only
for their names and for turning away."""

HANDS_WITHOUT_HAND = 250
"""How often a hand is looked for, ms, where nails are followed without one, as in close-ups."""

HAND_MAY_BE_BACK = 400
"""For so long after a hand was lost, ms, it is looked for as if there were one: MediaPipe first looks where it was, and
needs up to three looks to find it anew."""

PROPOSE_WITHOUT_HAND, PROPOSE_WITH_HAND = 200, 1500
"""How often the whole picture is searched for further nails, ms. A hand's landmarks show where most are."""


@dataclass(frozen=True)
class Work:
    """What is due in one frame."""

    hands: bool
    """Find hands."""
    propose: bool
    """Search the whole picture for nails."""
    refine: bool
    """Look closely at nails that are followed."""


class Schedule:
    """One stream's."""

    def __init__(self) -> None:
        self._frame = self._hands = self._propose = self._refine = self._hand_seen = -math.inf

    def next(self, now: float, *, hands: int, nails: int, urgent: bool) -> Work:
        """The work for the frame at `now`, ms; `hands` and `nails` are followed so far.

        `urgent`: a nail was just lost, missed or seen for the first time, so look again at once.
        """
        if hands or self._frame == -math.inf:
            self._hand_seen = now
        sparse = now - self._frame >= SPARSE
        close_up = nails > 0 and now - self._hand_seen > HAND_MAY_BE_BACK
        settled = hands > 0 and nails >= 4 * hands and not urgent
        interval = HANDS_WITHOUT_HAND if close_up else HANDS_WITH_NAILS if settled else EVERY_SECOND_FRAME
        hands_due = now - self._hands >= interval
        propose_due = now - self._propose >= _propose_interval(hands, nails)
        refine_due = nails > 0 and (urgent or now - self._refine >= EVERY_SECOND_FRAME)
        if not sparse:
            first = urgent or not (refine_due or propose_due) or self._hands < max(self._refine, self._propose)
            hands_due = hands_due and first
            propose_due = propose_due and not hands_due
            refine_due = refine_due and (urgent or not (hands_due or propose_due))
        work = Work(hands_due, propose_due, refine_due)
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


def _propose_interval(hands: int, nails: int) -> int:
    if not nails:
        return EVERY_SECOND_FRAME
    return PROPOSE_WITH_HAND if hands else PROPOSE_WITHOUT_HAND
