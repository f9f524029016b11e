"""Nails in photos, against masks drawn by people; without masks the photos are known to hold none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from media_worker import files
from media_worker.evaluation.figures import Figure
from media_worker.pipeline import StillPipeline
from media_worker.vision import metrics
from media_worker.vision.arrays import Floats, Mask, Pixels
from media_worker.vision.hands import Hand
from media_worker.vision.nails import FINGERS, Nail
from media_worker.vision.skin_tone import skin_tone, thirds
from media_worker.vision.still_hands import StillHandFinder
from protocol.designs import Finger
from protocol.errors import BadImage, BadRequest

NAIL_MIDDLE = 0.94
"""Where the middle of a nail lies between a finger's last joint (0) and MediaPipe's tip (1), over 50 phone photos."""

NAMED_WITHIN = 0.7
"""A true nail is named after the finger whose nail is expected within this many lengths of the last bone."""

THIRDS = ("darkest", "middle", "lightest")


@dataclass(frozen=True)
class Case:
    """One photo and what was found in it."""

    photo: Path
    mask: Path | None
    nails: list[Nail]
    """Those that show."""
    score: metrics.ImageScore
    """Against an empty mask where the photo is known to hold no nail."""
    fingers: tuple[Finger | None, ...] = ()
    """Of each true nail, in the order of the score's `found`; None where no hand says."""
    tone: float | None = None
    """ITA of the skin in degrees."""

    @property
    def false_nails(self) -> int:
        return self.score.predicted_nails - self.score.matched_nails


@dataclass(frozen=True)
class FingerRecall:
    true_nails: int
    recall: float


@dataclass(frozen=True)
class ToneThird:
    """A third of the photos by skin tone."""

    images: int
    lowest: float
    """ITA in degrees."""
    highest: float
    mean_iou: float


@dataclass(frozen=True)
class StillReport:
    """Photos with masks."""

    cases: list[Case]
    skipped: int

    @property
    def metrics(self) -> metrics.Report:
        return metrics.summarise([case.score for case in self.cases])

    def finger_recall(self) -> dict[Finger, FingerRecall]:
        """Share found of the true nails that MediaPipe's landmarks could name."""
        named = [pair for case in self.cases for pair in zip(case.fingers, case.score.found, strict=True)]
        found = {finger: [hit for name, hit in named if name is finger] for finger in FINGERS}
        return {finger: FingerRecall(len(hits), float(np.mean(hits))) for finger, hits in found.items() if hits}

    def tone_thirds(self) -> dict[str, ToneThird]:
        """Mean IoU of the darkest, the middle and the lightest third; empty where tones were not asked for."""
        toned = [(case.tone, case.score.iou) for case in self.cases if case.tone is not None]
        if not toned:
            return {}
        groups = thirds([tone for tone, _ in toned])
        return {name: _third([toned[index] for index in group]) for name, group in zip(THIRDS, groups, strict=True)}

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        tones = self.tone_thirds()
        return {
            **self.metrics.as_dict(),
            "skipped": self.skipped,
            "finger_recall": {finger.value: asdict(recall) for finger, recall in self.finger_recall().items()},
            "skin_tone": {name: asdict(third) for name, third in tones.items()},
            "skin_tone_gap": _gap(tones),
        }

    def figures(self) -> list[Figure]:
        """Targets are those for phone photos of whole hands."""
        report = self.metrics
        images = f"no hand found in {report.no_hand}" + (f", {self.skipped} skipped" if self.skipped else "")
        return [
            Figure("images", report.images, 0, note=images),
            Figure("mean IoU per image", report.mean_iou, at_least=0.82),
            Figure("pooled IoU", report.pooled_iou),
            Figure("two-class mIoU", report.two_class_miou, at_least=0.90),
            Figure("nail precision at 0.5", report.precision, at_least=0.95),
            Figure("nail recall at 0.5", report.recall, at_least=0.93),
            Figure("boundary F at 2 px", report.boundary_f, at_least=0.85, note="scaled to 640 high"),
            Figure("expected calibration error", report.calibration.error),
            *(
                Figure(f"recall, {finger.value}", recall.recall, note=f"of {recall.true_nails}")
                for finger, recall in self.finger_recall().items()
            ),
            *self._tone_figures(),
        ]

    def _tone_figures(self) -> list[Figure]:
        tones = self.tone_thirds()
        if not tones:
            return []
        figures = [
            Figure(f"IoU, {name} third", third.mean_iou, note=f"ITA {third.lowest:.0f}° to {third.highest:.0f}°")
            for name, third in tones.items()
        ]
        return [*figures, Figure("gap lightest to darkest", _gap(tones), at_most=0.04)]


@dataclass(frozen=True)
class NegativeReport:
    """Photos without a nail: whatever is found is false."""

    cases: list[Case]
    skipped: int

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        false = [case.false_nails for case in self.cases]
        return {
            "images": len(self.cases),
            "skipped": self.skipped,
            "no_hand": sum(case.score.no_hand for case in self.cases),
            "false_nails": sum(false),
            "images_with_false_nails": sum(count > 0 for count in false),
            "false_nails_per_image": sum(false) / len(false),
        }

    def figures(self) -> list[Figure]:
        totals = self.as_dict()
        no_hand = f"no hand found in {totals['no_hand']}"
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return [
            Figure("images", totals["images"], 0, note=no_hand + skipped),
            Figure("images with false nails", totals["images_with_false_nails"], 0),
            Figure("false nails", totals["false_nails"], 0),
            Figure("false nails per image", totals["false_nails_per_image"], at_most=0.05),
        ]


