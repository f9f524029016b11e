"""Does polish stay where it is put? Flicker on a still hand, and a pattern's place on the nails of a moving one.

Each is measured twice: with the hand's true nails, which is the renderer's own doing, and through the pipeline of a
live session, which adds what finding and following nails do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from media_worker.drawn_hand import Drawing, DrawnNail, Scene, Sweep, draw
from media_worker.evaluation.drawn import FPS, SETTLE, SIGMA, photograph
from media_worker.evaluation.figures import Figure
from media_worker.evaluation.videos import i420_of
from media_worker.evaluation.worn import plain, true_nails
from media_worker.files import Progress
from media_worker.pipeline import Pipeline
from media_worker.polish.looks import TEXTURE_SIZE, Coat, Look
from media_worker.polish.painter import Painter
from media_worker.vision.arrays import Floats, Pixels
from protocol.designs import Finger, Finish, Pattern

FRAMES = 45
"""Measured in each clip, after SETTLE."""

COLOUR = "#B3001B"

LUMA_STEPS = 255 / 219
"""Grey levels a step of a video's luma, which runs from 16 to 235."""

Paint = Callable[[Drawing, Pixels, int], None]
"""Paints a frame, I420 or RGB, in place, given what it shows and its time in milliseconds."""


# --- flicker ---------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Flicker:
    finish: Finish
    live: bool
    painted: float
    """RMS over time of the painted pixels' grey, in levels of 255."""
    camera: float
    """The same of the same pixels before paint: what sensor and JPEG do."""

    @property
    def beyond(self) -> float:
        return self.painted - self.camera


@dataclass(frozen=True)
class FlickerReport:
    clips: list[Flicker]

    def as_dict(self) -> dict[str, Any]:
        return {
            name: {each.finish.value: {"painted": each.painted, "camera": each.camera} for each in self._of(live)}
            for name, live in (("true_nails", False), ("live", True))
        }

    def figures(self) -> list[Figure]:
        figures = []
        for live in (False, True):
            for each in self._of(live):
                name = f"{each.finish.value}{', live' if live else ''}: flicker beyond camera, levels"
                note = f"painted {each.painted:.2f}, camera {each.camera:.2f}"
                figures.append(Figure(name, each.beyond, 2, at_most=1.5, note=note))
        return figures

    def _of(self, live: bool) -> list[Flicker]:
        return [clip for clip in self.clips if clip.live is live]


def flicker(model: Path | None, progress: Progress) -> FlickerReport:
    """Every finish on a still hand before a cheap camera; with a hand model, cream through the pipeline, too."""
    still = Scene(still=True, noise=SIGMA)
    photos = (photograph(still, index / FPS) for index in range(SETTLE + FRAMES))
    frames = [(drawing, i420_of(rgb)) for drawing, rgb in photos]
    clips = []
    for done, finish in enumerate(Finish, 1):
        look = plain((COLOUR,), finish)
        clips.append(_flicker(frames, finish, _renderer(look), live=False))
        progress(done, len(Finish))
    if model:
        with closing(Pipeline(model, plain((COLOUR,)))) as pipeline:
            clips.append(_flicker(frames, Finish.CREAM, _live(pipeline), live=True))
    return FlickerReport(clips)


def _flicker(frames: Sequence[tuple[Drawing, Pixels]], finish: Finish, paint: Paint, *, live: bool) -> Flicker:
    """`frames` are I420, each beside what it shows."""
    before = [frame for _, frame in frames]
    after = [frame.copy() for frame in before]
    for index, (drawing, _) in enumerate(frames):
        paint(drawing, after[index], round(index * 1000 / FPS))
    height = frames[0][0].rgb.shape[0]
    bare, painted = (np.stack([frame[:height] for frame in clip[SETTLE:]]) for clip in (before, after))
    worn = np.mean(bare != painted, axis=0) > 0.5
    return Flicker(finish, live, _unrest(painted[:, worn]), _unrest(bare[:, worn]))


