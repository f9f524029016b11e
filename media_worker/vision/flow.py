"""How nails moved between two frames: Lucas–Kanade flow of points on and below each nail, and a robust fit to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from media_worker.vision.arrays import Floats, Mask, Pixels
from media_worker.vision.shapes import Complex, NailShape, Similarity, to_complex, to_points

LONGEST = 640
"""Pixels; larger frames are shrunk to this longer side, as LK's price follows their area."""

WINDOW = 15
"""Side of LK's window, pixels. On a still drawn hand with noise σ 4 and JPEG 60, nails tremble by 0.045 px from frame
to frame with 15 as with 21, which costs a fifth more; with 11 by 0.06."""

LEVELS, LEVELS_BACK = 3, 1
"""Times that LK halves the picture: motion up to about 50 pixels a frame, 1,500 a second; on the way back, most of
which is known by then, it takes less."""

REACH = 96
"""Pixels round the points of which LK's pictures are made: twice 50, and the window at its coarsest is cut a little."""

_U, _V = np.meshgrid([-0.33, 0.0, 0.33], [-0.95, -0.6, -0.25, 0.15])
POINTS: Complex = (_V + 1j * _U).ravel()
"""Points in nail coordinates, real part along it (−0.5 cuticle, 0.5 free edge): on the nail and on the finger below.
None at the free edge, behind which the background moves otherwise."""

RETURN = 0.8
"""Pixels: a point that does not come back this near, followed back to where it came from, was lost."""

AGREE = 1.0
"""Pixels by which a point may miss the fitted motion and still agree with it; of long motions also a tenth."""

TRUSTED_SHARE = 0.5
"""A motion is believed when points of this share of the weight agree on it."""

FLATNESS = 2.2e-3
"""Smallest eigenvalue (OpenCV's measure) at which a point counts half: flat skin has less, a nail's edge more."""

LEAST_WEIGHT = 1.0
"""That all points of a nail must have together."""

MAX_TURN, MAX_SCALE = 0.35, 1.2
"""Radians, ratio: nothing that is followed turns or grows faster in one frame."""


class Flow:
    """Remembers the last frame of a stream."""

    def __init__(self) -> None:
        self._before: Pixels | None = None
        self._after: Pixels | None = None
        self._scale = 1.0

    def show(self, luma: Pixels) -> None:
        """The next frame, uint8 (H, W), of which a copy is kept. One of another size starts anew."""
        self._scale = min(1.0, LONGEST / max(luma.shape))
        self._before, self._after = self._after, _shrunk_copy(luma, self._scale)
        if self._before is not None and self._before.shape != self._after.shape:
            self._before = None

    def forget(self) -> None:
        self._before = self._after = None

    def motions(self, shapes: Sequence[NailShape], expected: Sequence[complex]) -> list[Similarity | None]:
        """How each nail moved from the last frame to this one; None where points are lost or disagree.

        `expected` is how far each is thought to have moved, in pixels.
        """
        before, after = self._before, self._after
        if before is None or after is None or not shapes:
            return [None] * len(shapes)
        start: Complex = np.stack([shape.place(POINTS) for shape in shapes]) * self._scale
        hint: Complex = np.repeat(np.array(expected, np.complex128)[:, None] * self._scale, len(POINTS), axis=1)
        rows, columns = (
            _around(values, size) for values, size in zip((start.imag, start.real), after.shape, strict=True)
        )
        corner = columns.start + 1j * rows.start
        end, weight = _follow(before[rows, columns], after[rows, columns], start - corner, hint)
        turns, shifts, trusted = fit(start, end + corner, weight)
        return [
            Similarity(complex(turn), complex(shift) / self._scale) if ok else None
            for turn, shift, ok in zip(turns, shifts, trusted, strict=True)
        ]


def _follow(before: Pixels, after: Pixels, start: Complex, hint: Complex) -> tuple[Complex, Floats]:
    """Where points (N, P) of the one frame are in the other, and how far each is to be believed, 0–1."""
    end, found, sharpness = _lucas_kanade(before, after, start, start + hint, LEVELS)
    shift = end - start
    usual = (_middle(shift.real) + 1j * _middle(shift.imag))[:, None]
    # Points that agree with their nail's others are nearly back already, and whoever is not is to get lost.
    back, again, _ = _lucas_kanade(after, before, end, end - usual, LEVELS_BACK)
    returned = found & again & (np.abs(back - start) < RETURN)
    return end, np.where(returned, sharpness / (sharpness + FLATNESS), 0)


