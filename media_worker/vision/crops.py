"""Square pictures of one expected nail each, upright: what the nail network sees, in training as in use."""

from __future__ import annotations

import numpy as np

from media_worker.vision.arrays import Floats
from media_worker.vision.finder import Guess

SPAN = 2.2
"""Side of a crop in lengths of the expected nail: room for a nail twice as long, and for the finger around it."""


def crop_matrix(guess: Guess, size: int, span: float = SPAN) -> Floats:
    """(2, 3): pixels of the frame → pixels of a crop of `size`, the guess in its middle, free edge up."""
    length = max(guess.length, 1.0)
    ux, uy = guess.along / length
    scale = size / (span * length)
    turn = np.array([[-uy, ux], [-ux, -uy]], np.float64) * scale
    shift = size / 2 - turn @ np.asarray(guess.centre, np.float64)
    return np.column_stack([turn, shift])
