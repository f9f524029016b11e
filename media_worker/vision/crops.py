"""Square pictures of one expected nail each, upright: what the nail network sees, in training as in use."""

from __future__ import annotations

from media_worker.vision.arrays import Floats
from media_worker.vision.finder import Guess
from media_worker.vision.pyramids import upright

SPAN = 2.2
"""Side of a crop in lengths of the expected nail: room for a nail twice as long, and for the finger around it."""


def crop_matrix(guess: Guess, size: int, span: float = SPAN) -> Floats:
    """(2, 3): pixels of the frame → pixels of a crop of `size`, the guess in its middle, free edge up."""
    length = max(guess.length, 1.0)
    return upright(guess.centre, guess.along / length, span * length, size)
