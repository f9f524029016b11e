"""The learned finder taking its time over a photo: several maps, several looks at each nail, names at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np

from media_worker.vision.arrays import Mask
from media_worker.vision.coverage import coverage
from media_worker.vision.finder import Guess, distinct, expected_nails, finger_pads, gap, on_pad
from media_worker.vision.hands import Hand
from media_worker.vision.masks import LEAST_CONFIDENCE, CropMask
from media_worker.vision.nails import Nail, numbered
from media_worker.vision.network_finder import NetworkFinder, look
from media_worker.vision.networks import NailCrops, NailMap
from media_worker.vision.pictures import Picture

MAP_SIZES = (96, 160, 320, 512, 800, 1152)
"""Longer sides of the maps' inputs, pixels: in one of them nails from half of a picture's side to a
hundredth of it are 9 to 55 pixels long."""

LARGEST_ENLARGEMENT = 1.5
"""No map of a picture enlarged by more: there is nothing in it that a smaller map would not show."""

QUICK_LOOKS = ((64, False), (64, True))
CLOSE_LOOKS = ((64, False), (64, True), (96, False), (96, True))
"""Crop sizes, and whether mirrored. The quick ones centre the close ones."""

FAINT = 0.05
"""Confidence after the quick looks from which a nail gets the close ones."""

SHARED = 0.35
"""Two outlines that share this part of the smaller one are one nail."""

NAMED_WITHIN = 0.75
"""A nail bears the name of the finger whose landmarks expect it within this many lengths."""


class StillFinder(NetworkFinder):
    """Finds nails in photos: 0.6 to 0.8 s for one of 1024x768 with five nails, on one thread of a 2-core AMD EPYC."""

    LEAST: ClassVar[float] = LEAST_CONFIDENCE
    EXACT: ClassVar[bool] = True

    def find(self, picture: Picture, hands: Sequence[Hand]) -> list[Nail]:
        expected = [guess for hand in hands for guess in expected_nails(hand)]
        pads = [guess for hand in hands for guess in finger_pads(hand)]
        places = [_expected_there(guess, expected) for guess in distinct([*self.propose(picture), *expected])]
        nails = self._look(picture, places, QUICK_LOOKS, min(FAINT, self._least))
        named = _named(_without_overlaps(nails, *picture.size), expected)
        nails = self._look(picture, [Guess.at(nail) for nail in named], CLOSE_LOOKS, self._least)
        nails = [nail for nail in nails if not on_pad(Guess.at(nail), pads)]
        return numbered(_named(_without_overlaps(nails, *picture.size), expected))

    def close(self) -> None:
        """Gives back what the networks worked in: 0.2 GB after a photo of 768 pixels or more. It may find nails again,
        the first time 0.1 s later."""
        for network in (self._map, self._crops):
            if isinstance(network, NailMap | NailCrops):
                network.rest()

    def propose(self, picture: Picture) -> list[Guess]:
        longest = max(picture.size) * LARGEST_ENLARGEMENT
        sizes = [size for size in MAP_SIZES if size <= longest] or [MAP_SIZES[0]]
        found = [each for size in sizes for each in self.hints(picture, size)]
        return distinct(guess for _, guess in sorted(found, key=lambda each: -each[0]))

    def _look(
        self, picture: Picture, guesses: Sequence[Guess], looks: Sequence[tuple[int, bool]], least: float
    ) -> list[Nail]:
        answers = [look(self._crops, picture, guesses, size, mirrored=mirrored) for size, mirrored in looks]
        masks = [CropMask.mean(each) for each in zip(*answers, strict=True)]
        return [nail for nail in self._nails(guesses, masks, least) if nail is not None]


def _expected_there(guess: Guess, expected: Sequence[Guess]) -> Guess:
    """The guess with the name that landmarks expect at its place: several may bear it for now."""
    nearest = min(expected, key=lambda each: gap(each, guess), default=None)
    if nearest is None or gap(nearest, guess) >= NAMED_WITHIN:
        return guess
    return replace(guess, finger=nearest.finger, hand=nearest.hand)


def _without_overlaps(nails: Sequence[Nail], width: int, height: int) -> list[Nail]:
    """Of nails that overlap, the more certain one; none outside of the picture."""
    kept: list[tuple[Nail, Mask]] = []
    for nail in sorted(nails, key=lambda each: -each.confidence):
        mask = coverage(nail.outline, width, height) > 0.5
        if mask.any() and not any(_overlap(mask, other) for _, other in kept):
            kept.append((nail, mask))
    return [nail for nail, _ in kept]


def _overlap(a: Mask, b: Mask) -> bool:
    smaller = min(np.count_nonzero(a), np.count_nonzero(b))
    return bool(np.count_nonzero(a & b) > SHARED * smaller)


def _named(nails: Sequence[Nail], expected: Sequence[Guess]) -> list[Nail]:
    """Names by what landmarks expect, nearest first, each name once; the others stay nameless."""
    names: dict[int, Guess] = {}
    pairs = [(gap(guess, Guess.at(nail)), k, guess) for k, nail in enumerate(nails) for guess in expected]
    for distance, k, guess in sorted(pairs, key=lambda pair: pair[0]):
        if distance < NAMED_WITHIN and k not in names and all(guess is not other for other in names.values()):
            names[k] = guess
    return [_with_name(nail, names.get(k)) for k, nail in enumerate(nails)]


def _with_name(nail: Nail, name: Guess | None) -> Nail:
    return replace(nail, finger=name.finger if name else None, hand=name.hand if name else None)
