"""What vision costs on this machine: `OMP_NUM_THREADS=1 python -m media_worker.vision.bench`.

Everything runs on the drawn hand at 640x480, so that anybody can repeat it.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from media_worker.drawn_hand import Scene, clip
from media_worker.pipeline import Pipeline
from media_worker.polish.looks import Look
from media_worker.polish.painter import Painter
from media_worker.vision import models
from media_worker.vision.arrays import Pixels
from media_worker.vision.nails import Nail
from media_worker.vision.still_hands import StillHandFinder
from protocol import designs
from protocol.designs import Finish
from protocol.messages import Wish

FRAME_MS = 33
SECONDS = 4


def main() -> None:
    cv2.setNumThreads(1)
    model = models.find()
    for name, scene in (("one hand", Scene()), ("two hands", Scene(hands=2)), ("no hand", Scene(hands=0))):
        _stream(model, name, scene)
    _render()
    _jitter(model)


def _stream(model: Path, name: str, scene: Scene) -> None:
    pipeline = Pipeline(model, Look.of(designs.find(1)))
    frames = [_i420(drawing.rgb) for drawing in clip(scene, SECONDS)]
    stages = [pipeline.process_i420(frame, k * FRAME_MS).stages for k, frame in enumerate(frames)][15:]
    pipeline.close()
    vision, paint = ([stage[kind] for stage in stages] for kind in ("vision", "render"))
    p50, p95 = np.percentile(vision, [50, 95])
    print(
        f"{name:10} vision mean {np.mean(vision):5.1f}  p50 {p50:5.1f}  p95 {p95:5.1f}"
        f"   render p50 {np.median(paint):4.1f}  (ms per frame)"
    )


def _render() -> None:
    """Every finish as in a stream: one painter, nails that are followed."""
    drawing = next(clip(Scene(width=1312, height=984), 1))
    nails = [
        Nail(n.finger, n.hand, n.outline.astype(np.float32), n.axis.astype(np.float32), 1.0, 1.0, track=track)
        for track, n in enumerate(drawing.nails, 1)
    ]
    width, length = (np.mean([extent(nail) for nail in nails]) for extent in (lambda n: n.width, _length))
    costs = {finish: _paint_ms(drawing.rgb, nails, finish) for finish in Finish}
    print(f"paint      ms a nail of {width:.0f}x{length:.0f} px: {', '.join(f'{k} {v:.2f}' for k, v in costs.items())}")


def _length(nail: Nail) -> float:
    return float(np.hypot(*(nail.axis[1] - nail.axis[0])))


def _paint_ms(rgb: Pixels, nails: list[Nail], finish: Finish) -> float:
    """Median over 60 frames, milliseconds of processor time a nail."""
    look, planes, painter, times = Look.of(designs.find(1)).wearing(Wish(finish=finish)), _i420(rgb), Painter(), []
    for _ in range(60):
        frame = planes.copy()
        start = time.thread_time()
        painter.paint_i420(frame, nails, look)
        times.append((time.thread_time() - start) / len(nails) * 1e3)
    return float(np.median(times))


def _jitter(model: Path) -> None:
    scene = replace(Scene(), still=True, noise=6)
    pipeline, still = Pipeline(model, Look.of(designs.find(1))), StillHandFinder(model)
    raw, smooth = [], []
    for index, drawing in enumerate(clip(scene, SECONDS)):
        raw.append(still.find(drawing.rgb)[0].landmarks[[4, 8, 12, 16, 20]])
        result = pipeline.process_rgb(drawing.rgb, index * FRAME_MS)
        smooth.append(np.stack([nail.axis[1] for nail in result.nails]))
    pipeline.close()
    still.close()
    before, after = (float(np.std(points[30:], axis=0).mean()) for points in (raw, smooth))
    print(
        f"jitter     finger tips of a still hand, noise of 6: raw {before:.2f} px RMS, free edges painted {after:.2f}"
    )


def _i420(rgb: Pixels) -> Pixels:
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420).astype(np.uint8, copy=False)


if __name__ == "__main__":
    main()
