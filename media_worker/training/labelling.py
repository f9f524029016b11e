"""What the data does not say, filled in: directions of masked nails, masks of boxed ones.

Directions come from MediaPipe's landmarks where a hand is found. For the rest, and for boxes, a crop network trained on
the first ones is asked from eight sides; where its answers agree they are taken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from media_worker.training.photos import UNKNOWN, LabelledNail, Photo, image_paths, measured, read_full, shrunk
from media_worker.vision.arrays import Floats, Pixels
from media_worker.vision.finder import Guess
from media_worker.vision.hands import Hand
from media_worker.vision.masks import RAW, CropMask, nail_of
from media_worker.vision.nails import FINGERS, PROPORTIONS, Nail
from media_worker.vision.network_finder import CropNetwork, MapNetwork, look, map_guesses
from media_worker.vision.pictures import Picture, RgbPicture
from media_worker.vision.still_finder import LARGEST_ENLARGEMENT, MAP_SIZES
from media_worker.vision.still_hands import StillHandFinder

TURNS = 8
"""Directions tried for a nail of which nothing is known."""

AGREEMENT = 0.7
"""Length of the mean of unit vectors from which directions agree."""

NAMED_WITHIN = 0.45
"""A nail belongs to a finger whose landmarks expect it within this many lengths of the last bone."""

FAINT = 0.04
"""Heat from which a place without a nail is worth learning from."""

CONVINCED = 0.2
"""Raw confidence from which a false nail is worth learning from."""

BOX_OVERLAP = 0.75
"""IoU of a mask's bounding box with the box that people drew, from which the mask is believed."""


def direct_by_landmarks(photo: Photo, finder: StillHandFinder) -> None:
    """Gives the photo's nails the direction of the finger that they lie on, where a hand is found."""
    for hand in finder.find(photo.rgb):
        for index in range(5):
            _direct_by_finger(photo, hand, index)


def _direct_by_finger(photo: Photo, hand: Hand, index: int) -> None:
    joint, tip = hand.landmarks[4 * index + 3], hand.landmarks[4 * index + 4]
    bone = float(np.hypot(*(tip - joint)))
    shape = PROPORTIONS[FINGERS[index]]
    expected = joint + (shape.cuticle + shape.free_edge) / 2 * (tip - joint)
    gaps = {float(np.hypot(*(nail.centre - expected))): nail for nail in photo.nails}
    nearest = min(gaps, default=np.inf)
    if bone > 0 and nearest < NAMED_WITHIN * bone:
        _direct(photo, gaps[nearest], (tip - joint) / bone)


def direct_upwards(photo: Photo) -> None:
    """For photos in which all fingers point up."""
    for nail in photo.nails:
        _direct(photo, nail, np.array([0.0, -1.0]))


def direct_by_opinion(photo: Photo, network: CropNetwork) -> int:
    """Asks the network for directions that are unknown; returns how many stay so."""
    picture = RgbPicture(photo.rgb)
    unsure = 0
    for nail in photo.nails:
        if nail.directed:
            continue
        opinion = _opinion(network, picture, [Guess(nail.centre, along) for along in _turns(nail.along)])
        if opinion.agreement >= AGREEMENT:
            _direct(photo, nail, opinion.direction)
        else:
            unsure += 1
    return unsure


def _direct(photo: Photo, nail: LabelledNail, direction: Floats) -> None:
    photo.nails[photo.nails.index(nail)] = measured(photo.labels, nail.number, direction)


@dataclass(frozen=True)
class _Opinion:
    direction: Floats
    """(2,) unit vector: mean of the answers."""
    agreement: float
    """0–1."""
    nails: list[Nail]


def _opinion(network: CropNetwork, picture: Picture, guesses: Sequence[Guess]) -> _Opinion:
    """Each guess is looked at, turned and centred by what was seen, and looked at more closely."""
    better = [Guess.at(nail) for nail in _seen(network, picture, guesses, sizes=(64,))]
    nails = _seen(network, picture, better, sizes=(64, 96))
    if not nails:
        return _Opinion(np.array([0.0, -1.0]), 0.0, [])
    axes = np.stack([nail.axis[1] - nail.axis[0] for nail in nails])
    mean = (axes / np.maximum(np.linalg.norm(axes, axis=1, keepdims=True), 1e-6)).mean(axis=0)
    agreement = float(np.hypot(*mean))
    return _Opinion(mean / max(agreement, 1e-6), agreement, nails)


def _seen(network: CropNetwork, picture: Picture, guesses: Sequence[Guess], sizes: Sequence[int]) -> list[Nail]:
    looks = [look(network, picture, guesses, size, mirrored=side) for size in sizes for side in (False, True)]
    masks = [CropMask.mean(each) for each in zip(*looks, strict=True)]
    found = [nail_of(guess, mask) for guess, mask in zip(guesses, masks, strict=True)]
    return [nail for nail in found if nail is not None]


