"""How steady nails are over the frames of a video that nobody has annotated.

Dense optical flow says where each pixel was a frame before. With it, nails are followed from frame to frame whether or
not the finder names them, the mask of one frame can be laid over the next, and a hand that rests is told from one that
moves. Flow is float32 (H, W, 2): where a pixel of this frame was in the one before, minus where it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from media_worker.vision import metrics
from media_worker.vision.arrays import Floats, Mask, Pixels
from media_worker.vision.nails import Nail

STILL = 1.0
"""Pixels a frame. A nail rests where what surrounds it is slower. Nobody is much stiller before a phone: the slowest
tenth of nails in three videos of hands moved 0.4 to 0.6."""

STRETCH = 15
"""Frames of a stretch, half a second. Over longer ones the flow's own error, which adds up, would pass for jitter: with
noise of 4 bytes it is 0.13 px RMS over 15 frames and 0.20 over 60."""

POP_FRAMES = 3
"""A nail that is there, or away, for fewer frames popped."""

SAME_NAIL = 0.6
"""A nail continues a track when its centre lies within this many nail lengths of where the flow takes that track."""

SAME_NAME = 3.0
"""The same for a nail of the same finger and hand: flow loses a finger that moves fast, its name does not."""


class FlowMeter:
    """Flow from each frame back to the one before: DIS (Kroeger et al., ECCV 2016), OpenCV's medium preset."""

    def __init__(self) -> None:
        self._dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        self._before: Pixels | None = None

    def update(self, grey: Pixels) -> Floats | None:
        """The flow for `grey`, uint8 (H, W); None for the first frame and after a change of size."""
        before, self._before = self._before, grey.copy()
        if before is None or before.shape != grey.shape:
            return None
        return np.asarray(self._dis.calc(grey, before, np.zeros((*grey.shape, 2), np.float32)), np.float32)


def warp(mask: Mask, flow: Floats) -> Mask:
    """The mask of the frame before, carried to this frame."""
    height, width = mask.shape
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    warped = cv2.remap(mask.astype(np.float32), x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR)
    carried: Mask = warped >= 0.5
    return carried


def agreement(before: Mask, now: Mask, flow: Floats) -> float | None:
    """IoU of this frame's mask with the carried one of the frame before: 0 where nails come or go all at once, None
    where both masks are empty."""
    carried = warp(before, flow)
    return metrics.iou(carried, now) if carried.any() or now.any() else None


def centre(outline: Floats) -> Floats:
    """(2,) centre of a polygon's area, which unlike the mean of its points does not depend on how they are spread."""
    moments = cv2.moments(np.asarray(outline, np.float32).reshape(-1, 1, 2))
    if abs(moments["m00"]) < 1e-6:
        return np.asarray(outline.mean(axis=0), np.float64)
    return np.array([moments["m10"], moments["m01"]]) / moments["m00"]


@dataclass(eq=False)
class Track:
    """One nail over time. Frames in which it was missed for a moment are left out of the lists."""

    frames: list[int]
    centres: list[Floats]
    motion: list[Floats]
    """(2,) pixels that its surroundings moved since the frame before; infinite where that is not known."""
    expected: Floats
    """Where it should be in the newest frame."""
    nail: Nail | None = None
    """As last seen."""
    dropouts: list[int] = field(default_factory=list)
    """Frames in which it came back after fewer than POP_FRAMES."""


@dataclass
class NailTracks:
    """Follows the nails of a video, frame by frame."""

    tracks: list[Track] = field(default_factory=list)
    frames: int = 0
    _live: list[Track] = field(default_factory=list)

    def update(self, nails: Sequence[Nail], flow: Floats | None) -> None:
        """The nails shown in the next frame, and the flow from it back to the frame before."""
        now, self.frames = self.frames, self.frames + 1
        for track in self._live:
            track.expected = track.expected - _flow_at(track.expected, flow)
        claims = sorted(
            (distance, i, j)
            for i, nail in enumerate(nails)
            for j, track in enumerate(self._live)
            if (distance := _lengths_apart(nail, track.expected)) < _reach(nail, track)
        )
        taken: dict[int, Track] = {}
        for _, i, j in claims:
            if i not in taken and self._live[j] not in taken.values():
                taken[i] = self._live[j]
        for i, nail in enumerate(nails):
            _advance(taken.get(i) or self._new(), nail, now, flow)
        self._live = [track for track in self._live if now - track.frames[-1] < POP_FRAMES]

    def pops(self) -> list[int]:
        """Frames in which a nail popped, in order: it came back after a moment, or came for a moment only.

        What the first or the last frames cut short is not known to have popped.
        """
        dropouts = [frame for track in self.tracks for frame in track.dropouts]
        flashes = [
            track.frames[0]
            for track in self.tracks
            if track.frames[-1] - track.frames[0] < POP_FRAMES - 1
            and track.frames[0] > 0
            and track.frames[-1] < self.frames - 1
        ]
        return sorted(dropouts + flashes)

    def _new(self) -> Track:
        track = Track([], [], [], np.zeros(2))
        self.tracks.append(track)
        self._live.append(track)
        return track


