"""The seam between finding nails in one picture and following them over time.

A finder works in two stages: `propose` looks at the whole picture, coarsely; `refine` looks closely at a few places.
Landmarks of a hand give guesses too, and names. Whatever finds nails better implements `NailFinder`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from media_worker.vision.arrays import Floats
from media_worker.vision.hands import Hand, Side
from media_worker.vision.nails import FINGERS, PROPORTIONS, Nail, facing, numbered
from media_worker.vision.pictures import Picture
from protocol.designs import Finger

SAME_PLACE = 0.5
"""Two guesses or nails with a smaller `gap` are one nail."""

NARROW = 0.6
"""Across a nail, distances count as if they were divided by this: neighbours of a closed hand lie side by side, 0.8
lengths apart, but only 0.4 where nails are long."""

SURE_SIDE = 0.9
"""Least certainty of a hand's side, by which a finger's back and pad are told apart."""

PAD = 0.3
"""`facing` below which a finger shows its pad. The nails in view of 59 phone photos, thumbs left out: 0.87 or more, all
194. Of 360 pads of 90 palms 9 are at 0.3 or above, four of them of a hand that shows its back after all."""

PAD_REACH = 0.6
"""What lies within so many lengths of a finger's pad is that pad."""


@dataclass(frozen=True)
class Guess:
    """Where a nail may be."""

    centre: Floats
    """(2,) pixels of the frame, x right and y down."""
    along: Floats
    """(2,) pixels, cuticle to free edge; its length is the nail's."""
    finger: Finger | None = None
    hand: Side | None = None

    @classmethod
    def at(cls, nail: Nail) -> Guess:
        """Where `nail` is, with its name."""
        return cls(nail.outline.mean(axis=0), nail.axis[1] - nail.axis[0], nail.finger, nail.hand)

    @property
    def length(self) -> float:
        return float(np.hypot(*self.along))


class NailFinder(ABC):
    """Finds nails in single pictures; remembers nothing that matters from one to the next."""

    thrifty = False
    """Set where cores are short: search with less, and miss the smallest nails."""

    @abstractmethod
    def propose(self, picture: Picture) -> list[Guess]:
        """Places that look like nails, with or without a hand."""

    @abstractmethod
    def refine(self, picture: Picture, guesses: Sequence[Guess]) -> list[Nail | None]:
        """The nail at each guess, with its outline, axis and confidence, named as the guess; None where there is none.

        Their numbers mean nothing yet.
        """

    def close(self) -> None:  # noqa: B027  # few have something to free
        """Frees what it works in. May be called twice."""

    def expect(self, picture: Picture, hands: Sequence[Hand]) -> list[Guess]:
        """Where landmarks say that nails are, named; those in the picture."""
        guesses = [guess for hand in hands for guess in expected_nails(hand)]
        return [guess for guess in guesses if ((guess.centre >= 0) & (guess.centre < picture.size)).all()]

    def find(self, picture: Picture, hands: Sequence[Hand]) -> list[Nail]:
        """All nails of one picture on its own, numbered."""
        guesses = distinct([*self.expect(picture, hands), *self.propose(picture)])
        found = [nail for nail in self.refine(picture, guesses) if nail is not None]
        kept: list[Nail] = []
        for nail in sorted(found, key=lambda each: -each.confidence):
            if not any(same_place(Guess.at(nail), Guess.at(other)) for other in kept):
                kept.append(nail)
        return numbered(kept)


def expected_nails(hand: Hand) -> list[Guess]:
    """Where a hand's nails are, named, thumb to pinky; fingers that show their pads are left out."""
    return [_expected(hand, index) for index in range(5) if not _shows_pad(hand, index)]


def finger_pads(hand: Hand) -> list[Guess]:
    """Where fingers show their pads to the camera, so that there is no nail, whatever it looks like."""
    return [_expected(hand, index) for index in range(5) if _shows_pad(hand, index)]


def on_pad(guess: Guess, pads: Iterable[Guess]) -> bool:
    """Whether what seems a nail is one of those pads."""
    return any(gap(pad, guess) < PAD_REACH for pad in pads)


def _shows_pad(hand: Hand, index: int) -> bool:
    """Never certain of a thumb: it turns against the other fingers."""
    return index > 0 and hand.score >= SURE_SIDE and facing(hand, index) < PAD


def _expected(hand: Hand, index: int) -> Guess:
    joint, tip = hand.landmarks[4 * index + 3], hand.landmarks[4 * index + 4]
    shape = PROPORTIONS[FINGERS[index]]
    centre = joint + (shape.cuticle + shape.free_edge) / 2 * (tip - joint)
    return Guess(centre, (shape.free_edge - shape.cuticle) * (tip - joint), FINGERS[index], hand.side)


def gap(a: Guess, b: Guess) -> float:
    """Distance between two middles, in lengths of the longer nail; across it, distances weigh more (NARROW)."""
    longer = max(a, b, key=lambda guess: guess.length)
    away = complex(*(a.centre - b.centre)) / (complex(*longer.along) or 1)
    return abs(complex(away.real, away.imag / NARROW))


def same_place(a: Guess, b: Guess) -> bool:
    return gap(a, b) < SAME_PLACE


def distinct(guesses: Iterable[Guess], known: Iterable[Guess] = ()) -> list[Guess]:
    """Those guesses that repeat neither an earlier one nor a `known` one."""
    taken = list(known)
    fresh = []
    for guess in guesses:
        if not any(same_place(guess, other) for other in taken):
            fresh.append(guess)
            taken.append(guess)
    return fresh
