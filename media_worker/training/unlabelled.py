"""Photos and videos that nobody marked: landmarks and the first networks mark what both are sure of.

Where a hand's landmarks say that a finger shows its back, and the networks find a nail right there, it is a nail; where
they say that it shows its pad, there is none. All other places that may hold a nail are UNKNOWN. Of a video, a nail
must be found again, with the same form, in the next frame.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from media_worker.training.labelling import FalseProposal, mark
from media_worker.training.photos import UNKNOWN, Photo, image_paths, read_rgb, shrunk
from media_worker.vision.arrays import Pixels
from media_worker.vision.finder import SURE_SIDE, Guess, expected_nails, finger_pads, gap
from media_worker.vision.hands import Hand
from media_worker.vision.nails import FINGERS, Nail, facing
from media_worker.vision.pictures import RgbPicture
from media_worker.vision.shapes import NailShape
from media_worker.vision.still_finder import MAP_SIZES, StillFinder
from media_worker.vision.still_hands import StillHandFinder

BACK = 0.5
"""`facing` above which a finger surely shows its back."""

NEAR = 0.6
"""A nail belongs to an expected place within this many lengths."""

DOUBTFUL = 0.15
"""Heat from which a place may hold a nail that neither landmarks nor anybody marked."""

SAME_FORM = 0.06
"""Largest mean difference of two outlines' radii, in nail lengths, that is no change of form."""

VIDEO_STEP = 12
"""Every twelfth frame of a video is taken."""


@dataclass(frozen=True)
class Marked:
    """One picture, and the finger pads in it."""

    photo: Photo
    pads: list[FalseProposal]


class Marker:
    """Marks pictures. Owns a hand model; `close` gives it back."""

    def __init__(self, hand_model: Path, finder: StillFinder) -> None:
        self._hands = StillHandFinder(hand_model)
        self._finder = finder

    def close(self) -> None:
        self._hands.close()

    def mark(self, name: str, rgb: Pixels, following: Pixels | None = None) -> Marked:
        """`following` is the next frame of a video, which must agree."""
        hands = self._hands.find(rgb)
        nails = self._finder.find(RgbPicture(rgb), hands)
        if following is not None:
            later = self._finder.find(RgbPicture(following), self._hands.find(following))
            nails = [nail for nail in nails if any(_agree(nail, other) for other in later)]
        backs = [guess for hand in hands for guess in _backs(hand)]
        pads = [guess for hand in hands for guess in finger_pads(hand)]
        photo = Photo(name, rgb, np.zeros(rgb.shape[:2], np.int16))
        sure = [nail for nail in nails if _near(Guess.at(nail), backs)]
        self._doubt(photo, hands, pads)
        for nail in sure:
            mark(photo, nail, _direction(nail))
        return Marked(photo, [FalseProposal(rgb, pad, 1.0) for pad in pads if not _near(pad, map(Guess.at, sure))])

    def _doubt(self, photo: Photo, hands: Sequence[Hand], pads: Sequence[Guess]) -> None:
        """UNKNOWN, wherever a nail may be: nails marked afterwards are drawn over it."""
        expected = [guess for hand in hands for guess in expected_nails(hand)]
        picture = RgbPicture(photo.rgb)
        hinted = [g for size in MAP_SIZES for _, g in self._finder.hints(picture, size, DOUBTFUL)]
        for guess in [*expected, *hinted]:
            if not _near(guess, pads):
                middle = int(guess.centre[0]), int(guess.centre[1])
                cv2.circle(photo.labels, middle, max(2, round(0.9 * guess.length)), UNKNOWN, -1)


def _backs(hand: Hand) -> list[Guess]:
    """Expected nails of fingers that surely show their backs."""
    if hand.score < SURE_SIDE:
        return []
    facings = {FINGERS[index]: facing(hand, index) for index in range(5)}
    return [guess for guess in expected_nails(hand) if guess.finger and facings[guess.finger] > BACK]


def _agree(nail: Nail, other: Nail) -> bool:
    if gap(Guess.at(nail), Guess.at(other)) > NEAR:
        return False
    mine, its = NailShape.of(nail), NailShape.of(other)
    turned = abs(mine.along / max(abs(mine.along), 1e-6) - its.along / max(abs(its.along), 1e-6))
    resized = abs(np.log(max(mine.length, 1e-6) / max(its.length, 1e-6)))
    return bool(turned < 0.2 and resized < 0.12 and np.abs(mine.radii - its.radii).mean() < SAME_FORM)


def _near(guess: Guess, others: Iterator[Guess] | Sequence[Guess]) -> bool:
    return any(gap(guess, other) < NEAR for other in others)


def _direction(nail: Nail) -> np.ndarray:
    along = nail.axis[1] - nail.axis[0]
    return np.asarray(along / max(float(np.hypot(*along)), 1e-6))


def read_photos(folder: Path, marker: Marker, report: Callable[[str, int, int], None]) -> list[Marked]:
    """Every picture under `folder`."""
    paths = [path for each in sorted({folder, *folder.rglob("*/")}) for path in image_paths(each)]
    marked = []
    for path in paths:
        marked.append(marker.mark(path.stem, read_rgb(path)))
        report(f"marking {folder.name}", len(marked), len(paths))
    return marked


def read_videos(folder: Path, marker: Marker, report: Callable[[str, int, int], None]) -> list[Marked]:
    """Every VIDEO_STEP-th frame of each .mp4 in `folder`."""
    marked = []
    for path in sorted(folder.glob("*.mp4")):
        frames = list(_frames(path))
        for done, index in enumerate(range(0, len(frames) - 1, VIDEO_STEP), 1):
            marked.append(marker.mark(f"{path.stem}_{index}", frames[index], frames[index + 1]))
            report(f"marking {path.stem}", done, len(range(0, len(frames) - 1, VIDEO_STEP)))
    return marked


def _frames(path: Path) -> Iterator[Pixels]:
    video = cv2.VideoCapture(str(path))
    try:
        while True:
            read, bgr = video.read()
            if not read:
                return
            yield shrunk(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False))
    finally:
        video.release()
