"""MediaPipe's two hand networks, as arrays in and arrays out: one finds palms, one the 21 landmarks of one hand.

What their numbers mean is in MediaPipe's palm_detection_cpu.pbtxt and hand_landmark_cpu.pbtxt (Apache-2.0), as are the
constants here. MediaPipe itself would take a graph with four threads and 40 MB for each stream, and 7 ms where the
landmarks alone take 2 to 4.
"""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from media_worker.vision import models
from media_worker.vision.arrays import Floats, Pixels
from media_worker.vision.inference import Network, once
from media_worker.vision.models import ModelUnavailable
from protocol.errors import VisionFailed

PALM_SIZE, HAND_SIZE = 192, 224
"""Sides of the square pictures that the networks see."""

STRIDES = ((8, 2), (16, 6))
"""Pixels between the middles of the palm network's anchors, and how many there are in each place."""

SURE_PALM = 0.5
SAME_PALM = 0.3
"""Intersection over union of two boxes above which they are one palm."""

_LARGEST_LOGIT = 100.0

_TO_PIXELS, _FROM_CORNER = np.array([1, 1, 1 / 0.4], np.float32), np.array([0.5, 0.5, 0], np.float32)
"""The landmark network counts from the middle of the first pixel, and depth in other units."""


@dataclass(frozen=True)
class Palm:
    """A palm in the picture that the network saw, pixels counted from its corner."""

    score: float
    box: Floats
    """(4,): middle x and y, width, height."""
    wrist: Floats
    knuckle: Floats
    """(2,) each: the wrist, and where the middle finger begins."""


@dataclass(frozen=True)
class Landmarks:
    """A hand in the picture that the network saw."""

    points: Floats
    """(21, 3): x, y in pixels; z towards the camera is negative, in about the same unit."""
    presence: float
    """0–1: whether there is a hand."""
    rightness: float
    """0–1: whether it is the person's right hand, in an unmirrored picture."""


class PalmNetwork:
    """Thread-safe, like `LandmarkNetwork`. Its picture shows palms upright and turned, from a fifth of its side on."""

    def __init__(self, model: Path) -> None:
        """`model`: a hand_landmarker.task. Raises ModelUnavailable."""
        self._network = _network(model, "hand_detector.tflite")

    def __call__(self, rgb: Pixels) -> list[Palm]:
        """Palms in uint8 (192, 192, 3), surest first. Raises VisionFailed."""
        boxes, logits = (output[0] for output in self._network(rgb[None]))
        scores = 1 / (1 + np.exp(-np.clip(logits[:, 0].astype(np.float64), -_LARGEST_LOGIT, _LARGEST_LOGIT)))
        sure = np.flatnonzero(scores >= SURE_PALM)
        values = boxes[sure].astype(np.float64)
        values[:, :2] += _ANCHORS[sure]
        values[:, 4:] += np.tile(_ANCHORS[sure], 7)
        return [_palm(score, each) for score, each in _merged(scores[sure], values)]


class LandmarkNetwork:
    def __init__(self, model: Path) -> None:
        """`model`: a hand_landmarker.task. Raises ModelUnavailable."""
        self._network = _network(model, "hand_landmarks_detector.tflite")

    def __call__(self, rgb: Pixels) -> Landmarks:
        """The hand that fills about half of uint8 (224, 224, 3), fingers up. Raises VisionFailed."""
        numbers, presence, rightness, _ = self._network(rgb[None])
        points = numbers.reshape(21, 3) * _TO_PIXELS + _FROM_CORNER
        return Landmarks(points.astype(np.float32), float(presence[0, 0]), float(rightness[0, 0]))


@once
def _network(model: Path, name: str) -> Network:
    """One a process and file. OpenVINO reads TensorFlow Lite from files only, so the part is unpacked for a moment."""
    models.check(model)
    try:
        with tempfile.TemporaryDirectory(prefix="lacquer-") as folder, zipfile.ZipFile(model) as task:
            return Network(Path(task.extract(name, folder)), "NHWC")
    except (VisionFailed, OSError) as error:
        raise ModelUnavailable(f"The hand model {model} cannot be loaded: {error}.") from error


def _anchors() -> Floats:
    """(2016, 2): middles of the anchors, pixels, in the network's order."""
    places = []
    for stride, count in STRIDES:
        rows, columns = np.mgrid[: PALM_SIZE // stride, : PALM_SIZE // stride] * stride + stride / 2
        places.append(np.repeat(np.stack([columns.ravel(), rows.ravel()], axis=1), count, axis=0))
    return np.concatenate(places)


_ANCHORS = _anchors()


def _merged(scores: Floats, values: Floats) -> Iterator[tuple[float, Floats]]:
    """Non-maximum suppression in which those that overlap the best are averaged with it, weighted by their scores."""
    order = np.argsort(-scores)
    while len(order):
        alike = _overlap(values[order[0], :4], values[order, :4]) > SAME_PALM
        alike[0] = True  # also a box without area
        mine = order[alike]
        yield float(scores[mine[0]]), np.average(values[mine], axis=0, weights=scores[mine])
        order = order[~alike]


def _overlap(box: Floats, boxes: Floats) -> Floats:
    """Intersection over union of one box with each of (N, 4)."""
    low = np.maximum(box[:2] - box[2:] / 2, boxes[:, :2] - boxes[:, 2:] / 2)
    high = np.minimum(box[:2] + box[2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2)
    shared = np.maximum(high - low, 0).prod(axis=1)
    union = box[2:].prod() + boxes[:, 2:].prod(axis=1) - shared
    overlap: Floats = shared / np.maximum(union, 1e-9)
    return overlap


def _palm(score: float, values: Floats) -> Palm:
    points = values[4:].reshape(7, 2)
    return Palm(score, values[:4], points[0], points[2])
