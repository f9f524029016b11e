from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from media_worker.drawn_hand import Scene, draw
from media_worker.evaluation.worn import paint, plain, true_nails
from media_worker.polish.extraction.snapping import snapped
from media_worker.vision.coverage import coverage
from media_worker.vision.nails import Nail
from protocol.designs import Pattern

DRAWING = draw(Scene(width=1280, height=960, noise=3, still=True), 0)
NAILS = true_nails(DRAWING)


def iou(a: Nail, b: Nail) -> float:
    first, second = (coverage(each.outline, 1280, 960) > 0.5 for each in (a, b))
    return float(np.count_nonzero(first & second) / np.count_nonzero(first | second))


def turn(a: Nail, b: Nail) -> float:
    """Radians between their axes."""
    one, other = (complex(*(each.axis[1] - each.axis[0])) for each in (a, b))
    return float(np.angle(one * other.conjugate()))


def shoved(nail: Nail) -> Nail:
    """As a finder is off: to a side, and a bit too large."""
    middle = nail.outline.mean(axis=0)
    outline = middle + 1.05 * (nail.outline - middle) + (1.5, -1.5)
    return replace(nail, outline=outline.astype(np.float32), axis=nail.axis + np.array([1.5, -1.5], np.float32))


@pytest.mark.parametrize("colours", [("#B3001B", "#FAF6F0"), ("#1B2A6B", "#F5CF55")])
@pytest.mark.parametrize("pattern", [Pattern.SOLID, Pattern.STRIPES])
def test_an_outline_moves_to_where_the_paint_ends(pattern: Pattern, colours: tuple[str, str]) -> None:
    photo = cv2.GaussianBlur(paint(DRAWING, plain(colours, pattern=pattern)), (0, 0), 0.6).astype(np.uint8)
    for nail in NAILS:
        off = shoved(nail)
        found = snapped(photo, off)
        assert iou(found, nail) > max(iou(off, nail) + 0.02, 0.9)
        length = float(np.hypot(*(nail.axis[1] - nail.axis[0])))
        assert np.hypot(*(found.axis - nail.axis).T).max() < 0.08 * length


def test_paint_that_is_hardly_seen_moves_an_outline_little() -> None:
    for nail in NAILS:
        assert iou(snapped(DRAWING.rgb, nail), nail) > 0.9


def test_white_stripes_beside_pale_skin_do_not_draw_an_outline_in() -> None:
    drawing = draw(Scene(width=1280, height=960, noise=4, still=True, tilt=12), 0)
    photo = paint(drawing, plain(("#1E4D38", "#F3EFE6"), pattern=Pattern.STRIPES))
    for nail in true_nails(drawing):
        assert iou(snapped(photo, nail), nail) > 0.92


def test_an_axis_turns_to_where_the_nail_is_long() -> None:
    left = []
    for nail in NAILS:
        along = nail.axis[1] - nail.axis[0]
        leaning = replace(nail, axis=nail.axis + np.outer([-0.06, 0.06], [-along[1], along[0]]).astype(np.float32))
        found = snapped(DRAWING.rgb, leaning)
        left.append(abs(turn(found, nail)) / abs(turn(leaning, nail)))
    assert max(left) < 0.85
    assert np.mean(left) < 0.6


def test_a_nail_at_the_border_is_no_mishap() -> None:
    for nail in NAILS[:2]:
        shift = nail.outline.min(axis=0) + 8
        cut = replace(nail, outline=nail.outline - shift, axis=nail.axis - shift)
        assert np.isfinite(snapped(DRAWING.rgb[:30, :30], cut).outline).all()
