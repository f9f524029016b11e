"""A live session's pipeline on a video that nobody has annotated: how steady, how fast, how often false."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from media_worker import files
from media_worker.evaluation.figures import Figure
from media_worker.pipeline import Pipeline
from media_worker.polish.looks import Look
from media_worker.vision import video_metrics
from media_worker.vision.arrays import Pixels
from media_worker.vision.nails import Nail
from media_worker.vision.video_metrics import FlowMeter, NailTracks
from protocol import designs
from protocol.errors import BadRequest

LONGEST = 640
"""A frame's longer side in pixels, unless a height is asked for: what a phone's camera sends in a session."""


@dataclass(frozen=True)
class Seen:
    """What vision made of one frame."""

    nails: list[Nail]
    """Those that show."""
    vision_ms: float
    keyframe: bool
    """Nails were looked at closely."""
    agreement: float | None = None
    """`video_metrics.agreement` with the frame before."""


class Watcher:
    """A session's pipeline, frame after frame. The frames themselves stay unpainted."""

    def __init__(self, model: Path) -> None:
        self._pipeline = Pipeline(model, Look.of(designs.find(1)))

    def see(self, i420: Pixels, timestamp_ms: int) -> Seen:
        """`i420` is uint8 (H·3/2, W). Raises VisionFailed."""
        result = self._pipeline.process_i420(i420.copy(), timestamp_ms)
        return Seen(files.shown(result.nails), result.stages["vision"], result.keyframe)

    def close(self) -> None:
        self._pipeline.close()


@dataclass(frozen=True)
class Times:
    """Milliseconds of vision a frame: conversion, finding and following, without paint."""

    frames: int
    median: float
    mean: float
    p95: float

    @classmethod
    def of(cls, milliseconds: Sequence[float]) -> Times | None:
        if not milliseconds:
            return None
        median, p95 = np.percentile(milliseconds, [50, 95])
        return cls(len(milliseconds), float(median), float(np.mean(milliseconds)), float(p95))


@dataclass(frozen=True)
class VideoReport:
    video: Path
    size: tuple[int, int]
    """Width and height that vision saw."""
    seen: list[Seen]
    tracks: NailTracks
    no_hands: bool
    """The video is known to hold no nail."""

    @property
    def agreements(self) -> list[float]:
        return [seen.agreement for seen in self.seen if seen.agreement is not None]

    @property
    def nails(self) -> int:
        """Nails summed over frames."""
        return sum(len(seen.nails) for seen in self.seen)

    @property
    def false_nails_per_1000_frames(self) -> float | None:
        """Every false nail counts in every frame that shows it."""
        return 1000 * self.nails / len(self.seen) if self.no_hands else None

    def times(self, *, keyframe: bool | None = None) -> Times | None:
        """Of all frames, or of those that are keyframes or not."""
        return Times.of([each.vision_ms for each in self.seen if keyframe in (None, each.keyframe)])

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        jitter = video_metrics.jitter(self.tracks.tracks)
        times = {"all": self.times(), "keyframes": self.times(keyframe=True), "followed": self.times(keyframe=False)}
        return {
            "video": str(self.video),
            "width": self.size[0],
            "height": self.size[1],
            "frames": len(self.seen),
            "nails_per_frame": self.nails / len(self.seen),
            "jitter_px_rms": jitter.rms,
            "still_nail_frames": jitter.nail_frames,
            "agreement_mean": float(np.mean(self.agreements)) if self.agreements else None,
            "agreement_p5": float(np.percentile(self.agreements, 5)) if self.agreements else None,
            "pops": len(self.tracks.pops()),
            "false_nails_per_1000_frames": self.false_nails_per_1000_frames,
            "vision_ms": {name: asdict(time) if time else None for name, time in times.items()},
        }

    def figures(self) -> list[Figure]:
        found = self.as_dict()
        every = self.times()
        return [
            Figure("frames", found["frames"], 0, note=f"{self.size[0]}x{self.size[1]}"),
            *(
                [Figure("false nails per 1,000 frames", self.false_nails_per_1000_frames, 1, at_most=1)]
                if self.no_hands
                else []
            ),
            Figure("nails per frame", found["nails_per_frame"], 2),
            Figure("jitter at rest, px RMS", found["jitter_px_rms"], note=_rest(found["still_nail_frames"])),
            Figure("warped agreement, mean IoU", found["agreement_mean"]),
            Figure("warped agreement, 5th percentile", found["agreement_p5"]),
            Figure("pops", found["pops"], 0, note="came or went for under 3 frames"),
            *_time_figures("vision", every, 14),
            *_time_figures("keyframes", self.times(keyframe=True), 22),
            *_time_figures("followed frames", self.times(keyframe=False), None),
        ]