def evaluate(
    photos: Path,
    masks: Path | None,
    model: Path,
    progress: files.Progress,
    *,
    skip: Path | None = None,
    tones: bool = False,
) -> StillReport | NegativeReport:
    """Measures every photo of a folder that `skip`, a file of stems, does not name.

    With `masks`, a folder, each photo has one of the same stem; without, the photos hold no nail. Raises BadRequest,
    BadImage, VisionFailed and OSError.
    """
    pairs, skipped = _pairs(photos, masks, skip)
    cases = []
    with ExitStack() as stack:
        pipeline = stack.enter_context(closing(StillPipeline(model)))
        names = stack.enter_context(closing(StillHandFinder(model))).find if masks else _no_hands
        for done, (photo, mask) in enumerate(pairs, 1):
            cases.append(_case(pipeline, names, photo, mask, tones))
            progress(done, len(pairs))
    if masks is None:
        return NegativeReport(cases, skipped)
    toned = sum(case.tone is not None for case in cases)
    if tones and toned < 3:
        raise BadRequest(f"skin tone needs 3 photos with skin round a nail; {photos} has {toned}: leave it out")
    return StillReport(cases, skipped)


def read_mask(path: Path, rgb: Pixels) -> Mask:
    """The true mask of a photo. Raises BadImage."""
    truth = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if truth is None:
        raise BadImage(f"{path} is no picture")
    if truth.shape != rgb.shape[:2]:
        raise BadImage(f"{path} is {truth.shape[1]}x{truth.shape[0]}, its photo {rgb.shape[1]}x{rgb.shape[0]}")
    mask: Mask = truth > 127
    return mask


def name_nails(nails: Sequence[Mask], hands: Sequence[Hand]) -> tuple[Finger | None, ...]:
    """The finger of each true nail: the one whose nail lies nearest by the landmarks, each finger used once."""
    expected = [(finger, *_expected(hand, index)) for hand in hands for index, finger in enumerate(FINGERS)]
    middles = [np.argwhere(nail).mean(axis=0)[::-1] + 0.5 for nail in nails]
    claims = sorted(
        (float(np.hypot(*(middle - place))) / length, i, j)
        for i, middle in enumerate(middles)
        for j, (_, place, length) in enumerate(expected)
    )
    named: dict[int, int] = {}
    for distance, i, j in claims:
        if distance <= NAMED_WITHIN and i not in named and j not in named.values():
            named[i] = j
    return tuple(expected[named[i]][0] if i in named else None for i in range(len(nails)))


def _expected(hand: Hand, index: int) -> tuple[Floats, float]:
    """Where a finger's nail should be, and the length of its last bone, in pixels."""
    joint, tip = hand.landmarks[4 * index + 3], hand.landmarks[4 * index + 4]
    return joint + NAIL_MIDDLE * (tip - joint), max(float(np.hypot(*(tip - joint))), 1.0)


def _case(
    pipeline: StillPipeline, find_hands: Callable[[Pixels], list[Hand]], photo: Path, mask: Path | None, tones: bool
) -> Case:
    rgb = files.read_image(photo)
    truth = read_mask(mask, rgb) if mask else np.zeros(rgb.shape[:2], bool)
    found, hands = pipeline.find(rgb)
    nails = files.shown(found)
    score = metrics.score(
        files.nail_masks(nails, *rgb.shape[:2]),
        truth,
        confidences=[nail.confidence for nail in nails],
        no_hand=hands == 0,
    )
    fingers = name_nails(metrics.components(truth), find_hands(rgb)) if truth.any() else ()
    return Case(photo, mask, nails, score, fingers, skin_tone(rgb, truth) if tones else None)


def _no_hands(rgb: Pixels) -> list[Hand]:
    return []


def _pairs(photos: Path, masks: Path | None, skip: Path | None) -> tuple[list[tuple[Path, Path | None]], int]:
    """The photos to measure with their masks, and how many were skipped."""
    stems = {line.strip() for line in skip.read_text("utf-8").splitlines()} if skip else set()
    every = [path for path in sorted(photos.iterdir()) if files.is_image(path)]
    kept = [path for path in every if path.stem not in stems]
    if not kept:
        raise BadRequest(f"there are no photos in {photos}" + (f" but those that {skip} skips" if every else ""))
    pairs = [(path, masks / f"{path.stem}.png" if masks else None) for path in kept]
    missing = [mask for _, mask in pairs if mask and not mask.is_file()]
    if missing:
        raise BadRequest(f"{missing[0]} is missing ({len(missing)} of {len(pairs)} photos have no mask)")
    return pairs, len(every) - len(kept)


def _third(members: Sequence[tuple[float, float]]) -> ToneThird:
    tones, ious = zip(*members, strict=True)
    return ToneThird(len(members), min(tones), max(tones), float(np.mean(ious)))


def _gap(tones: dict[str, ToneThird]) -> float | None:
    """Difference of mean IoU between the lightest and the darkest third, whichever is better."""
    return abs(tones["lightest"].mean_iou - tones["darkest"].mean_iou) if tones else None
