"""The drawn hand with polish on its true nails: what the renderer alone does, no finder in between."""

from __future__ import annotations

import cv2
import numpy as np

from media_worker.drawn_hand import Drawing, DrawnNail
from media_worker.drawn_skin import Box, coverage
from media_worker.polish.looks import Look
from media_worker.polish.painter import Painter
from media_worker.vision.arrays import Mask, Pixels
from media_worker.vision.nails import Nail
from protocol.designs import Design, Finish, Pattern

EDGE = 2
"""Pixels along a nail's outline that are no use for judging colour: antialiased, or the cuticle's margin."""


def plain(colours: tuple[str, ...], finish: Finish = Finish.CREAM, pattern: Pattern = Pattern.SOLID) -> Look:
    """The same on all five fingers; colours are #RRGGBB."""
    return Look.of(Design(id=1, name="plain", family="plain", finish=finish, pattern=pattern, colours=colours))


def true_nails(drawing: Drawing) -> list[Nail]:
    """As a perfect finder would name them in every frame."""
    return [
        Nail(each.finger, each.hand, each.outline.astype(np.float32), each.axis.astype(np.float32), 1.0, 1.0, track=k)
        for k, each in enumerate(drawing.nails, 1)
    ]


def paint(drawing: Drawing, look: Look, painter: Painter | None = None) -> Pixels:
    """A painted copy, uint8 (H, W, 3); with a `painter` of its own where the drawing is one frame of a stream."""
    rgb = drawing.rgb.copy()
    (painter or Painter()).paint_rgb(rgb, true_nails(drawing), look)
    return rgb


def cores(drawing: Drawing) -> list[Mask]:
    """Of each nail the pixels that lie wholly within it, EDGE from its outline: bool (H, W)."""
    return [_core(nail, drawing) for nail in drawing.nails]


def _core(nail: DrawnNail, drawing: Drawing) -> Mask:
    height, width = drawing.rgb.shape[:2]
    whole = (coverage(nail.outline, Box(0, 0, width, height)) > 0.999).astype(np.uint8)
    core: Mask = cv2.erode(whole, np.ones((2 * EDGE + 1, 2 * EDGE + 1), np.uint8)) > 0
    return core
