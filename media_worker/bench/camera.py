"""The camera of a benchmark: a clip whose frames carry their numbers, as Chromium takes it for a camera."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import cycle, islice
from pathlib import Path

import av
import cv2
import numpy as np

from media_worker import drawn_hand, frame_code
from media_worker.bench.errors import BenchError
from media_worker.vision.arrays import Pixels

WIDTH, HEIGHT, FPS = 640, 480, 30
QUALITY = 92

SECONDS = 8
"""Length of a clip; it plays in a loop. Longer than any latency, so that a number means one moment."""


def write(path: Path, source: Path | None, tick: Callable[[int, int], None] = lambda done, total: None) -> None:
    """Writes an .mjpeg of the video `source`, or of the drawn hand. Raises BenchError where there is no video."""
    with path.open("wb") as file:
        for number, rgb in enumerate(numbered(source)):
            bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
            file.write(cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes())
            tick(number + 1, SECONDS * FPS)


def numbered(source: Path | None) -> Iterator[Pixels]:
    """uint8 (480, 640, 3) frames with their numbers burnt in, SECONDS of them. Raises BenchError.

    The first half of that time is played there and back, so that the loop has no jump, which would cost a server
    more than a hand ever does.
    """
    frames = list(islice(_drawn() if source is None else _filmed(source), SECONDS * FPS // 2))
    for number, rgb in enumerate(islice(cycle([*frames, *reversed(frames)]), SECONDS * FPS)):
        shown = rgb.copy()
        frame_code.write(shown, number)
        yield shown


def _drawn() -> Iterator[Pixels]:
    return (drawing.rgb for drawing in drawn_hand.clip(drawn_hand.Scene(width=WIDTH, height=HEIGHT), SECONDS, FPS))


def _filmed(source: Path) -> Iterator[Pixels]:
    """A video's frames, each taken for a thirtieth of a second."""
    try:
        with av.open(str(source)) as container:
            for frame in container.decode(video=0):
                yield _fitted(frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False))
    except (av.error.InvalidDataError, IndexError) as error:
        reason = "is no video that can be read; --camera takes MP4, WebM, MJPEG and the like"
        raise BenchError(f"{source} {reason}") from error


def _fitted(rgb: Pixels) -> Pixels:
    """The middle of the frame in the camera's proportions, at its size."""
    height, width = rgb.shape[:2]
    wide, high = min(width, round(height * WIDTH / HEIGHT)), min(height, round(width * HEIGHT / WIDTH))
    left, top = (width - wide) // 2, (height - high) // 2
    middle = rgb[top : top + high, left : left + wide]
    return cv2.resize(middle, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
