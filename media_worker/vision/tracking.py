"""Hands over time, smoothed. Nails are followed in `following`."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from media_worker.vision.arrays import Floats
from media_worker.vision.hands import Hand, Side, distance

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
