"""Steady over time: hands are smoothed, nails fade in and out instead of popping."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np

from media_worker.vision.arrays import Floats
from media_worker.vision.hands import Hand, Side, distance
from media_worker.vision.nails import Nail

MIN_CUTOFF = 1.0
"""Hz. Measured on a still hand with noise: raw jitter 0.67 px RMS, filtered 0.24 (design section 6)."""

BETA = 0.07
"""Per pixel of a picture 640 long. The filter trails a moving hand by about 1/(2π·beta) = 2.3 px; the often-copied
0.007 trails by 23."""

REFERENCE_SIZE = 640
"""Longer side of the picture, in pixels, for which BETA was measured."""

SAME_TRACK = 0.8
"""A hand further from where it was than this share of its size is a new hand, not a fast one."""

FORGET_MS = 500
"""After this long without being seen, smoothing starts afresh."""

FADE_IN_MS, FADE_OUT_MS = 120, 90
"""Long enough not to flicker at 30 fps, short enough that no polish hangs in the air."""


class OneEuro:
    """One-Euro filter (Casiez, Roussel, Vogel: CHI 2012) over points, float32 (N, 2), each with its own speed."""

    def __init__(self, *, min_cutoff: float = MIN_CUTOFF, beta: float = BETA, speed_cutoff: float = 1.0) -> None:
        self._min_cutoff = min_cutoff
        self._beta = beta
        self._speed_cutoff = speed_cutoff
        self._points: Floats | None = None
        self._velocity: Floats | None = None

    def __call__(self, points: Floats, seconds: float) -> Floats:
        """The smoothed points; `seconds` (above 0) since the last call."""
        if self._points is None or self._velocity is None:
            self._points, self._velocity = points, np.zeros_like(points)
            return points
        velocity = (points - self._points) / seconds
        self._velocity = self._velocity + _weight(np.float32(self._speed_cutoff), seconds) * (velocity - self._velocity)
        speed = np.hypot(self._velocity[:, :1], self._velocity[:, 1:])
        self._points = self._points + _weight(self._min_cutoff + self._beta * speed, seconds) * (points - self._points)
        return self._points


def _weight(cutoff: Floats | np.float32, seconds: float) -> Floats:
    """Share of a new sample that a low-pass filter of `cutoff` Hz takes after `seconds`."""
    rate = np.asarray(2 * math.pi * seconds * cutoff, np.float32)
    return rate / (rate + 1)


@dataclass(eq=False)  # two tracks are the same only if they are one object
class _Track:
    hand: Hand
    """As last seen, not smoothed."""
    seen: int
    filter: OneEuro
    leftness: float
    """Weighted vote over time, −1 right to 1 left: a single frame with the wrong side must not flip visibility."""


class HandTracker:
    """Smooths the hands of one stream."""

    def __init__(self) -> None:
        self._tracks: list[_Track] = []

    def update(self, hands: list[Hand], timestamp_ms: int, frame_size: int) -> list[Hand]:
        """The same hands, smoothed. `frame_size` is the longer side of the picture in pixels."""
        self._tracks = [track for track in self._tracks if timestamp_ms - track.seen <= FORGET_MS]
        free = list(self._tracks)
        smoothed = []
        for hand in hands:
            track = min(free, key=lambda each: distance(each.hand, hand), default=None)
            if track is None or distance(track.hand, hand) > SAME_TRACK:
                track = _Track(hand, timestamp_ms, OneEuro(beta=BETA * REFERENCE_SIZE / frame_size), _leftness(hand))
                self._tracks.append(track)
            else:
                free.remove(track)
            smoothed.append(_advance(track, hand, timestamp_ms))
        return smoothed


def _advance(track: _Track, hand: Hand, timestamp_ms: int) -> Hand:
    seconds = max(timestamp_ms - track.seen, 1) / 1000
    track.hand, track.seen = hand, timestamp_ms
    track.leftness += 0.15 * (_leftness(hand) - track.leftness)
    side: Side = "left" if track.leftness > 0 else "right"
    return replace(hand, landmarks=track.filter(hand.landmarks, seconds), side=side)


def _leftness(hand: Hand) -> float:
    return hand.score if hand.side == "left" else -hand.score


@dataclass
class NailFader:
    """Moves each nail's visibility towards what was seen, at a bounded rate; a nail that is gone fades in place."""

    _nails: list[Nail] = field(default_factory=list)
    _last: int | None = None

    def update(self, nails: list[Nail], timestamp_ms: int) -> list[Nail]:
        """The nails to paint in the frame at `timestamp_ms`.

        A first frame is painted in full: there is nothing before it to flicker against, and a client may send no other.
        """
        elapsed = FADE_IN_MS if self._last is None else max(timestamp_ms - self._last, 0)
        self._last = timestamp_ms
        gone = list(self._nails)
        faded = []
        for nail in nails:
            before = min(gone, key=lambda each: _gap(each, nail), default=None)
            if before is not None and _gap(before, nail) < 1:
                gone = [each for each in gone if each is not before]
                faded.append(_fade(nail, before.visibility, nail.visibility, elapsed))
            else:
                faded.append(_fade(nail, 0.0, nail.visibility, max(elapsed, 1)))
        faded += [_fade(nail, nail.visibility, 0.0, elapsed) for nail in gone]
        self._nails = [nail for nail in faded if nail.visibility > 0]
        return self._nails


def _fade(nail: Nail, start: float, goal: float, elapsed_ms: int) -> Nail:
    lowest, highest = start - elapsed_ms / FADE_OUT_MS, start + elapsed_ms / FADE_IN_MS
    return replace(nail, visibility=float(np.clip(np.clip(goal, lowest, highest), 0, 1)))


def _gap(a: Nail, b: Nail) -> float:
    """Distance between two nails in nail lengths; infinite between different fingers."""
    if a.finger is not b.finger:
        return math.inf
    length = max(float(np.hypot(*(b.axis[1] - b.axis[0]))), 8.0)
    return float(np.hypot(*(a.axis - b.axis).mean(axis=0))) / (1.5 * length)