def evaluate(
    video: Path, model: Path, progress: files.Progress, *, height: int | None = None, no_hands: bool = False
) -> VideoReport:
    """Runs a session's pipeline over a video. Raises BadRequest, VisionFailed and OSError."""
    meter, tracks, seen, before = FlowMeter(), NailTracks(), list[Seen](), None
    size = 0, 0
    total = count(video)
    with closing(Watcher(model)) as watcher:
        for i420, timestamp_ms in frames(video, height):
            size = i420.shape[1], i420.shape[0] * 2 // 3
            each = watcher.see(i420, timestamp_ms)
            flow = meter.update(i420[: size[1]])
            tracks.update(each.nails, flow)
            masks = files.nail_masks(each.nails, size[1], size[0])
            now = np.logical_or.reduce([np.zeros((size[1], size[0]), bool), *masks])
            agreed = video_metrics.agreement(before, now, flow) if before is not None and flow is not None else None
            seen.append(Seen(each.nails, each.vision_ms, each.keyframe, agreed))
            before = now
            progress(len(seen), total)
    if not seen:
        raise BadRequest(f"{video} holds no frame that decodes")
    return VideoReport(video, size, seen, tracks, no_hands)


def frames(video: Path, height: int | None = None) -> Iterator[tuple[Pixels, int]]:
    """Upright frames as I420, uint8 (H·3/2, W), with their times in milliseconds.

    Scaled to `height`, or shrunk so that the longer side is at most LONGEST. Raises BadRequest.
    """
    try:
        with av.open(str(video)) as container:
            if not container.streams.video:
                raise BadRequest(f"{video} holds no video")
            for frame in container.decode(video=0):
                turns = round(getattr(frame, "rotation", 0) / 90) % 4
                width, tall = _size(frame.width, frame.height, height, sideways=bool(turns % 2))
                i420 = np.asarray(frame.reformat(width, tall, "yuv420p").to_ndarray(), np.uint8)
                yield _turned(i420, turns), round((frame.time or 0) * 1000)
    except av.FFmpegError as error:
        raise BadRequest(f"{video} cannot be read: {error.strerror}") from error


def count(video: Path) -> int:
    """How many frames a video says it has; 0 where it does not. Raises BadRequest."""
    try:
        with av.open(str(video)) as container:
            return container.streams.video[0].frames if container.streams.video else 0
    except av.FFmpegError as error:
        raise BadRequest(f"{video} cannot be read: {error.strerror}") from error


def rgb_of(i420: Pixels) -> Pixels:
    return cv2.cvtColor(i420, cv2.COLOR_YUV2RGB_I420).astype(np.uint8, copy=False)


def i420_of(rgb: Pixels) -> Pixels:
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420).astype(np.uint8, copy=False)


def _size(width: int, height: int, wanted: int | None, *, sideways: bool) -> tuple[int, int]:
    """Even width and height of the frame as it is stored; `wanted` is the height once it is upright."""
    upright = width if sideways else height
    scale = wanted / upright if wanted else min(1.0, LONGEST / max(width, height))
    return max(round(width * scale / 2), 1) * 2, max(round(height * scale / 2), 1) * 2


def _turned(i420: Pixels, turns: int) -> Pixels:
    """Turned anticlockwise by so many right angles, plane by plane."""
    if not turns:
        return i420
    height, width = i420.shape[0] * 2 // 3, i420.shape[1]
    chroma = i420[height:].reshape(2, height // 2, width // 2)
    planes = np.rot90(i420[:height], turns), *(np.rot90(plane, turns) for plane in chroma)
    tall, wide = planes[0].shape
    return np.concatenate([plane.reshape(-1) for plane in planes]).reshape(tall * 3 // 2, wide)


def _rest(nail_frames: int) -> str:
    return f"{nail_frames} frames of nails" if nail_frames else "no nail is at rest for half a second"


def _time_figures(what: str, times: Times | None, target: float | None) -> list[Figure]:
    if times is None:
        return []
    return [
        Figure(f"{what}, ms median", times.median, 1, at_most=target, note=f"{times.frames} frames"),
        Figure(f"{what}, ms mean", times.mean, 1, at_most=target),
        Figure(f"{what}, ms 95th percentile", times.p95, 1),
    ]
