"""The drawn hand, whose nails and motion are known: jitter at rest, lag in motion, and how well the mask fits.

Every frame passes through a camera's faults first: noise of SIGMA and a JPEG of QUALITY.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from media_worker import files
from media_worker.drawn_hand import Drawing, DrawnNail, Scene, Sweep, draw
from media_worker.evaluation.figures import Figure
from media_worker.evaluation.videos import Watcher, i420_of
from media_worker.vision import metrics
from media_worker.vision.arrays import Floats, Pixels
from media_worker.vision.nails import Nail
from media_worker.vision.video_metrics import centre
from protocol.designs import Finger

SIGMA, QUALITY = 4.0, 60

FPS = 30

SETTLE = 30
"""Frames before anything is measured."""

SPEED = 300.0
"""Pixels a second at 640x480; a sine's in the middle."""

SCENES = {
    "still": Scene(noise=SIGMA, still=True),
    "straight sweep": Scene(noise=SIGMA, still=True, sweep=Sweep(SPEED)),
    "sine sweep": Scene(noise=SIGMA, still=True, sweep=Sweep(SPEED, sine=True)),
}
"""The hand keeps its pose while it is carried, so that each nail's velocity is the sweep's."""

TURN = 0.1
"""Seconds after a sharp turn in which lag is not measured: what still runs the old way is ahead in the new one."""

REST_FRAMES = 120
SWEEPS = 2
"""Whole sweeps to and fro, so that a nail found off to one side leads on the way out as much as it lags on the way
back."""


@dataclass(frozen=True)
class Match:
    """A true nail found in one frame."""

    finger: Finger
    found: Floats
    """(2,) centre of the found outline in pixels."""
    behind: Floats
    """(2,) the true centre minus the found one."""


@dataclass(frozen=True)
class Frame:
    seconds: float
    nails: list[Nail]
    matches: list[Match]
    true_nails: int
    iou: float
    """Of all nails found with the exact mask."""
    velocity: Floats
    """(2,) of the hand, in pixels a second."""
    turned: bool = False
    """The hand turned back within the last TURN seconds."""


@dataclass(frozen=True)
class SceneReport:
    name: str
    frames: list[Frame]
    """Those after SETTLE."""

    @property
    def found(self) -> float:
        """Share of the true nails that were found."""
        return sum(len(frame.matches) for frame in self.frames) / sum(frame.true_nails for frame in self.frames)

    @property
    def iou(self) -> float:
        return float(np.mean([frame.iou for frame in self.frames]))

    @property
    def jitter(self) -> float | None:
        """RMS distance in pixels of found centres from their finger's mean place; for a hand at rest."""
        return _spread([(match.finger, match.found) for frame in self.frames for match in frame.matches])

    @property
    def lag(self) -> float | None:
        """Pixels that found centres trail the true ones along the motion, on average; ahead is negative.

        Frames slower than half of SPEED, a sine's turns, are left out, and those just after a sharp turn.
        """
        along = self._along([frame for frame in self._fast() if not frame.turned])
        return float(np.mean(along)) if along.size else None

    @property
    def lag_p95(self) -> float | None:
        """95th percentile of the distance along the motion, trailing or ahead, sharp turns included."""
        along = self._along(self._fast())
        return float(np.percentile(np.abs(along), 95)) if along.size else None

    @property
    def cross(self) -> float | None:
        """RMS of the error across the motion, in pixels, each finger's constant offset taken off (the IoU shows it)."""
        return _spread(
            [(each.finger, each.behind @ _across(frame.velocity)) for frame in self._fast() for each in frame.matches]
        )

    def as_dict(self) -> dict[str, float | None]:
        return {
            "found": self.found,
            "iou": self.iou,
            **({"jitter_px_rms": self.jitter} if not self._fast() else {}),
            **({"lag_px": self.lag, "lag_px_p95": self.lag_p95, "cross_px_rms": self.cross} if self._fast() else {}),
        }

    def figures(self) -> list[Figure]:
        motion = (
            [
                Figure(f"{self.name}: lag, px", self.lag, 2, at_most=2),
                Figure(f"{self.name}: off along, px 95th percentile", self.lag_p95, 2),
                Figure(f"{self.name}: off across, px RMS", self.cross, 2),
            ]
            if self._fast()
            else [Figure(f"{self.name}: jitter, px RMS", self.jitter, at_most=0.25)]
        )
        return [
            *motion,
            Figure(f"{self.name}: nails found", self.found, note=f"{len(self.frames)} frames"),
            Figure(f"{self.name}: IoU with the exact mask", self.iou),
        ]

    def _fast(self) -> list[Frame]:
        return [frame for frame in self.frames if np.hypot(*frame.velocity) >= SPEED / 2]

    def _along(self, frames: list[Frame]) -> Floats:
        """How far each found nail trails along the motion, in pixels."""
        behind = [
            each.behind @ frame.velocity / np.hypot(*frame.velocity) for frame in frames for each in frame.matches
        ]
        return np.array(behind)


