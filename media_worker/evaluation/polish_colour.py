"""Does polish have its swatch's colour, and does it hide what is under it? CIEDE2000 by pixel, on the drawn hand.

Highlights are left out by share: of each nail the brightest 15 % of its pixels. That many a highlight takes; a nail
that is too bright as a whole is not excused by it, as it would be by leaving out what is brighter than the swatch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from media_worker.drawn_hand import SKIN_TONES, Scene, draw
from media_worker.evaluation.colour_difference import ciede2000, lab
from media_worker.evaluation.figures import Figure
from media_worker.evaluation.worn import cores, paint, plain
from media_worker.files import Progress
from media_worker.vision.arrays import Floats, Mask, Pixels
from protocol.designs import Finish

HIGHLIGHTS = 0.15
"""Share of a nail's pixels, the brightest, that are left out."""

SWATCHES = (
    "#FAF8F5", "#F3D3D1", "#E8DCC8", "#F5CF55", "#F2B8A0", "#FF6F5B", "#FF8A1F", "#E4A0B7", "#D6127C", "#B3001B",
    "#9CC8EC", "#9CAF93", "#B9A5DC", "#8A8D91", "#B08D6A", "#1F3FBF", "#1E7A6E", "#1E4D38", "#4A0714", "#0E0E12",
)  # fmt: skip
"""Twenty colours from near-white to near-black, through all hues."""

OPAQUE = tuple(finish for finish in Finish if finish is not Finish.SHEER)

UNDERCOATS: dict[str, tuple[tuple[int, int, int], ...]] = {
    "red": ((179, 0, 27),),
    "white": ((250, 248, 245),),
    "black": ((14, 14, 18),),
    "French": ((238, 200, 190), (250, 250, 248)),
}
HIDING_COLOURS = ("#FAF8F5", "#F3D3D1", "#F5CF55", "#B3001B", "#1E4D38", "#0E0E12")

SCENE = Scene(still=True)
"""The size of a live picture, in neutral light, with the noise of a good camera."""


@dataclass(frozen=True)
class Sample:
    """One polish on one hand."""

    colour: str
    finish: Finish
    hand: str
    """Which skin, or what the nails wore before."""
    scene: Scene
    gaps: Floats
    """(N,) CIEDE2000 of the nails' pixels."""

    @property
    def median(self) -> float:
        return float(np.median(self.gaps))

    def picture(self) -> Pixels:
        """What was measured, uint8 (H, W, 3)."""
        return paint(draw(self.scene, 0), plain((self.colour,), self.finish))


@dataclass(frozen=True)
class Fidelity:
    """Swatches against what is painted."""

    samples: list[Sample]

    def as_dict(self) -> dict[str, Any]:
        return {
            "cream": {"median": float(np.median(self._cream())), "p95": float(np.percentile(self._cream(), 95))},
            "cream_by_colour": {colour: _two(_pool(group)) for colour, group in self._creams().items()},
            "finishes": {finish.value: _two(_pool(group)) for finish, group in self._finishes().items()},
        }

    def figures(self) -> list[Figure]:
        medians = {colour: float(np.median(_pool(group))) for colour, group in self._creams().items()}
        tails = {colour: float(np.percentile(_pool(group), 95)) for colour, group in self._creams().items()}
        median_at, tail_at = max(medians, key=medians.__getitem__), max(tails, key=tails.__getitem__)
        note = f"{len(SWATCHES)} colours, {len(SKIN_TONES)} skins"
        return [
            Figure("cream, ΔE2000 median", float(np.median(self._cream())), 2, at_most=2, note=note),
            Figure("cream, ΔE2000 95th percentile", float(np.percentile(self._cream(), 95)), 2, at_most=4),
            Figure("cream, worst colour's median", medians[median_at], 2, at_most=2, note=median_at),
            Figure("cream, worst colour's 95th percentile", tails[tail_at], 2, at_most=4, note=tail_at),
            *(
                Figure(f"{finish.value}, ΔE2000 to the swatch, median", float(np.median(_pool(group))), 2)
                for finish, group in self._finishes().items()
                if finish is not Finish.CREAM
            ),
        ]

    def worst(self, count: int) -> list[Sample]:
        """The creams that are farthest off."""
        creams = [each for each in self.samples if each.finish is Finish.CREAM]
        return sorted(creams, key=lambda each: -each.median)[:count]

    def _cream(self) -> Floats:
        return _pool([each for each in self.samples if each.finish is Finish.CREAM])

    def _creams(self) -> dict[str, list[Sample]]:
        return {c: [s for s in self.samples if s.colour == c and s.finish is Finish.CREAM] for c in SWATCHES}

    def _finishes(self) -> dict[Finish, list[Sample]]:
        return _by_finish(self.samples)


