from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from media_worker.drawn_hand import Scene, draw
from media_worker.vision.arrays import Floats, Pixels
from media_worker.vision.coverage import coverage
from media_worker.vision.finder import Guess, expected_nails, gap
from media_worker.vision.masks import RAW
from media_worker.vision.metrics import iou
from media_worker.vision.network_finder import STREAM_CROP_SIZE, NetworkFinder, look, map_guesses
from media_worker.vision.networks import MAP_STRIDE, UNIT_LENGTH, CropOutput, MapOutput
from media_worker.vision.pictures import I420Picture, RgbPicture
from protocol.designs import Finger
from tests.media_worker.training.drawn_photos import TrueCrops, TrueMap, coloured, two_coloured
from tests.media_worker.vision.hand_fakes import a_hand

NAILS = ((80.0, 90.0, 0.0), (160.0, 70.0, 40.0), (240.0, 150.0, 200.0))
"""x, y and degrees; 40 pixels long."""

LENGTH = 40


class FixedMap:
    """A map network that says the same of every picture: heat in a few cells."""

    def __init__(self, heat: dict[tuple[int, int], float], log_length: float = 0.0) -> None:
        """`heat`: logits by row and column."""
        self._heat, self._log_length = heat, log_length
        self.inputs: list[tuple[int, ...]] = []

    def __call__(self, rgb: Pixels) -> MapOutput:
        self.inputs.append(rgb.shape)
        cells = rgb.shape[0] // MAP_STRIDE, rgb.shape[1] // MAP_STRIDE
        heat = np.full(cells, -9.0)
        for cell, logit in self._heat.items():
            heat[cell] = logit
        along = np.stack([np.zeros(cells), np.full(cells, -3.0)])  # of any length
        return MapOutput(heat, np.full(cells, -9.0), along, np.full(cells, self._log_length))


class Counting:
    """A crop network, and how many crops it was shown."""

    def __init__(self) -> None:
        self.shown = 0

    def __call__(self, crops: Sequence[Pixels]) -> CropOutput:
        self.shown += len(crops)
        return TrueCrops()(crops)


def direction(degrees: float) -> Floats:
    return np.array([np.sin(np.radians(degrees)), -np.cos(np.radians(degrees))])


def black(height: int, width: int) -> RgbPicture:
    return RgbPicture(np.zeros((height, width, 3), np.uint8))


def guess_of(nail: tuple[float, float, float], scale: float = 1.0) -> Guess:
    x, y, degrees = nail
    return Guess(scale * np.array([x, y]), scale * LENGTH * direction(degrees))


@pytest.mark.parametrize(
    ("size", "longest"), [((320, 240), 320), ((320, 240), 512), ((333, 251), 320), ((300, 400), 320), ((640, 360), 320)]
)
def test_proposals_are_where_nails_are_as_long_and_pointing_as_they_do(size: tuple[int, int], longest: int) -> None:
    guesses = [guess for _, guess in map_guesses(TrueMap(), RgbPicture(two_coloured(*NAILS, size=size)), longest)]
    assert len(guesses) == len(NAILS)
    for nail in map(guess_of, NAILS):
        nearest = min(guesses, key=lambda guess: gap(nail, guess))
        cell = MAP_STRIDE * max(size) / longest
        assert np.abs(nearest.centre - nail.centre).max() <= cell
        assert nearest.length == pytest.approx(LENGTH, rel=0.15)
        assert nearest.along @ nail.along / (nearest.length * LENGTH) > 0.97
        assert nearest.finger is nearest.hand is None


def test_the_hottest_comes_first_and_the_coldest_not_at_all() -> None:
    network = FixedMap({(10, 10): 0.5, (20, 20): 3.0, (30, 30): -3.0})
    found = map_guesses(network, black(240, 320), 320)
    assert [round(heat, 2) for heat, _ in found] == [0.95, 0.62]
    assert np.allclose(found[0][1].centre, (20.5 * MAP_STRIDE, 20.5 * MAP_STRIDE), atol=0.1)
    assert np.allclose(found[0][1].along, (0, -UNIT_LENGTH))
    assert len(map_guesses(network, black(240, 320), 320, least=0.01)) == 3


def test_heat_in_two_cells_lies_between_them() -> None:
    ((_, guess),) = map_guesses(FixedMap({(10, 10): 2.0, (10, 11): 1.9}), black(240, 320), 320)
    assert guess.centre[0] == pytest.approx(11 * MAP_STRIDE, abs=0.2)
    assert guess.centre[1] == pytest.approx(10.5 * MAP_STRIDE, abs=0.2)


def test_places_and_lengths_are_those_of_the_picture_that_came_in() -> None:
    ((_, guess),) = map_guesses(FixedMap({(10, 10): 2.0}, np.log(2)), black(480, 640), 320)
    assert np.allclose(guess.centre, (84, 84), atol=0.2)
    assert guess.length == pytest.approx(2 * 2 * UNIT_LENGTH)


def test_pictures_are_padded_to_what_the_network_takes_and_nothing_is_found_in_the_padding() -> None:
    network = FixedMap({(10, 10): 2.0, (63, 10): 2.0})
    found = map_guesses(network, black(245, 320), 320)
    assert network.inputs == [(256, 320, 3)]
    assert [round(float(guess.centre[1])) for _, guess in found] == [42]


