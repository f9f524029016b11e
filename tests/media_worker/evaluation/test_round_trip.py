from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from media_worker.drawn_hand import draw
from media_worker.evaluation.round_trip import WORN_BY, RoundTripReport, Trip, compare, design_of, photograph
from media_worker.evaluation.worn import true_nails
from media_worker.pipeline import StillPipeline
from media_worker.polish.extraction import extract
from media_worker.polish.looks import Look
from protocol.designs import Finger, Pattern
from protocol.nail_sets import NailSet, SetKind

HAND = draw(replace(WORN_BY, width=1280, height=960), 0)


def extracted(pattern: Pattern) -> NailSet:
    """From a photo in which the nails are found without fail."""
    return extract(photograph(HAND, Look.of(design_of(pattern))), lambda _: (true_nails(HAND), 1))


@pytest.mark.parametrize("pattern", [Pattern.DOTS, Pattern.FRENCH])
def test_patterns_survive(pattern: Pattern) -> None:
    trips = list(compare(Look.of(design_of(pattern)), extracted(pattern), pattern, "light"))
    assert {trip.finger for trip in trips} == set(Finger) and all(trip.right for trip in trips)
    assert np.mean([trip.similarity for trip in trips]) > 0.75
    assert np.median([trip.colour for trip in trips]) < 5


def test_swapped_fingers_show() -> None:
    nails = extracted(Pattern.DOTS)
    swapped = nails.model_copy(update={"fingers": {**nails.fingers, Finger.RING: nails.fingers[Finger.THUMB]}})
    trips = {trip.finger: trip for trip in compare(Look.of(design_of(Pattern.DOTS)), swapped, Pattern.DOTS, "light")}
    assert not trips[Finger.RING].right and trips[Finger.RING].colour > 15
    assert trips[Finger.THUMB].right


@pytest.mark.media
def test_a_photo_of_stripes_goes_all_the_way(hand_model: Path) -> None:
    look = Look.of(design_of(Pattern.STRIPES))
    with closing(StillPipeline(hand_model)) as pipeline:
        nails = extract(photograph(draw(WORN_BY, 0), look), pipeline.find)
    assert nails.kind is SetKind.HAND and not nails.filled
    trips = list(compare(look, nails, Pattern.STRIPES, "light"))
    assert all(trip.right for trip in trips)
    assert np.mean([trip.similarity for trip in trips]) > 0.7
    assert np.median([trip.colour for trip in trips]) < 5


def test_figures_say_whether_targets_are_met() -> None:
    trips = [Trip(p, "light", Finger.RING, 0.9, 3.0, True) for p in (Pattern.STRIPES, Pattern.DOTS, Pattern.FRENCH)]
    assert all(figure.met for figure in RoundTripReport(trips).figures())
    trips[1] = replace(trips[1], similarity=0.4, right=False)
    missed = [figure.name for figure in RoundTripReport(trips).figures() if not figure.met]
    assert missed == ["dots: SSIM of nails, mean", "dots: on the right finger"]