def _lucas_kanade(a: Any, b: Any, start: Complex, guess: Complex, levels: int) -> tuple[Complex, Any, Floats]:
    """Where points of `a` are in `b`, whether they were found, and LK's smallest eigenvalue at each."""
    moved: tuple[Any, Any, Any] = cv2.calcOpticalFlowPyrLK(
        a,
        b,
        to_points(start.ravel()),
        to_points(guess.ravel()),
        winSize=(WINDOW, WINDOW),
        maxLevel=levels,
        criteria=(cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 10, 0.02),
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW | cv2.OPTFLOW_LK_GET_MIN_EIGENVALS,
    )
    end, status, sharpness = (array.reshape(*start.shape, -1) for array in moved)
    return to_complex(end), status[..., 0] > 0, sharpness[..., 0]


def _around(values: Floats, size: int) -> slice:
    """The rows or columns, of so many, in which LK looks when it follows points there; never only a few."""
    low = int(np.clip(values.min() - REACH, 0, max(size - 2 * REACH, 0)))
    high = int(np.clip(values.max() + REACH, min(low + 2 * REACH, size), size))
    return slice(low, high)


def _shrunk_copy(luma: Pixels, scale: float) -> Pixels:
    if scale == 1:
        return luma.copy()
    return cv2.resize(luma, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def fit(start: Complex, end: Complex, weight: Floats) -> tuple[Complex, Complex, Mask]:
    """The similarity turn·z + shift that most points of each nail agree on, by least squares reweighted four times.

    Points and weights are (N, P); returns turns and shifts (N,), and which of them to trust.
    """
    total = weight.sum(axis=1)
    moved = end - start
    typical = _weighted_median(moved.real, weight) + 1j * _weighted_median(moved.imag, weight)
    tolerance = (AGREE + 0.1 * np.abs(typical))[:, None]
    turn, shift = np.ones_like(typical), typical
    for _ in range(4):
        share = weight / (1 + (2 * _miss(start, end, turn, shift) / tolerance) ** 2)
        turn, shift = _least_squares(start, end, share)
    agreeing = (weight * (_miss(start, end, turn, shift) < tolerance)).sum(axis=1)
    steady = (np.abs(np.angle(turn)) < MAX_TURN) & (np.abs(np.log(np.abs(turn) + 1e-9)) < np.log(MAX_SCALE))
    return turn, shift, steady & (total >= LEAST_WEIGHT) & (agreeing > TRUSTED_SHARE * total)


def _miss(start: Complex, end: Complex, turn: Complex, shift: Complex) -> Floats:
    return np.abs(turn[:, None] * start + shift[:, None] - end)


def _middle(values: Floats) -> Floats:
    """The upper median of each row; np.median takes five times as long."""
    return np.sort(values, axis=1)[:, values.shape[1] // 2]


def _weighted_median(values: Floats, weight: Floats) -> Floats:
    """Of each row."""
    order = np.argsort(values, axis=1)
    running = np.cumsum(np.take_along_axis(weight, order, axis=1), axis=1)
    middle = np.argmax(running >= running[:, -1:] / 2, axis=1)[:, None]
    return np.take_along_axis(np.take_along_axis(values, order, axis=1), middle, axis=1)[:, 0]


def _least_squares(start: Complex, end: Complex, weight: Floats) -> tuple[Complex, Complex]:
    """Closed form over complex numbers, for each row (Umeyama 1991, in the plane)."""
    share = weight / np.maximum(weight.sum(axis=1, keepdims=True), 1e-9)
    from_middle, to_middle = (share * start).sum(axis=1), (share * end).sum(axis=1)
    p, q = start - from_middle[:, None], end - to_middle[:, None]
    turn = (share * p.conj() * q).sum(axis=1) / np.maximum((share * np.abs(p) ** 2).sum(axis=1), 1e-6)
    return turn, to_middle - turn * from_middle
