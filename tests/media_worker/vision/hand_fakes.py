"""Hands without a hand model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from media_worker.drawn_hand import Scene, draw
from media_worker.vision.arrays import Floats, Pixels
from media_worker.vision.hand_networks import HAND_SIZE, PALM_SIZE, Landmarks, Palm
from media_worker.vision.hands import Hand, Side
from media_worker.vision.pictures import Picture


def a_hand(scene: Scene | None = None, index: int = 0, seconds: float = 0.0) -> Hand:
    """The joints of a drawn hand, as if MediaPipe had found them without error."""
    joints = draw(scene or Scene(), seconds).joints[index].astype(np.float32)
    side: Side = "right" if index == 0 else "left"
    return Hand(joints, np.zeros(21, np.float32), side, 0.95)


def moved(hand: Hand, by: tuple[float, float] = (0, 0), turn: float = 0.0, mirror: bool = False) -> Hand:
    """`turn` in radians about the wrist; a mirrored hand is the other one, seen from the same side."""
    cos, sin = np.cos(turn), np.sin(turn)
    wrist = hand.landmarks[0]
    local = (hand.landmarks - wrist) * ((-1, 1) if mirror else (1, 1))
    points = local @ np.array([[cos, sin], [-sin, cos]]) + wrist + by
    other: Side = "left" if hand.side == "right" else "right"
    return replace(hand, landmarks=points.astype(np.float32), side=other if mirror else hand.side)


class SeenHands(Picture):
    """A frame of which only the hands are known, and the two networks that see them there without error."""

    width, height = 640, 480

    def __init__(self) -> None:
        self.hands: list[Hand] = []
        self.searches = self.looks = 0
        self._matrix: Floats = np.eye(2, 3)

    @property
    def luma(self) -> Pixels:
        return np.zeros((self.height, self.width), np.uint8)

    def resized(self, longest: int) -> Pixels:
        return np.zeros((longest * self.height // self.width, longest, 3), np.uint8)

    def warp(self, matrix: Floats, size: int, border: int = 0) -> Pixels:
        self._matrix = matrix
        return np.zeros((size, size, 3), np.uint8)

    def palms(self, rgb: Pixels) -> list[Palm]:
        self.searches += 1
        return [self._palm(hand) for hand in self.hands]

    def landmarks(self, rgb: Pixels) -> Landmarks:
        """Of the hand in the middle of the part that was cut out last."""
        self.looks += 1
        inside = [hand.landmarks @ self._matrix[:, :2].T + self._matrix[:, 2] for hand in self.hands]
        away = [float(np.hypot(*(points.mean(axis=0) - HAND_SIZE / 2))) for points in inside]
        if not away or min(away) > HAND_SIZE / 4:
            return Landmarks(np.zeros((21, 3), np.float32), 0.1, 0.5)
        nearest = int(np.argmin(away))
        points = np.column_stack([inside[nearest], np.zeros(21)]).astype(np.float32)
        return Landmarks(points, 1.0, 0.95 if self.hands[nearest].side == "right" else 0.05)

    def _palm(self, hand: Hand) -> Palm:
        points = hand.landmarks * (PALM_SIZE / self.width) + (0, PALM_SIZE * (1 - self.height / self.width) / 2)
        low, high = points[_PALM].min(axis=0), points[_PALM].max(axis=0)
        return Palm(0.9, np.concatenate([(low + high) / 2, high - low]), points[0], points[9])


_PALM = [0, 1, 5, 9, 13, 17]
