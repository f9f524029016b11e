"""Where an extended nail must not be painted, as another finger lies in front of it.

Of two fingers that cross, the picture does not tell how far each is from the camera. But where a tip would lie over
another nail that is in full view, that nail's finger is in front.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import cv2
import numpy as np

from media_worker.polish.canvas import Patch
from media_worker.polish.silhouettes import Silhouette
from media_worker.vision.arrays import Floats
from media_worker.vision.coverage import coverage
from media_worker.vision.nails import Nail
from media_worker.vision.shapes import to_complex, to_points

FINGER_WIDTH = 1.35
"""Width of a finger's last bone in widths of its nail."""

BEYOND_NAIL = 0.1
"""How far a finger tip reaches beyond its nail, in nail lengths; little, as what is hidden wrongly is bare."""

BEHIND_NAIL = 1.5
"""Nail lengths from the cuticle over which a finger surely goes on straight."""

TOUCHES = 0.02
"""Share of a nail, or more, that a tip must lie over; less is a matter of how well outlines fit."""


def uncovered(made: Silhouette, patch: Patch, others: Iterable[Nail]) -> Floats | None:
    """Share of each pixel of a patch that no finger before the tip hides, float32 (h, w); None where none does.

    `others` are the nails of the frame; the one that is extended may be among them.
    """
    if not made.extended:
        return None
    hiding = [other for other in others if other.outline is not made.own and _lies_over(made, other)]
    if not hiding:
        return None
    shares = [1 - coverage(finger(nail) - patch.corner, patch.width, patch.height) for nail in hiding]
    left: Floats = np.minimum.reduce(shares)
    left[coverage(made.own - patch.corner, patch.width, patch.height) > 0] = 1
    return left


def finger(nail: Nail) -> Floats:
    """(N, 2) outline of the end of the finger that bears a nail, in pixels: it surely hides what lies behind it."""
    cuticle, free_edge = to_complex(nail.axis)
    along = free_edge - cuticle
    aside = 1j * along / max(abs(along), 1e-6) * nail.width * FINGER_WIDTH / 2
    arc = np.exp(1j * np.linspace(-np.pi / 2, np.pi / 2, 9))
    # half an ellipse round the nail's tip, and straight sides from its middle back behind the cuticle
    tip = cuticle + along * (0.5 + (0.5 + BEYOND_NAIL) * arc.real) + aside * arc.imag
    back = cuticle - BEHIND_NAIL * along
    return to_points(np.concatenate([[back - aside], tip, [back + aside]]))


def _lies_over(made: Silhouette, other: Nail) -> bool:
    """Whether the tip lies over a nail that is in view; outlines are nearly convex."""
    nail = other.outline.astype(np.float32, copy=False)
    if other.visibility <= 0 or _apart(cv2.boundingRect(made.outline), cv2.boundingRect(nail)):
        return False
    shared, _ = cv2.intersectConvexConvex(made.outline, nail)
    return shared > TOUCHES * cv2.contourArea(nail)


def _apart(one: Sequence[int], other: Sequence[int]) -> bool:
    """Whether two boxes (left, top, width, height) share nothing."""
    (x, y, width, height), (left, top, across, down) = one, other
    return x > left + across or left > x + width or y > top + down or top > y + height
