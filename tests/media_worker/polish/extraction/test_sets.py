from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media_worker.drawn_hand import Drawing, Scene, draw
from media_worker.evaluation.worn import paint, plain, true_nails
from media_worker.pipeline import StillPipeline
from media_worker.polish.extraction import extract
from media_worker.polish.extraction.sets import Finder
from media_worker.vision.arrays import Pixels
from media_worker.vision.nails import FINGERS, Nail
from protocol.designs import Finger, Pattern
from protocol.errors import BadImage
from protocol.nail_sets import NAIL_SIZE, NailPicture, NailSet, SetKind
from tests.media_worker.polish.extraction.test_tips import sheet

HAND = draw(Scene(width=1280, height=960, still=True), 0)


def nothing(_: Pixels) -> tuple[list[Nail], int]:
    return [], 0


def nails_of(drawing: Drawing, *, nameless: bool = False) -> Finder:
    nails = true_nails(drawing)
    if nameless:
        nails = [replace(nail, finger=None, hand=None) for nail in nails]
    return lambda _: (nails, 0 if nameless else 1)


def picture_of(nail: NailPicture) -> Pixels:
    bgr = cv2.imdecode(np.frombuffer(nail.image, np.uint8), cv2.IMREAD_COLOR)
    return cv2.cvtColor(np.asarray(bgr), cv2.COLOR_BGR2RGB).astype(np.uint8)


def worn(nails: NailSet, finger: Finger) -> Pixels:
    return picture_of(nails.nails[nails.fingers[finger]])


def test_a_hand_gives_its_five_nails_in_their_colour() -> None:
    found = extract(paint(HAND, plain(("#1B4F8A",))), nails_of(HAND))
    assert found.kind is SetKind.HAND and not found.filled
    assert [found.nails[found.fingers[finger]].finger for finger in FINGERS] == list(FINGERS)
    assert found.confidence > 0.8
    for finger in FINGERS:
        picture = worn(found, finger)
        assert picture.shape == (NAIL_SIZE, NAIL_SIZE, 3)
        assert np.abs(np.median(picture.reshape(-1, 3), axis=0) - (0x1B, 0x4F, 0x8A)).max() < 16


def test_no_skin_shows_at_the_rims() -> None:
    found = extract(paint(HAND, plain(("#1B4F8A",))), nails_of(HAND))
    for finger in FINGERS:
        picture = worn(found, finger).astype(int)
        rim = np.concatenate(
            [picture[:4].reshape(-1, 3), picture[:, :4].reshape(-1, 3), picture[:, -4:].reshape(-1, 3)]
        )
        assert (rim[:, 2] > rim[:, 0]).mean() > 0.97, "blue, not skin"


def test_a_french_tip_stays_on_the_tip() -> None:
    found = extract(paint(HAND, plain(("#B3001B", "#FAF6F0"), pattern=Pattern.FRENCH)), nails_of(HAND))
    for finger in FINGERS:
        green = worn(found, finger)[..., 1].astype(int)
        assert green[-14:].mean() > 180 and green[:80].mean() < 60


def test_nails_without_a_hand_are_tips() -> None:
    found = extract(paint(HAND, plain(("#1B4F8A",))), nails_of(HAND, nameless=True))
    assert found.kind is SetKind.TIPS and len(found.nails) == 5
    assert all(nail.finger is None for nail in found.nails)
    assert found.confidence < 0.9


def test_a_sheet_of_tips_is_read_without_a_finder() -> None:
    found = extract(sheet(), nothing)
    assert found.kind is SetKind.TIPS and len(found.nails) == 5
    for k, finger in enumerate(FINGERS):
        colour = np.median(worn(found, finger).reshape(-1, 3), axis=0)
        assert np.abs(colour - (180 - 20 * k, 20, 40 + 30 * k)).max() < 12


@pytest.mark.parametrize("size", [(1, 1), (20, 20), (60, 80), (900, 40)])
def test_a_swatch_keeps_its_very_colour(size: tuple[int, int]) -> None:
    found = extract(np.full((*size, 3), (200, 30, 90), np.uint8), nothing)
    assert found.kind is SetKind.SWATCH and found.confidence == 1
    assert np.all(worn(found, Finger.RING) == (200, 30, 90))


def test_a_swatch_is_cut_from_the_middle() -> None:
    picture = np.zeros((100, 300, 3), np.uint8)
    picture[:, 100:200] = (0, 200, 0)
    assert np.all(worn(extract(picture, nothing), Finger.INDEX) == (0, 200, 0))


def test_a_busy_picture_is_a_doubtful_swatch() -> None:
    noise = np.random.default_rng(2).integers(0, 256, (8, 8, 3), np.uint8)
    assert extract(cv2.resize(noise, (300, 300)).astype(np.uint8), nothing).confidence < 0.6


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 300), st.integers(1, 300), st.integers(0, 2**31))
def test_any_size_gives_a_set(width: int, height: int, seed: int) -> None:
    rgb = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    nails = true_nails(HAND)[:2]
    for finder in (nothing, lambda _: (nails, 1)):
        assert set(extract(rgb, finder).fingers) == set(FINGERS)


@pytest.mark.media
@pytest.mark.parametrize("size", [(1, 4000), (4000, 1), (3, 3), (60, 600), (23, 500)])
def test_the_real_finder_is_not_asked_about_strips(size: tuple[int, int], hand_model: Path) -> None:
    with closing(StillPipeline(hand_model)) as pipeline:
        assert extract(np.full((*size, 3), 99, np.uint8), pipeline.find).kind is SetKind.SWATCH


@pytest.mark.parametrize("shape", [(0, 5, 3), (5, 5), (5, 5, 4)])
def test_other_arrays_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(BadImage, match="RGB"):
        extract(np.zeros(shape, np.uint8), nothing)


def test_a_large_photo_is_reduced_first() -> None:
    seen: list[tuple[int, ...]] = []

    def finder(rgb: Pixels) -> tuple[list[Nail], int]:
        seen.append(rgb.shape)
        return [], 0

    extract(np.zeros((3000, 4000, 3), np.uint8), finder)
    assert seen == [(1536, 2048, 3)]
