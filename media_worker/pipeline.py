"""The whole way of a frame: what is there (`watching`), then paint. One `Pipeline` a stream; photos have their own."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from media_worker.polish.looks import Look
from media_worker.polish.painter import Painter
from media_worker.vision.arrays import Pixels
from media_worker.vision.finder import NailFinder
from media_worker.vision.hands import HandFinder
from media_worker.vision.nails import Nail
from media_worker.vision.network_finder import NetworkFinder
from media_worker.vision.pictures import I420Picture, RgbPicture
from media_worker.vision.schedule import Retreat
from media_worker.vision.still_finder import StillFinder
from media_worker.vision.still_hands import StillHandFinder
from media_worker.vision.watching import Seen, Watch
from protocol.errors import VisionFailed


@dataclass(frozen=True)
class Processed:
    """A frame that went through."""

    image: Pixels
    """In the layout that came in; the very array that came in, painted in place."""
    nails: list[Nail]
    """Those painted (with visibility above 0)."""
    hands: int
    stages: dict[str, float] = field(default_factory=dict)
    """Milliseconds: `vision` (all before paint), of which `hands`, `nails` and `flow` where they were due; `render`."""
    keyframe: bool = True
    """Whether nails were looked at closely; else they were only followed from the last frame."""
    trouble: VisionFailed | None = None
    """What a live stream did without in this frame: a model that failed, or (`Overrun`) took too long."""

    @property
    def confidence(self) -> float:
        """Mean over the nails, 0–1; 0 without any."""
        return sum(nail.confidence for nail in self.nails) / len(self.nails) if self.nails else 0.0


class Pipeline:
    """Paints the nails of one stream. Not thread-safe: call it from one thread. `look` may be replaced at any time."""

    def __init__(
        self,
        model_path: Path,
        look: Look,
        *,
        max_hands: int = 2,
        finder: NailFinder | None = None,
        live: bool = False,
    ) -> None:
        """`live`: frames do not wait for models that hang, and go on without those that fail."""
        self.look = look
        self.compare: float | None = None
        """Share of the width, from the left, that is left untouched."""
        self._painter = Painter()
        self._watch = Watch(HandFinder(model_path, max_hands=max_hands), finder or NetworkFinder(), live=live)

    def retreat(self, to: Retreat) -> None:
        """From the next frame on, spends less, as cores are short, or more again."""
        self._watch.retreat = to

    def process_i420(self, i420: Pixels, timestamp_ms: int, *, hurry: bool = False) -> Processed:
        """Paints a frame in place. uint8 (H·3/2, W) with even H and W, as `VideoFrame.to_ndarray()` gives for yuv420p.

        In a `hurry` nails are only followed: 1 ms instead of up to 9.
        Bytes of the frame change under the nails and nowhere else. Raises VisionFailed; ValueError for other shapes.
        """
        _check(i420, "I420 (H*3//2, W) with even H and W", i420.ndim == 2 and _is_i420(i420))
        start = time.perf_counter()
        seen = self._watch.see(I420Picture(i420), timestamp_ms, hurry=hurry)
        watched = time.perf_counter()
        self._painter.paint_i420(i420, seen.nails, self.look, left=self._split(i420))
        return _processed(i420, seen, start, watched)

    def process_rgb(self, rgb: Pixels, timestamp_ms: int) -> Processed:
        """Paints a frame in place. uint8 (H, W, 3), sRGB. Shares its tracking with process_i420."""
        _check(rgb, "RGB (H, W, 3)", rgb.ndim == 3 and rgb.shape[2] == 3)
        start = time.perf_counter()
        seen = self._watch.see(RgbPicture(rgb), timestamp_ms)
        watched = time.perf_counter()
        self._painter.paint_rgb(rgb, seen.nails, self.look, left=self._split(rgb))
        return _processed(rgb, seen, start, watched)

    def close(self) -> None:
        """Ends its threads. May be called twice."""
        self._watch.close()

    def _split(self, image: Pixels) -> int:
        return round((self.compare or 0) * int(image.shape[1]))


def load_networks(model_path: Path) -> None:
    """All that a live stream needs, for the process: the first stream would wait for it, half a second and more."""
    HandFinder(model_path)
    NetworkFinder()


class StillPipeline:
    """Paints photos, each on its own: tries harder to find a hand, smooths nothing."""

    def __init__(self, model_path: Path, *, max_hands: int = 2, finder: NailFinder | None = None) -> None:
        self._hands = StillHandFinder(model_path, max_hands=max_hands)
        self._finder = finder or StillFinder()

    def find(self, rgb: Pixels) -> tuple[list[Nail], int]:
        """The nails in a photo, uint8 (H, W, 3), and the number of hands. Raises VisionFailed."""
        hands = self._hands.find(rgb)
        return self._finder.find(RgbPicture(rgb), hands), len(hands)

    def process_rgb(self, rgb: Pixels, look: Look) -> Processed:
        """Paints a photo in place. uint8 (H, W, 3), sRGB. Raises VisionFailed; ValueError for other shapes."""
        _check(rgb, "RGB (H, W, 3)", rgb.ndim == 3 and rgb.shape[2] == 3)
        start = time.perf_counter()
        nails, hands = self.find(rgb)
        seen = time.perf_counter()
        Painter().paint_rgb(rgb, nails, look)
        return Processed(rgb, nails, hands, _stages(start, seen))

    def close(self) -> None:
        """Gives back the hand model, and what the networks worked in. May be called twice."""
        self._hands.close()
        self._finder.close()


def try_on_still(model_path: Path, rgb: Pixels, look: Look) -> Processed:
    """Paints a copy of one photo, uint8 (H, W, 3). For many, keep a StillPipeline: loading takes 0.1 s."""
    pipeline = StillPipeline(model_path)
    try:
        return pipeline.process_rgb(rgb.copy(), look)
    finally:
        pipeline.close()


def _processed(image: Pixels, seen: Seen, start: float, watched: float) -> Processed:
    return Processed(image, seen.nails, seen.hands, _stages(start, watched) | seen.stages, seen.keyframe, seen.trouble)


def _stages(start: float, seen: float) -> dict[str, float]:
    return {"vision": (seen - start) * 1e3, "render": (time.perf_counter() - seen) * 1e3}


def _is_i420(array: Pixels) -> bool:
    rows, width = array.shape
    return bool(rows % 3 == 0 and rows > 0 and width > 0 and width % 2 == 0)


def _check(array: Pixels, expected: str, fits: bool) -> None:
    if array.dtype != np.uint8 or not fits:
        raise ValueError(f"expected uint8 {expected}, got {array.dtype} {array.shape}")
