"""The shade that polish casts on the skin beside it, and the shadow of an extended nail.

Polish has a thickness, and folds of skin rise beside it: a narrow shade round it is what tells paint on a nail from a
patch on a picture. Bare rims, which are pale, are lost in it as they are on a real hand.

An extended nail casts a shadow on its own finger tip and on what lies behind.
Below the own free edge a tip all but touches the skin: there the shadow is narrow and dark. Further on whatever lies
below is further away, so the shadow moves off, softens, and weakens.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot

import cv2
import numpy as np

from media_worker.polish.canvas import Patch
from media_worker.polish.nail_space import ramp
from media_worker.polish.silhouettes import Silhouette
from media_worker.vision.arrays import Floats

FALLS = (0.56, 0.83)
"""Unit vector along which shadows fall, x right and y down: light comes from above, and a bit from the left."""

CELLS = 8
"""Cells per nail width of the grid on which shadows are drawn: being soft, they need no more, at any size."""


@dataclass(frozen=True)
class _Shadow:
    """All in nail widths but for the strength."""

    strength: float
    """Share of the light that is taken."""
    fall: float
    """How far it lies from what casts it."""
    blur: float
    """Standard deviation."""


CONTACT = _Shadow(0.7, 0.13, 0.1)
"""Beside the own free edge, where a tip all but touches the skin."""

LOOSE = _Shadow(0.42, 0.26, 0.17)
"""Further on."""

CREVICE_DEPTH = 0.42
"""Share of the light that is lost right beside polish, if that were all round."""

CREVICE_REACH = 0.055
"""Nail widths over which it is lost."""

BEGINS = 0.3
"""Nail widths before the own free edge where the contact begins to show."""

FADES = 0.5
"""Nail widths beyond the own free edge over which the contact is lost, and the loose shadow takes over."""

SIGMAS = 2.2
"""Of the loose shadow's blur; beyond is too little to be seen."""


def within(outline: Floats, made: Silhouette) -> Floats:
    """Points, (N, 2), whose bounding box holds both what is painted in `outline` and its shadow, in pixels."""
    if not made.extended:
        return outline
    left, top, width, height = cv2.boundingRect(outline)
    right, bottom = left + width, top + height
    x, y = (LOOSE.fall * made.width * part for part in FALLS)
    blur = (SIGMAS * LOOSE.blur + 0.5 / CELLS) * made.width
    own, fallen = (left, top, right, bottom), (left + x - blur, top + y - blur, right + x + blur, bottom + y + blur)
    return np.array([own, fallen], np.float32).reshape(-1, 2)


def reach(width: float) -> int:
    """Pixels round polish on which the crevice's shade falls, for a nail of a width in pixels."""
    return max(round(CREVICE_REACH * width), 1)


def crevice(cover: Floats, width: float) -> Floats:
    """Share of the light that reaches each pixel beside, and under, polish that covers a share of it, (h, w) both."""
    size = 2 * reach(width) + 1
    light: Floats = 1 - np.float32(CREVICE_DEPTH) * cv2.blur(cover, (size, size))
    return light


def shadow(made: Silhouette, patch: Patch) -> Floats | None:
    """Share of the light, up to 1, that the shadow leaves to each pixel of a patch, float32 (h, w).

    None where nothing is extended. Paint the tip over it: the shadow goes on below.
    """
    if not made.extended:
        return None
    cells = CELLS / max(made.width, 1e-3)  # per pixel
    width, height = (max(round(size * cells), 2) for size in (patch.width, patch.height))
    tip = _drawn(made.outline - patch.corner, patch, width, height)
    beyond = _beyond_free_edge(made, patch, width, height)
    far = (beyond * np.float32(1 / FADES)).clip(0, None)
    near = np.exp(-far) * (beyond * np.float32(1 / BEGINS) + 1).clip(0, 1)
    far = np.minimum(far, 1)
    light = _light_left(tip * near, CONTACT) * _light_left(tip * far, LOOSE)
    return cv2.resize(light, (patch.width, patch.height), interpolation=cv2.INTER_LINEAR).astype(np.float32, copy=False)


def dimmed(bare: Floats, light: Floats, seen: Floats) -> Floats:
    """A patch, (h, w, 3) linear, with a shadow, (h, w), on it as far as what casts it is seen, likewise."""
    left = 1 - seen * (1 - light)
    return cv2.multiply(bare, cv2.cvtColor(left, cv2.COLOR_GRAY2RGB)).astype(np.float32, copy=False)


def _drawn(outline: Floats, patch: Patch, width: int, height: int) -> Floats:
    """(height, width) share of each cell that lies inside an outline, about: it is blurred anyway."""
    mask = np.zeros((height, width), np.uint8)
    points = (outline * (width / patch.width, height / patch.height) - 0.5) * 16
    cv2.fillConvexPoly(mask, points.astype(np.int32), 255, cv2.LINE_AA, 4)
    return mask * np.float32(1 / 255)


def _beyond_free_edge(made: Silhouette, patch: Patch, width: int, height: int) -> Floats:
    """(height, width) how far each cell lies beyond the own free edge, along the axis, in nail widths."""
    (x, y), (end_x, end_y) = made.axis.tolist()
    scale = 1 / (max(hypot(end_x - x, end_y - y), 1e-3) * made.width)
    dx, dy = (end_x - x) * scale, (end_y - y) * scale
    x, y = patch.left - x - made.edge * (end_x - x), patch.top - y - made.edge * (end_y - y)
    across, down = dx * patch.width / width, dy * patch.height / height  # from cell to cell
    return ramp(width, height, across, down, dx * x + dy * y + (across + down) / 2)


def _light_left(caster: Floats, kind: _Shadow) -> Floats:
    soft = cv2.GaussianBlur(caster, (0, 0), kind.blur * CELLS)
    dx, dy = (part * kind.fall * CELLS for part in FALLS)
    moved = cv2.warpAffine(soft, np.array([[1, 0, dx], [0, 1, dy]]), soft.shape[::-1])
    light: Floats = 1 - np.float32(kind.strength) * moved
    return light