@dataclass(frozen=True)
class Jitter:
    rms: float | None
    """Pixels that a nail's centre is off where its surroundings carry it, as 2-D distance; None without any stretch."""
    nail_frames: int
    """Frames of nails that it was measured on."""


def jitter(tracks: Sequence[Track]) -> Jitter:
    """The centres' restlessness over all still stretches, what the hand itself moved taken off.

    A line per stretch is taken off, too, as the flow's error drifts; the sums of squares are divided by n − 2, what the
    line leaves free. A drawn hand that moves at 0.5 px a frame, its true outlines trembling by 0.28 px, measures 0.29.
    """
    stretches = [points for track in tracks for points in still_stretches(track)]
    if not stretches:
        return Jitter(None, 0)
    squares = sum(float((_off_line(points) ** 2).sum()) for points in stretches)
    return Jitter(float(np.sqrt(squares / (len(stretches) * (STRETCH - 2)))), len(stretches) * STRETCH)


def still_stretches(track: Track) -> list[Floats]:
    """Every STRETCH successive frames with the nail at rest: its centres less the motion, float64 (STRETCH, 2)."""
    stretches, run, carried = [], list[Floats](), np.zeros(2)
    for index, point in enumerate(track.centres):
        follows = index > 0 and track.frames[index] == track.frames[index - 1] + 1
        slow = follows and np.hypot(*track.motion[index]) <= STILL
        if not (slow and run):
            run, carried = [point], np.zeros(2)
            continue
        carried = carried + track.motion[index]
        run.append(point - carried)
        if len(run) == STRETCH:
            stretches.append(np.array(run))
            run = []
    return stretches


def _advance(track: Track, nail: Nail, frame: int, flow: Floats | None) -> None:
    if track.frames and frame - track.frames[-1] > 1:
        track.dropouts.append(frame)
    track.frames.append(frame)
    track.centres.append(centre(nail.outline))
    track.motion.append(_motion(nail, flow))
    track.expected, track.nail = track.centres[-1], nail


def _reach(nail: Nail, track: Track) -> float:
    """How many nail lengths off a nail may be to continue a track."""
    if track.nail is None or nail.finger is None:
        return SAME_NAIL
    return SAME_NAME if (nail.finger, nail.hand) == (track.nail.finger, track.nail.hand) else SAME_NAIL


def _motion(nail: Nail, flow: Floats | None) -> Floats:
    """(2,) median motion in the nail's box grown by half on each side, in pixels since the frame before."""
    unknown = np.full(2, np.inf)
    if flow is None:
        return unknown
    low, high = nail.outline.min(axis=0), nail.outline.max(axis=0)
    margin = (high - low) / 2
    left, top = np.maximum(np.floor(low - margin), 0).astype(int)
    right, bottom = np.ceil(high + margin).astype(int)
    around = flow[top : max(bottom, 0), left : max(right, 0)].reshape(-1, 2)
    return np.asarray(-np.median(around, axis=0), np.float64) if len(around) else unknown


def _flow_at(point: Floats, flow: Floats | None) -> Floats:
    if flow is None:
        return np.zeros(2)
    height, width = flow.shape[:2]
    x, y = np.clip(np.round(point).astype(int), 0, (width - 1, height - 1))
    return np.asarray(flow[y, x], np.float64)


def _lengths_apart(nail: Nail, point: Floats) -> float:
    length = max(float(np.hypot(*(nail.axis[1] - nail.axis[0]))), 8.0)
    return float(np.hypot(*(centre(nail.outline) - point))) / length


def _off_line(points: Floats) -> Floats:
    """(n, 2): what is left of points, equally spaced in time, after the best line is taken off."""
    time = np.arange(len(points)) - (len(points) - 1) / 2
    level = points - points.mean(axis=0)
    slope = time @ level / (time @ time)
    return np.asarray(level - np.outer(time, slope), np.float64)