@dataclass(frozen=True)
class Hiding:
    """The same polish over bare nails and over painted ones."""

    samples: list[Sample]

    def as_dict(self) -> dict[str, Any]:
        return {
            finish.value: {under: _two(_pool(group)) for under, group in self._unders(finish).items()}
            for finish in _by_finish(self.samples)
        }

    def figures(self) -> list[Figure]:
        """Of each finish the worst undercoat; of cream all of them."""
        figures = []
        for finish in _by_finish(self.samples):
            medians = {under: float(np.median(_pool(group))) for under, group in self._unders(finish).items()}
            worst = max(medians, key=medians.__getitem__)
            for under in medians if finish is Finish.CREAM else [worst]:
                figures.append(Figure(f"{finish.value} hides {under}, ΔE2000 median", medians[under], 2, at_most=3))
        return figures

    def worst(self, count: int) -> list[Sample]:
        """The polish that hides least."""
        return sorted(self.samples, key=lambda each: -each.median)[:count]

    def _unders(self, finish: Finish) -> dict[str, list[Sample]]:
        mine = [each for each in self.samples if each.finish is finish]
        return {under: [each for each in mine if each.hand == under] for under in UNDERCOATS}


def fidelity(progress: Progress) -> Fidelity:
    """Every swatch in every opaque finish on every skin tone."""
    tasks = [(skin, finish, colour) for skin in SKIN_TONES for finish in OPAQUE for colour in SWATCHES]
    hands = {skin: draw(_on(skin), 0) for skin in SKIN_TONES}
    insides = cores(hands["light"])
    samples = []
    for done, (skin, finish, colour) in enumerate(tasks, 1):
        picture = paint(hands[skin], plain((colour,), finish))
        shown = np.concatenate(list(matt(picture, insides)))
        gaps = ciede2000(lab(shown), lab(rgb_of(colour)))
        samples.append(Sample(colour, finish, skin, _on(skin), gaps))
        progress(done, len(tasks))
    return Fidelity(samples)


def hiding(progress: Progress) -> Hiding:
    """Every opaque finish over red, white, black and French nails, against the same over bare ones."""
    bare = draw(SCENE, 0)
    inside = np.logical_or.reduce(cores(bare))
    scenes = {under: replace(SCENE, worn=worn) for under, worn in UNDERCOATS.items()}
    hands = {under: draw(scene, 0) for under, scene in scenes.items()}
    tasks = [(under, finish, colour) for under in UNDERCOATS for finish in OPAQUE for colour in HIDING_COLOURS]
    samples = []
    for done, (under, finish, colour) in enumerate(tasks, 1):
        look = plain((colour,), finish)
        gaps = ciede2000(lab(paint(hands[under], look)[inside]), lab(paint(bare, look)[inside]))
        samples.append(Sample(colour, finish, under, scenes[under], gaps))
        progress(done, len(tasks))
    return Hiding(samples)


def matt(picture: Pixels, insides: Sequence[Mask]) -> Iterator[Pixels]:
    """(N, 3) pixels of each nail, its brightest left out."""
    for core in insides:
        pixels = picture[core]
        order = np.argsort(lab(pixels)[:, 0])
        yield pixels[order[: round(len(order) * (1 - HIGHLIGHTS))]]


def _on(skin: str) -> Scene:
    return replace(SCENE, skin=SKIN_TONES[skin])


def rgb_of(colour: str) -> Pixels:
    """uint8 (3,) of #RRGGBB."""
    return np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)], np.uint8)


def _by_finish(samples: Sequence[Sample]) -> dict[Finish, list[Sample]]:
    return {finish: [each for each in samples if each.finish is finish] for finish in OPAQUE}


def _pool(samples: Sequence[Sample]) -> Floats:
    return np.concatenate([sample.gaps for sample in samples])


def _two(gaps: Floats) -> dict[str, float]:
    return {"median": float(np.median(gaps)), "p95": float(np.percentile(gaps, 95))}
