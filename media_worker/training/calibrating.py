"""Makes confidence mean something: among nails given 0.8, about 80 % shall overlap a true one by half."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from media_worker.training.photos import image_paths, read_mask, read_rgb
from media_worker.vision.arrays import Floats, Mask
from media_worker.vision.hands import StillHandFinder
from media_worker.vision.masks import RAW, Calibration
from media_worker.vision.metrics import MATCH_IOU, components
from media_worker.vision.nails import Nail
from media_worker.vision.render import coverage
from media_worker.vision.still_finder import StillFinder

FAINTEST = 0.02
"""Raw score from which a nail counts: the fit needs to see what is wrong, too."""

ROUNDS = 50


def calibrate(folders: Sequence[Path], hand_model: Path, report: Callable[[str, int, int], None]) -> Calibration:
    """Fits the calibration to the nails found in `folders`/images against `folders`/masks. Raises FileNotFoundError."""
    scores: list[float] = []
    right: list[bool] = []
    finder = StillFinder(calibration=RAW, least=FAINTEST)
    with closing(StillHandFinder(hand_model)) as hands:
        for folder in folders:
            paths = list(image_paths(folder / "images"))
            for done, path in enumerate(paths, 1):
                rgb = read_rgb(path)
                truth = components(read_mask(folder, path.stem, rgb))
                nails = finder.find(rgb, hands.find(rgb))
                scores += [nail.confidence for nail in nails]
                right += [_is_right(nail, truth, rgb.shape[:2]) for nail in nails]
                report(f"looking at {folder.name}", done, len(paths))
    return fit(np.array(scores), np.array(right, bool))


def fit(scores: Floats, right: Mask) -> Calibration:
    """Platt scaling by Newton's method. Targets are drawn in by one example of either kind, as Platt (1999) does, so
    that a perfect separation does not end in certainty."""
    logits = np.log(np.clip(scores, 1e-6, 1 - 1e-6) / (1 - np.clip(scores, 1e-6, 1 - 1e-6)))
    yes, no = int(right.sum()), int((~right).sum())
    target = np.where(right, (yes + 1) / (yes + 2), 1 / (no + 2))
    inputs = np.stack([np.ones_like(logits), logits], axis=1)
    weights = np.array([0.0, 1.0])
    for _ in range(ROUNDS):
        guess = 1 / (1 + np.exp(-inputs @ weights))
        slope = inputs.T @ (guess - target)
        bend = (inputs * (guess * (1 - guess))[:, None]).T @ inputs + 1e-4 * np.eye(2)
        weights = weights - np.linalg.solve(bend, slope)
    return Calibration(float(weights[0]), float(weights[1]))


def _is_right(nail: Nail, truth: Sequence[Mask], shape: tuple[int, int]) -> bool:
    mask = coverage(nail.outline, shape[1], shape[0]) > 0.5
    return any(np.count_nonzero(mask & each) >= MATCH_IOU * np.count_nonzero(mask | each) for each in truth)