@pytest.mark.parametrize("scale", [0.5, 1.0, 3.0])
def test_a_rough_guess_becomes_an_outline(scale: float) -> None:
    small = two_coloured(*NAILS)
    picture = np.kron(small, np.ones((int(scale), int(scale), 1), np.uint8)) if scale >= 1 else small[::2, ::2]
    finder = NetworkFinder(TrueMap(), TrueCrops())
    guesses = [guess_of((x + 6, y - 5, degrees + 20), scale) for x, y, degrees in NAILS]
    truth = coloured(picture)
    covered = np.zeros_like(truth)
    for nail, drawn in zip(finder.refine(RgbPicture(picture), guesses), NAILS, strict=True):
        assert nail is not None
        along = nail.axis[1] - nail.axis[0]
        assert along @ direction(drawn[2]) / np.hypot(*along) > 0.97
        assert np.hypot(*along) == pytest.approx(scale * LENGTH, rel=0.1)
        covered |= coverage(nail.outline, *picture.shape[1::-1]) > 0.5
    assert iou(covered, truth) > 0.88


def test_answers_keep_the_guesses_order_and_names() -> None:
    finder = NetworkFinder(TrueMap(), TrueCrops())
    named = Guess(np.array([160.0, 70.0]), LENGTH * direction(40), Finger.INDEX, "left")
    nowhere = Guess(np.array([40.0, 210.0]), LENGTH * direction(0), Finger.THUMB, "left")
    missing, found = finder.refine(RgbPicture(two_coloured(*NAILS)), [nowhere, named])
    assert missing is None
    assert found is not None and (found.finger, found.hand) == (Finger.INDEX, "left")


def test_each_guess_is_looked_at_once_and_none_costs_nothing() -> None:
    network = Counting()
    finder = NetworkFinder(TrueMap(), network)
    assert finder.refine(RgbPicture(two_coloured(*NAILS)), []) == []
    assert network.shown == 0
    finder.refine(RgbPicture(two_coloured(*NAILS)), list(map(guess_of, NAILS)))
    assert network.shown == 3


def test_what_is_less_likely_than_asked_is_left_out() -> None:
    picture, guesses = RgbPicture(two_coloured(*NAILS)), [guess_of(NAILS[0])]
    (nail,) = NetworkFinder(TrueMap(), TrueCrops(), calibration=RAW, least=0.5).refine(picture, guesses)
    assert nail is not None
    stricter = NetworkFinder(TrueMap(), TrueCrops(), calibration=RAW, least=nail.confidence + 0.001)
    assert stricter.refine(picture, guesses) == [None]


def test_a_mirrored_look_maps_back() -> None:
    """Guesses are askew, so that a mask or a direction left mirrored would lie elsewhere."""
    picture = RgbPicture(two_coloured(*NAILS))
    guesses = [guess_of((x + 7, y + 3, degrees + 30)) for x, y, degrees in NAILS]
    straight, mirrored = (look(TrueCrops(), picture, guesses, 64, mirrored=mirrored) for mirrored in (False, True))
    for one, other in zip(straight, mirrored, strict=True):
        assert iou(one.logits > 0, other.logits > 0) > 0.93
        assert iou(one.logits > 0, other.logits[:, ::-1] > 0) < 0.8
        assert one.direction @ other.direction > 0.99
        assert abs(one.direction[0]) > 0.3


def test_the_networks_that_come_with_lacquer_outline_a_drawn_hand() -> None:
    drawing = draw(Scene(), 0)
    nails = NetworkFinder().refine(RgbPicture(drawing.rgb), expected_nails(a_hand()))
    for nail, drawn in zip(nails, drawing.nails, strict=True):
        assert nail is not None and nail.finger is drawn.finger
        masks = [coverage(np.asarray(outline), 640, 480) > 0.5 for outline in (nail.outline, drawn.outline)]
        assert iou(*masks) > 0.75, nail.finger


def test_those_networks_propose_every_nail_of_a_drawn_hand() -> None:
    drawing = draw(Scene(), 0)
    proposals = NetworkFinder().propose(RgbPicture(drawing.rgb))
    for drawn in drawing.nails:
        truth = Guess(drawn.outline.mean(axis=0), drawn.axis[1] - drawn.axis[0])
        assert min(gap(truth, guess) for guess in proposals) < 0.4, drawn.finger


def test_crops_of_a_stream_are_small() -> None:
    sizes: list[tuple[int, ...]] = []

    def network(crops: Sequence[Pixels]) -> CropOutput:
        sizes.extend(crop.shape for crop in crops)
        return TrueCrops()(crops)

    NetworkFinder(TrueMap(), network).refine(RgbPicture(two_coloured(*NAILS)), [guess_of(NAILS[0])])
    assert sizes == [(STREAM_CROP_SIZE, STREAM_CROP_SIZE, 3)]


def test_a_nail_is_in_the_same_place_in_any_layout() -> None:
    i420 = cv2.cvtColor(draw(Scene(), 0).rgb, cv2.COLOR_RGB2YUV_I420).astype(np.uint8, copy=False)
    rgb = cv2.cvtColor(i420, cv2.COLOR_YUV2RGB_I420).astype(np.uint8, copy=False)
    guesses = expected_nails(a_hand())
    pairs = zip(*(NetworkFinder().refine(each, guesses) for each in (I420Picture(i420), RgbPicture(rgb))), strict=True)
    for one, other in pairs:
        assert one is not None and other is not None
        assert np.hypot(*(one.outline.mean(axis=0) - other.outline.mean(axis=0))) < 0.3, one.finger
        assert np.abs(one.axis - other.axis).max() < 1, one.finger
