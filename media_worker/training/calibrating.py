"""Makes confidence mean something: among nails given 0.8, about 80 % shall overlap a true one by half."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from media_worker.training.photos import image_paths, read_mask, read_rgb
from media_worker.vision.arrays import Floats, Mask
from media_worker.vision.coverage import coverage
from media_worker.vision.masks import RAW, Calibration
from media_worker.vision.metrics import MATCH_IOU, components
from media_worker.vision.nails import Nail
from media_worker.vision.pictures import RgbPicture
from media_worker.vision.still_finder import StillFinder
from media_worker.vision.still_hands import StillHandFinder

FAINTEST = 0.02
"""Raw score from which a nail counts: the fit needs to see what is wrong, too."""

ROUNDS = 50

RIDGE = 0.02
"""Draws the three numbers towards zero, a little: there are few wrong nails to fit them to."""


def calibrate(folders: Sequence[Path], hand_model: Path, report: Callable[[str, int, int], None]) -> Calibration:
    """Fits the calibration to the nails found in `folders`/images against `folders`/masks. Raises FileNotFoundError."""
    nails: list[Nail] = []
    right: list[bool] = []
    finder = StillFinder(calibration=RAW, least=FAINTEST)
    with closing(StillHandFinder(hand_model)) as hands:
        for folder in folders:
            paths = list(image_paths(folder / "images"))
            for done, path in enumerate(paths, 1):
                rgb = read_rgb(path)
                truth = components(read_mask(folder, path.stem, rgb))
                found = finder.find(RgbPicture(rgb), hands.find(rgb))
                nails += found
                right += [_is_right(nail, truth, rgb.shape[:2]) for nail in found]
                report(f"looking at {folder.name}", done, len(paths))
    confidences = np.clip([nail.confidence for nail in nails], 1e-6, 1 - 1e-6)
    named = np.array([nail.finger is not None for nail in nails], bool)
    return fit(np.log(confidences / (1 - confidences)), named, np.array(right, bool))


def fit(presences: Floats, expected: Mask, right: Mask) -> Calibration:
    """Platt scaling from logits, by damped Newton steps.

    Targets are drawn in by one example of either kind, as Platt (1999) does, so that a perfect separation does not end
    in certainty.
    """
    yes, no = int(right.sum()), int((~right).sum())
    target = np.where(right, (yes + 1) / (yes + 2), 1 / (no + 2))
    inputs = np.stack([np.ones_like(presences), presences, expected], axis=1)
    weights = np.zeros(3)
    for _ in range(ROUNDS):
        guess = 1 / (1 + np.exp(-inputs @ weights))
        gradient = inputs.T @ (guess - target) + RIDGE * weights
        bend = (inputs * (guess * (1 - guess))[:, None]).T @ inputs + RIDGE * np.eye(3)
        step = np.linalg.solve(bend, gradient)
        while _loss(inputs, target, weights - step) > _loss(inputs, target, weights) + 1e-9:
            step /= 2
        weights = weights - step
    return Calibration(*(float(weight) for weight in weights))


def _loss(inputs: Floats, target: Floats, weights: Floats) -> float:
    logits = inputs @ weights
    return float((np.logaddexp(0, logits) - target * logits).sum() + RIDGE / 2 * weights @ weights)


def _is_right(nail: Nail, truth: Sequence[Mask], shape: tuple[int, int]) -> bool:
    mask = coverage(nail.outline, shape[1], shape[0]) > 0.5
    return any(np.count_nonzero(mask & each) >= MATCH_IOU * np.count_nonzero(mask | each) for each in truth)