@dataclass(frozen=True)
class DrawnReport:
    scenes: list[SceneReport]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"drawn": {scene.name: scene.as_dict() for scene in self.scenes}}

    def figures(self) -> list[Figure]:
        return [figure for scene in self.scenes for figure in scene.figures()]


def evaluate(model: Path, progress: files.Progress) -> DrawnReport:
    """Shows each scene to a fresh pipeline. Raises VisionFailed."""
    lengths = {name: _length(scene) for name, scene in SCENES.items()}
    reports, done, total = [], 0, sum(lengths.values())
    for name, scene in SCENES.items():
        frames = []
        for frame in _watch(model, scene, lengths[name]):
            frames.append(frame)
            done += 1
            progress(done, total)
        reports.append(SceneReport(name, frames[SETTLE:]))
    return DrawnReport(reports)


def photograph(scene: Scene, seconds: float) -> tuple[Drawing, Pixels]:
    """The drawing and what a cheap camera makes of it, uint8 (H, W, 3); the same bytes each time."""
    drawing = draw(scene, seconds)
    bgr = cv2.cvtColor(drawing.rgb, cv2.COLOR_RGB2BGR)
    jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1]
    decoded = cv2.imdecode(jpeg, cv2.IMREAD_COLOR_RGB)
    return drawing, np.asarray(decoded, np.uint8)


def match(nails: list[Nail], true: list[DrawnNail]) -> list[Match]:
    """Found nails whose centre lies within half a true nail's length of its centre, nearest first, each used once."""
    centres, exact = [centre(nail.outline) for nail in nails], [centre(nail.outline) for nail in true]
    claims = sorted(
        (distance, i, j)
        for i, found in enumerate(centres)
        for j, place in enumerate(exact)
        if (distance := float(np.hypot(*(found - place)))) < 0.5 * float(np.hypot(*(true[j].axis[1] - true[j].axis[0])))
    )
    pairs: dict[int, int] = {}
    for _, i, j in claims:
        if i not in pairs and j not in pairs.values():
            pairs[i] = j
    return [Match(true[j].finger, centres[i], exact[j] - centres[i]) for i, j in pairs.items()]


def _watch(model: Path, scene: Scene, frames: int) -> Iterator[Frame]:
    with closing(Watcher(model)) as watcher:
        for index in range(frames):
            seconds = index / FPS
            drawing, rgb = photograph(scene, seconds)
            nails = watcher.see(i420_of(rgb), round(seconds * 1000)).nails
            found = np.logical_or.reduce(
                [np.zeros(rgb.shape[:2], bool), *files.nail_masks(nails, scene.height, scene.width)]
            )
            overlap = metrics.iou(found, drawing.mask() > 0)
            velocity, turned = motion(scene.sweep, seconds)
            yield Frame(seconds, nails, match(nails, drawing.nails), len(drawing.nails), overlap, velocity, turned)


def motion(sweep: Sweep | None, seconds: float) -> tuple[Floats, bool]:
    """(2,) velocity in pixels a second, and whether the hand turned back within the last TURN seconds."""
    if sweep is None:
        return np.zeros(2), False
    velocity = sweep.velocity(seconds)
    return velocity, float(velocity @ sweep.velocity(seconds - TURN)) < 0


def _length(scene: Scene) -> int:
    return SETTLE + (round(SWEEPS * scene.sweep.period * FPS) if scene.sweep else REST_FRAMES)


def _spread(values: list[tuple[Finger, Floats]]) -> float | None:
    """RMS distance of points (or numbers) from their own finger's mean; None without any."""
    if not values:
        return None
    fingers = {finger: np.array([value for name, value in values if name is finger]) for finger, _ in values}
    squares = sum(float(((points - points.mean(axis=0)) ** 2).sum()) for points in fingers.values())
    return float(np.sqrt(squares / len(values)))


def _across(velocity: Floats) -> Floats:
    """Unit vector at right angles to a velocity."""
    return np.array([-velocity[1], velocity[0]]) / float(np.hypot(*velocity))
