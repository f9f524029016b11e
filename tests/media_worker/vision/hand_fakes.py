"""Hands without a hand model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from media_worker.drawn_hand import Scene, draw
from media_worker.vision.hands import Hand, Side


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


class FakeLandmarker:
    """Stands in for `_Landmarker`: shows as many of its hands as it has slots, and counts calls."""

    visible: ClassVar[list[Hand]] = []

    def __init__(self, model_path: object, num_hands: int, mode: object, min_score: float = 0.5) -> None:
        self.num_hands = num_hands
        self.timestamps: list[int] = []
        self.closed = 0

    def detect(self, rgb: NDArray[np.uint8], timestamp_ms: int = 0) -> list[Hand]:
        self.timestamps.append(timestamp_ms)
        return self.visible[: self.num_hands]

    def close(self) -> Any:
        self.closed += 1
