"""Does a photographed manicure come back? One drawn hand wears a design and is photographed, another wears what was
extracted from the photo; beside it stands the same other hand that wears the design itself.

Both are compared nail by nail in nail coordinates, on the pixels well inside of the true nail.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from media_worker.drawn_hand import SKIN_TONES, Drawing, Scene, draw
from media_worker.evaluation.colour_difference import ciede2000, lab
from media_worker.evaluation.figures import Figure
from media_worker.evaluation.similarity import ssim
from media_worker.evaluation.worn import paint, true_nails
from media_worker.files import Progress
from media_worker.pipeline import StillPipeline
from media_worker.polish.extraction import extract
from media_worker.polish.extraction.rectify import FlatNail, flatten
from media_worker.polish.looks import Look
from media_worker.vision.arrays import Floats, Pixels
from protocol.designs import Design, Finger, Finish, Pattern, Style
from protocol.nail_sets import NailSet

PATTERNS = (Pattern.STRIPES, Pattern.DOTS, Pattern.FRENCH)

COLOURS: dict[Finger, tuple[str, str]] = {
    Finger.THUMB: ("#B3001B", "#FAF6F0"),
    Finger.INDEX: ("#E8B7A8", "#FFFFFF"),
    Finger.MIDDLE: ("#1B2A6B", "#F5CF55"),
    Finger.RING: ("#1E4D38", "#F3EFE6"),
    Finger.PINKY: ("#B9A5DC", "#4A0714"),
}
"""Base and accent, different on each finger, so that a swapped finger shows."""

WORN_BY = Scene(width=2048, height=1536, noise=4, still=True, tilt=12)
"""Who is photographed: by a phone that holds still, but not straight."""

TRIED_ON_BY = Scene(width=1280, height=960, skin=SKIN_TONES["dark"], tilt=-9, seed=3)
"""Who wears it then: other skin, other pose."""

AT = 2.6
"""Seconds: the pose of the second hand."""

QUALITY = 75
"""Of the photo's JPEG."""


@dataclass(frozen=True)
class Trip:
    """One finger's way from the design to the other hand."""

    pattern: Pattern
    skin: str
    finger: Finger
    similarity: float
    """SSIM of the grey pictures."""
    colour: float
    """CIEDE2000, median over pixels."""
    right: bool
    """It wears its own nail, not another finger's."""


@dataclass(frozen=True)
class RoundTripReport:
    trips: list[Trip]

    def as_dict(self) -> dict[str, Any]:
        return {pattern.value: _summary(trips) for pattern, trips in self._by_pattern().items()}

    def figures(self) -> list[Figure]:
        figures = []
        for pattern, trips in self._by_pattern().items():
            summary, note = _summary(trips), f"worst {min(each.similarity for each in trips):.2f}"
            figures += [
                Figure(f"{pattern.value}: SSIM of nails, mean", summary["ssim"], at_least=0.85, note=note),
                Figure(f"{pattern.value}: ΔE2000 median", summary["delta_e"], 2, at_most=5),
                Figure(f"{pattern.value}: on the right finger", summary["right"], 2, at_least=1),
            ]
        return figures

    def _by_pattern(self) -> dict[Pattern, list[Trip]]:
        trips = {pattern: [each for each in self.trips if each.pattern is pattern] for pattern in PATTERNS}
        return {pattern: group for pattern, group in trips.items() if group}


def round_trips(model: Path | None, progress: Progress) -> RoundTripReport:
    """Every pattern, photographed on every skin tone; nothing without a hand model. Raises VisionFailed."""
    trips: list[Trip] = []
    if model is None:
        return RoundTripReport(trips)
    tasks = [(pattern, skin) for pattern in PATTERNS for skin in SKIN_TONES]
    with closing(StillPipeline(model)) as pipeline:
        for done, (pattern, skin) in enumerate(tasks, 1):
            look = Look.of(design_of(pattern))
            photo = photograph(draw(replace(WORN_BY, skin=SKIN_TONES[skin]), 0), look)
            trips += compare(look, extract(photo, pipeline.find), pattern, skin)
            progress(done, len(tasks))
    return RoundTripReport(trips)


def design_of(pattern: Pattern) -> Design:
    """The pattern in another pair of COLOURS on each finger."""
    styles = {finger: Style(colours=colours) for finger, colours in COLOURS.items()}
    base = COLOURS[Finger.INDEX]
    return Design(id=1, name="trip", family="trip", pattern=pattern, finish=Finish.GLOSS, colours=base, fingers=styles)


def photograph(drawing: Drawing, look: Look) -> Pixels:
    """The painted hand as a phone saves it, uint8 (H, W, 3)."""
    bgr = cv2.cvtColor(paint(drawing, look), cv2.COLOR_RGB2BGR)
    jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1]
    return np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR_RGB), np.uint8)


def compare(look: Look, nail_set: NailSet, pattern: Pattern, skin: str) -> Iterator[Trip]:
    """Both worn by the second hand."""
    hand = draw(TRIED_ON_BY, AT)
    wanted, got = _flat(paint(hand, look), hand), _flat(paint(hand, Look.of_set(nail_set)), hand)
    for finger, nail in got.items():
        own = wanted[finger]
        alike = ssim(_grey(own.rgb), _grey(nail.rgb), own.inside)
        nearest = min(wanted, key=lambda each: _gap(wanted[each], nail))
        yield Trip(pattern, skin, finger, alike, _gap(own, nail), nearest is finger)


def _flat(picture: Pixels, hand: Drawing) -> dict[Finger, FlatNail]:
    """The true nails of a painted hand, laid out flat."""
    nails = {nail.finger: flatten(picture, nail) for nail in true_nails(hand)}
    return {finger: flat for finger, flat in nails.items() if finger and flat}


def _gap(a: FlatNail, b: FlatNail) -> float:
    """CIEDE2000, median over the pixels that are inside of both."""
    both = a.inside & b.inside
    return float(np.median(ciede2000(lab(a.rgb[both]), lab(b.rgb[both]))))


def _grey(rgb: Pixels) -> Floats:
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)


def _summary(trips: list[Trip]) -> dict[str, float]:
    return {
        "ssim": float(np.mean([each.similarity for each in trips])),
        "delta_e": float(np.median([each.colour for each in trips])),
        "right": float(np.mean([each.right for each in trips])),
    }