def _unrest(luma: Pixels) -> float:
    """RMS over time and pixels of (frames, pixels) about each pixel's mean, in grey levels."""
    return LUMA_STEPS * float(np.sqrt(luma.var(axis=0, dtype=np.float64).mean()))


# --- sticking --------------------------------------------------------------------------------------------------------
def _moving(seconds: float) -> dict[str, Scene]:
    turn = float(np.sin(2 * np.pi * seconds / 2))
    return {
        "own motion": Scene(),
        "sweep": Scene(still=True, sweep=Sweep(300, sine=True)),
        "turning": Scene(still=True, tilt=25 * turn),
        "scaling": Scene(still=True, scale=1 + 0.15 * turn),
    }


@dataclass(frozen=True)
class Drift:
    motion: str
    live: bool
    moved: float | None
    """RMS distance of the pattern from its mean place on each nail, in nail lengths."""
    seen: float
    """Share of the nails on which the pattern was found."""


@dataclass(frozen=True)
class StickingReport:
    clips: list[Drift]

    def as_dict(self) -> dict[str, Any]:
        return {
            name: {each.motion: {"moved": each.moved, "seen": each.seen} for each in self.clips if each.live is live}
            for name, live in (("true_nails", False), ("live", True))
        }

    def figures(self) -> list[Figure]:
        return [
            Figure(
                f"{each.motion}{', live' if each.live else ''}: pattern moves, lengths",
                each.moved,
                4,
                at_most=0.02,
                note="" if each.seen == 1 else f"seen on {each.seen:.0%} of the nails",
            )
            for each in self.clips
        ]


def sticking(model: Path | None, progress: Progress) -> StickingReport:
    """A pattern on hands that move in four ways; through the pipeline only with a hand model."""
    tasks = [(motion, live) for live in ((False, True) if model else (False,)) for motion in _moving(0)]
    clips = []
    for done, (motion, live) in enumerate(tasks, 1):
        if live and model:
            with closing(Pipeline(model, patterned())) as pipeline:
                clips.append(_drift(motion, _live(pipeline), live=True))
        else:
            clips.append(_drift(motion, _renderer(patterned()), live=False))
        progress(done, len(tasks))
    return StickingReport(clips)


def _drift(motion: str, paint: Paint, *, live: bool) -> Drift:
    places: dict[Finger, list[Floats]] = {}
    nails = 0
    for index in range(SETTLE * live + FRAMES):
        drawing = draw(_moving(index / FPS)[motion], index / FPS)
        painted = drawing.rgb.copy()
        paint(drawing, painted, round(index * 1000 / FPS))
        for nail in drawing.nails if index >= SETTLE * live else ():
            nails += 1
            place = displacement(painted, nail)
            if place is not None:
                places.setdefault(nail.finger, []).append(place)
    about = [np.array(each) - np.mean(each, axis=0) for each in places.values()]
    moved = float(np.sqrt((np.concatenate(about) ** 2).sum(axis=1).mean())) if about else None
    return Drift(motion, live, moved, sum(map(len, places.values())) / max(nails, 1))


_GRID = 64
_PART_U, _PART_V = (-0.8, 0.8), (0.1, 0.9)
"""The part of a nail that is looked at: away from its edges."""

_SURE = 0.7
"""Correlation, once aligned, below which the pattern is not there."""


def displacement(painted: Pixels, nail: DrawnNail) -> Floats | None:
    """(2,) how far `patterned` lies off its place on a true nail, across and along, in nail lengths.

    The nail is flattened and aligned with the pattern (G. D. Evangelidis, E. Z. Psarakis: enhanced correlation
    coefficient, 2008) by red minus blue: shade and highlights are white and do not count. None where the pattern is not
    seen.
    """
    x, y = _grid(nail)
    seen = _balanced(cv2.remap(painted, x, y, cv2.INTER_LINEAR).astype(np.float32))
    try:
        alike, shift = cv2.findTransformECC(_TEMPLATE, seen, np.eye(2, 3, dtype=np.float32), cv2.MOTION_TRANSLATION)
    except cv2.error:  # it does not converge
        return None
    if alike < _SURE:
        return None
    dx, dy = (float(each) for each in shift[:, 2])
    length = float(np.hypot(*(nail.axis[1] - nail.axis[0])))
    across = dx / _GRID * (_PART_U[1] - _PART_U[0]) * _half_width(nail) / length
    return np.array([across, dy / _GRID * (_PART_V[1] - _PART_V[0])])


