"""Continues what is known of a flat nail over what is not: burnt spots, and all beyond the outline.

Row by row, as patterns run across a nail more often than along it: stripes, French tips and gradients stay whole.
"""

from __future__ import annotations

import cv2
import numpy as np

from media_worker.vision.arrays import Floats, Mask

REACH = 5
"""Pixels at the rim of the known that are averaged before they are continued, or their noise would become streaks."""

NARROWEST = 0.3
"""Share of a row that is known; of less, too much would be made up."""


def filled(picture: Floats, known: Mask) -> Floats:
    """(H, W, 3) with its unknown pixels replaced: within a row between both sides, beyond its ends the end itself.

    Rows of which little is known, as at the point of an almond, are like the nearest of which more is. At least one
    pixel is known.
    """
    rims = _averaged(picture, known)
    result = np.where(known[..., None], picture, rims)
    columns = np.arange(known.shape[1])
    widths = known.sum(axis=1)
    rows = np.flatnonzero(widths >= min(NARROWEST * known.shape[1], widths.max()))
    for row in rows:
        seen, unseen = np.flatnonzero(known[row]), np.flatnonzero(~known[row])
        for channel in range(3):
            result[row, unseen, channel] = np.interp(unseen, columns[seen], rims[row, seen, channel])
    nearest = rows[np.abs(np.arange(len(known))[:, None] - rows[None, :]).argmin(axis=1)]
    whole: Floats = result[nearest].astype(np.float32, copy=False)
    return whole


def _averaged(picture: Floats, known: Mask) -> Floats:
    """Each pixel with its known neighbours in the row and the next ones, (H, W, 3)."""
    weight = known.astype(np.float32)
    total = cv2.blur(picture * weight[..., None], (REACH, 3))
    averaged: Floats = total / np.maximum(cv2.blur(weight, (REACH, 3)), 1e-6)[..., None]
    return averaged
