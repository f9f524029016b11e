"""Finding hands in single photos: MediaPipe's HandLandmarker, which takes its time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from media_worker.vision import models
from media_worker.vision.arrays import Floats, Pixels
from media_worker.vision.hands import Hand, Side, without_doubles
from media_worker.vision.models import ModelUnavailable
from protocol.errors import VisionFailed

STILL_SIZE = 1024
"""Photos are shrunk to this many pixels on the longer side before looking; the networks see 192 and 224."""

STILL_ATTEMPTS = ((0.0, 0), (0.25, 0), (0.6, 0), (0.25, 90), (0.25, -90), (0.25, 180), (0.6, 45), (0.6, -45))
"""Padding (share of the longer side) and turn (degrees) of each try; hands that fill the picture need the first."""

UNMOVED: Floats = np.eye(2, 3, dtype=np.float32)


class StillHandFinder:
    """Hands in single photos. Tries again with padded borders and rotations when nothing is found."""

    def __init__(self, model_path: Path, *, max_hands: int = 2) -> None:
        self._landmarker = _Landmarker(model_path, max_hands)

    def find(self, rgb: Pixels) -> list[Hand]:
        """Hands in `rgb`, uint8 (H, W, 3) of any size. Raises VisionFailed."""
        small, scale = _shrink(rgb, STILL_SIZE)
        for padding, turn in STILL_ATTEMPTS:
            picture, back = _pad_and_turn(small, padding, turn)
            hands = self._landmarker.detect(picture)
            if hands:
                return [_moved(hand, back, 1 / scale) for hand in hands]
        return []

    def close(self) -> None:
        self._landmarker.close()


def _shrink(rgb: Pixels, longest: int) -> tuple[Pixels, float]:
    scale = min(1.0, longest / max(rgb.shape[:2]))
    if scale == 1.0:
        return rgb, 1.0
    return cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False), scale


def _pad_and_turn(rgb: Pixels, padding: float, turn: int) -> tuple[Pixels, Floats]:
    """The picture in a larger one, turned by `turn` degrees about its middle; and the (2, 3) matrix back to `rgb`."""
    if padding == 0 and turn == 0:
        return rgb, UNMOVED
    height, width = rgb.shape[:2]
    side = round(max(height, width) * (1 + 2 * padding))
    forth = cv2.getRotationMatrix2D((width / 2, height / 2), turn, 1.0)
    forth[:, 2] += (side - width) / 2, (side - height) / 2
    colour = [float(channel) for channel in rgb.reshape(-1, 3).mean(axis=0)]
    turned = cv2.warpAffine(rgb, forth, (side, side), flags=cv2.INTER_LINEAR, borderValue=colour)
    back = cv2.invertAffineTransform(forth).astype(np.float32)
    return turned.astype(np.uint8, copy=False), back


def _moved(hand: Hand, matrix: Floats, scale: float) -> Hand:
    points = (hand.landmarks @ matrix[:, :2].T + matrix[:, 2]) * scale
    return replace(hand, landmarks=points.astype(np.float32), depth=hand.depth * np.float32(scale))


class _Landmarker:
    """MediaPipe's HandLandmarker with our types. `close` may be called twice."""

    def __init__(self, model_path: Path, max_hands: int) -> None:
        # Only here, as it takes 0.4 s and 60 MB, which a worker that never sees a photo does without.
        import mediapipe  # noqa: PLC0415
        from mediapipe.tasks.python import BaseOptions, vision  # noqa: PLC0415

        models.check(model_path)  # MediaPipe leaves a thread behind when it fails to load one
        options = vision.HandLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(model_path)),
            running_mode=vision.RunningMode.IMAGE,
            num_hands=max_hands,
        )
        self._image, self._format = mediapipe.Image, mediapipe.ImageFormat.SRGB
        try:
            self._landmarker: Any = vision.HandLandmarker.create_from_options(options)
        except (RuntimeError, ValueError, OSError) as error:
            raise ModelUnavailable(f"The hand model {model_path} cannot be loaded: {error}.") from error

    def detect(self, rgb: Pixels) -> list[Hand]:
        if self._landmarker is None:
            raise VisionFailed("the hand finder is closed")
        image = self._image(image_format=self._format, data=np.ascontiguousarray(rgb))
        try:
            result = self._landmarker.detect(image)
        except (RuntimeError, ValueError) as error:
            raise VisionFailed(f"the hand model failed: {error}") from error
        height, width = rgb.shape[:2]
        hands = [
            _hand(points, handedness[0], width, height)
            for points, handedness in zip(result.hand_landmarks, result.handedness, strict=True)
        ]
        return without_doubles(hands)

    def close(self) -> None:
        landmarker, self._landmarker = self._landmarker, None
        if landmarker is not None:
            landmarker.close()


def _hand(points: list[Any], handedness: Any, width: int, height: int) -> Hand:
    # MediaPipe counts from the middle of the first pixel: without the halves, landmarks shift with the picture's size
    array = np.array([(p.x * width + 0.5, p.y * height + 0.5, p.z * width) for p in points], np.float32)
    side: Side = "left" if handedness.category_name == "Left" else "right"
    return Hand(array[:, :2], array[:, 2], side, float(handedness.score))