def _turns(along: Floats) -> list[Floats]:
    angles = 2 * np.pi * np.arange(TURNS) / TURNS
    return [np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]) @ along for a in angles]


def read_boxed(folder: Path, network: CropNetwork, report: Callable[[str, int, int], None]) -> list[Photo]:
    """Photos of `folder`/images with `folder`/boxes (text: x1 y1 x2 y2 in pixels, a line a nail).

    A box whose mask the network finds again becomes a nail; the others are UNKNOWN, so that nothing wrong is learned.
    """
    photos = []
    paths = list(image_paths(folder / "images"))
    for path in paths:
        full = read_full(path)
        rgb = shrunk(full)
        lines = (folder / "boxes" / f"{path.stem}.txt").read_text().splitlines()
        scale = rgb.shape[1] / full.shape[1]
        boxes = [np.array(line.split(), np.float64) * scale for line in lines if line.strip()]
        photo = Photo(path.stem, rgb, np.zeros(rgb.shape[:2], np.int16))
        picture = RgbPicture(rgb)
        for box in boxes:
            _mark_box(photo, picture, network, box)
        photos.append(photo)
        report("marking boxed nails", len(photos), len(paths))
    return photos


def _mark_box(photo: Photo, picture: Picture, network: CropNetwork, box: Floats) -> None:
    width, height = box[2:] - box[:2]
    left, top, right, bottom = box.round().astype(int)
    if min(width, height) < 6:
        photo.labels[top:bottom, left:right] = UNKNOWN
        return
    centre = (box[:2] + box[2:]) / 2
    guesses = [Guess(centre, along) for along in _turns(np.array([0.0, max(width, height)]))]
    opinion = _opinion(network, picture, guesses)
    best = max(opinion.nails, key=lambda nail: _box_overlap(nail, box), default=None)
    if best is None or _box_overlap(best, box) < BOX_OVERLAP:
        photo.labels[top:bottom, left:right] = UNKNOWN
        return
    mark(photo, best, opinion.direction if opinion.agreement >= AGREEMENT else None)


def mark(photo: Photo, nail: Nail, direction: Floats | None) -> None:
    """Adds a found nail to the photo's labels."""
    number = len(photo.nails) + 1
    inside = np.zeros(photo.labels.shape, np.uint8)
    cv2.fillPoly(inside, [np.round((nail.outline - 0.5) * 16).astype(np.int32)], 1, shift=4)
    if np.count_nonzero(inside) < 12:
        return
    photo.labels[inside > 0] = number
    photo.nails.append(measured(photo.labels, number, direction))


def _box_overlap(nail: Nail, box: Floats) -> float:
    low, high = nail.outline.min(axis=0), nail.outline.max(axis=0)
    both = float(np.prod(np.clip(np.minimum(high, box[2:]) - np.maximum(low, box[:2]), 0, None)))
    either = float(np.prod(high - low)) + float(np.prod(box[2:] - box[:2])) - both
    return both / max(either, 1e-6)


@dataclass(frozen=True)
class FalseProposal:
    """A place without a nail that a map took for one."""

    rgb: Pixels
    """The whole photo, (H, W, 3)."""
    guess: Guess
    heat: float


def false_proposals(photo: Photo, network: MapNetwork) -> list[FalseProposal]:
    """What the network proposes in a photo, even faintly, where no nail is marked or thinkable."""
    picture = RgbPicture(photo.rgb)
    found = [
        proposal
        for size in MAP_SIZES
        if size <= LARGEST_ENLARGEMENT * max(picture.size)
        for proposal in map_guesses(network, picture, size, least=FAINT)
    ]
    return [FalseProposal(photo.rgb, guess, heat) for heat, guess in found if not _touches_nail(photo, guess)]


def confirmed(proposals: Sequence[FalseProposal], network: CropNetwork) -> list[FalseProposal]:
    """Those false proposals of one picture that the crop network takes for nails, too: where it sees each."""
    if not proposals:
        return []
    guesses = [proposal.guess for proposal in proposals]
    masks = look(network, RgbPicture(proposals[0].rgb), guesses, 64)
    nails = [nail_of(guess, mask, RAW, least=CONVINCED) for guess, mask in zip(guesses, masks, strict=True)]
    return [FalseProposal(proposals[0].rgb, Guess.at(nail), nail.confidence) for nail in nails if nail is not None]


def _touches_nail(photo: Photo, guess: Guess) -> bool:
    reach = max(guess.length / 2, 2)
    left, top = np.maximum(guess.centre - reach, 0).astype(int)
    right, bottom = np.ceil(guess.centre + reach).astype(int)
    return float((photo.labels[top:bottom, left:right] != 0).mean()) > 0.03
