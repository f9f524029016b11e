"""A nail finder and a hand finder that know the drawn hand's truth, with noise: nails are followed without networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from media_worker.drawn_hand import Drawing, DrawnNail, Scene, draw
from media_worker.vision.arrays import Pixels
from media_worker.vision.finder import Guess, NailFinder, finger_pads, gap
from media_worker.vision.hands import Hand, Side
from media_worker.vision.nails import Nail
from media_worker.vision.pictures import I420Picture, Picture
from media_worker.vision.watching import Seen, Watch
from protocol.designs import Finger
from tests.media_worker.vision.hand_fakes import a_hand

FRAME_MS = 33


class TrueNails(NailFinder):
    """The outlines of `drawing`, displaced as a whole and at every point by noise of `sigma` pixels."""

    def __init__(self, sigma: float = 0.5) -> None:
        self.drawing = draw(Scene(hands=0), 0)
        self.hidden: set[Finger] = set()
        self.false: list[Nail] = []
        """Seen although they are not there."""
        self.confidence = 0.9
        self.looks = 0
        self.asked: list[Guess] = []
        """Every place that was looked at."""
        self._sigma = sigma
        self._random = np.random.default_rng(0)

    def propose(self, picture: Picture) -> list[Guess]:
        return [replace(Guess.at(nail), finger=None, hand=None) for nail in self._nails()]

    def refine(self, picture: Picture, guesses: Sequence[Guess]) -> list[Nail | None]:
        self.looks += 1
        self.asked += guesses
        return [self._nearest(guess) for guess in guesses]

    def _nearest(self, guess: Guess) -> Nail | None:
        nail = min(self._nails(), key=lambda each: gap(guess, Guess.at(each)), default=None)
        near = nail is not None and gap(guess, Guess.at(nail)) < 0.8
        return replace(nail, finger=guess.finger, hand=guess.hand) if near and nail else None

    def _nails(self) -> list[Nail]:
        return [self._noisy(n) for n in self.drawing.nails if n.finger not in self.hidden] + self.false

    def _noisy(self, nail: DrawnNail) -> Nail:
        shift = self._random.normal(0, self._sigma, 2)
        outline, axis = (
            (points + shift + self._random.normal(0, self._sigma, points.shape)).astype(np.float32)
            for points in (nail.outline, nail.axis)
        )
        return Nail(nail.finger, nail.hand, outline, axis, self.confidence, 1.0)


def pads_as_nails(scene: Scene, seconds: float = 0) -> list[Nail]:
    """What a poor finder sees on a drawn palm: a nail on each finger, and none on the thumb."""
    return [_box(pad) for pad in finger_pads(a_hand(scene, seconds=seconds))]


def _box(guess: Guess) -> Nail:
    half = guess.along / 2
    across = np.array([-half[1], half[0]]) * 0.8
    corners = np.stack([guess.centre + up * half + side * across for up, side in ((-1, -1), (1, -1), (1, 1), (-1, 1))])
    axis = np.stack([guess.centre - half, guess.centre + half])
    return Nail(None, None, corners.astype(np.float32), axis.astype(np.float32), 0.95, 1.0)


class TrueHands:
    """The joints of `drawing`, with MediaPipe's noise."""

    def __init__(self) -> None:
        self.drawing = draw(Scene(hands=0), 0)
        self.blind = False
        self.score = 0.95
        self.calls = 0
        self._random = np.random.default_rng(0)

    def find(self, picture: Picture, timestamp_ms: int) -> list[Hand]:
        self.calls += 1
        joints = [] if self.blind else self.drawing.joints
        noisy = [(j + self._random.normal(0, 0.67, j.shape)).astype(np.float32) for j in joints]
        sides: tuple[Side, Side] = ("right", "left")
        return [Hand(j, np.zeros(21, np.float32), side, self.score) for j, side in zip(noisy, sides, strict=False)]


class Stream:
    """A watched stream of drawn frames, as a cheap camera gives them: noise σ 4, JPEG 60."""

    def __init__(self, sigma: float = 0.5, *, live: bool = False) -> None:
        self.nails, self.hands = TrueNails(sigma), TrueHands()
        self.watch = Watch(self.hands, self.nails, live=live)
        self.frame = 0

    def show(self, scene: Scene) -> tuple[Drawing, Seen]:
        """The next frame, 33 ms after the last."""
        drawing = draw(replace(scene, noise=4), self.frame * FRAME_MS / 1000)
        self.nails.drawing = self.hands.drawing = drawing
        seen = self.watch.see(as_sent(compressed(drawing.rgb)), self.frame * FRAME_MS)
        self.frame += 1
        return drawing, seen

    def run(self, scene: Scene, frames: int) -> list[tuple[Drawing, Seen]]:
        return [self.show(scene) for _ in range(frames)]


def as_sent(rgb: Pixels) -> I420Picture:
    """As a camera's stream comes in."""
    return I420Picture(cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420).astype(np.uint8, copy=False))


def compressed(rgb: Pixels, quality: int = 60) -> Pixels:
    """The picture after JPEG."""
    coded = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    decoded = cv2.imdecode(coded, cv2.IMREAD_COLOR)
    assert decoded is not None
    return cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)