def patterned() -> Look:
    """Matte red and blue blobs of about a fifth of a nail."""
    return Look(dict.fromkeys(Finger, Coat(Finish.MATTE, Pattern.SOLID, _RED_AND_BLUE, _BLOBS)))


def _blobs() -> Floats:
    """(TEXTURE_SIZE, TEXTURE_SIZE, 3), linear light; the same on every run."""
    noise = np.random.default_rng(3).standard_normal((TEXTURE_SIZE, TEXTURE_SIZE), np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), TEXTURE_SIZE / 14)
    share = np.clip(0.5 + smooth / (2 * np.std(smooth)), 0, 1)[..., None]
    blobs: Floats = _RED_AND_BLUE[0] + (_RED_AND_BLUE[1] - _RED_AND_BLUE[0]) * share
    return blobs


def _balanced(rgb: Floats) -> Floats:
    """Red minus blue, 0 on average, float32."""
    difference = rgb[..., 0] - rgb[..., 2]
    balanced: Floats = (difference - difference.mean()).astype(np.float32)
    return balanced


def _uv() -> tuple[Floats, Floats]:
    """(GRID, GRID) each, of the middles of the flattened nail's pixels."""
    steps = (np.arange(_GRID, dtype=np.float32) + 0.5) / _GRID
    u, v = (low + (high - low) * steps for low, high in (_PART_U, _PART_V))
    across, along = np.meshgrid(u, v)
    return across, along


def _grid(nail: DrawnNail) -> tuple[Floats, Floats]:
    """Where the flattened nail's pixels lie in the picture, as cv2.remap wants it: pixel (0, 0) has its middle at 0."""
    u, v = _uv()
    along = nail.axis[1] - nail.axis[0]
    across = np.array([-along[1], along[0]]) / float(np.hypot(*along)) * _half_width(nail)
    points = nail.axis[0] + u[..., None] * across + v[..., None] * along - 0.5
    return points[..., 0].astype(np.float32), points[..., 1].astype(np.float32)


def _half_width(nail: DrawnNail) -> float:
    along = nail.axis[1] - nail.axis[0]
    return float(np.ptp(nail.outline @ np.array([-along[1], along[0]]))) / float(np.hypot(*along)) / 2


def _template() -> Floats:
    """What `_balanced` makes of a nail that wears the pattern exactly in its place."""
    u, v = _uv()
    x, y = ((u + 1) * TEXTURE_SIZE / 2 - 0.5).astype(np.float32), (v * TEXTURE_SIZE - 0.5).astype(np.float32)
    return _balanced(np.asarray(cv2.remap(_BLOBS, x, y, cv2.INTER_LINEAR), np.float32))


_RED_AND_BLUE = np.array([[0.5, 0.05, 0.1], [0.1, 0.05, 0.5]], np.float32)
_BLOBS = _blobs()
_TEMPLATE = _template()


# --- both ------------------------------------------------------------------------------------------------------------
def _renderer(look: Look) -> Paint:
    """One painter for a whole clip, as in a stream."""
    painter = Painter()

    def paint(drawing: Drawing, frame: Pixels, milliseconds: int) -> None:
        (painter.paint_i420 if frame.ndim == 2 else painter.paint_rgb)(frame, true_nails(drawing), look)

    return paint


def _live(pipeline: Pipeline) -> Paint:
    def paint(drawing: Drawing, frame: Pixels, milliseconds: int) -> None:
        (pipeline.process_i420 if frame.ndim == 2 else pipeline.process_rgb)(frame, milliseconds)

    return paint
