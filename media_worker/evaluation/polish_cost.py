"""What painting costs: milliseconds a nail at the size that nails have close to a camera, one thread."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from media_worker.drawn_hand import Scene, draw
from media_worker.evaluation.figures import Figure
from media_worker.evaluation.videos import i420_of
from media_worker.evaluation.worn import plain, true_nails
from media_worker.files import Progress
from media_worker.polish.looks import Look
from media_worker.polish.painter import Painter
from media_worker.vision.arrays import Pixels
from media_worker.vision.nails import Nail
from protocol.designs import Finish, Length, Pattern, Shape
from protocol.messages import Wish

COLOURS = ("#B3001B", "#F3D3D1", "#1F3FBF")

SCENE = Scene(width=1312, height=984, still=True)
"""Its nails are 38 by 50 pixels on average."""

REPEATS = 25
WARM_UP = 3


@dataclass(frozen=True)
class Cost:
    """Of one look."""

    name: str
    milliseconds: float
    """Processor time a nail, median over REPEATS frames."""


@dataclass(frozen=True)
class CostReport:
    own: list[Cost]
    """Nails of their own shape."""
    grown: list[Cost]
    """Nails made longer, which cover more pixels."""

    def as_dict(self) -> dict[str, Any]:
        return {
            "ms_per_nail": {cost.name: cost.milliseconds for cost in self.own},
            "ms_per_nail_grown": {cost.name: cost.milliseconds for cost in self.grown},
        }

    def figures(self) -> list[Figure]:
        dearest, longest = (max(costs, key=lambda cost: cost.milliseconds) for costs in (self.own, self.grown))
        typical = float(np.median([cost.milliseconds for cost in self.own]))
        return [
            Figure("paint, ms a nail of 38x50 px, median look", typical, 2, at_most=0.4),
            Figure("paint, ms a nail, dearest look", dearest.milliseconds, 2, at_most=0.4, note=dearest.name),
            Figure("paint, ms a nail, dearest grown look", longest.milliseconds, 2, note=longest.name),
        ]


def cost(progress: Progress) -> CostReport:
    """Every finish and every pattern, then every shape at full length."""
    solid = {finish.value: plain(COLOURS[:1], finish) for finish in Finish}
    patterned = {pattern.value: plain(COLOURS, pattern=pattern) for pattern in Pattern if pattern is not Pattern.SOLID}
    grown = {
        f"long {shape.value}": plain(COLOURS[:1], Finish.GLOSS).wearing(Wish(shape=shape, length=Length.LONG))
        for shape in Shape
    }
    own, total = solid | patterned, len(solid) + len(patterned) + len(grown)
    drawing, costs = draw(SCENE, 0), []
    with _one_thread():
        for done, (name, look) in enumerate((own | grown).items(), 1):
            costs.append(Cost(name, _milliseconds(look, i420_of(drawing.rgb), true_nails(drawing))))
            progress(done, total)
    return CostReport(costs[: len(own)], costs[len(own) :])


def _milliseconds(look: Look, frame: Pixels, nails: list[Nail]) -> float:
    """As in a stream: one painter, which sees the same nails in every frame."""
    painter, times = Painter(), []
    for _ in range(WARM_UP + REPEATS):
        fresh = frame.copy()
        start = time.thread_time()  # what other processes take away does not count
        painter.paint_i420(fresh, nails, look)
        times.append((time.thread_time() - start) * 1e3 / len(nails))
    return float(np.median(times[WARM_UP:]))


@contextmanager
def _one_thread() -> Iterator[None]:
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)
