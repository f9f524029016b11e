"""Vision on files: photos and videos in, painted ones, masks out. The commands of `cli` do it here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from media_worker import images
from media_worker.pipeline import Pipeline, StillPipeline
from media_worker.polish.looks import Look
from media_worker.polish.painter import Painter
from media_worker.vision.coverage import coverage
from media_worker.vision.nails import Nail
from protocol import limits
from protocol.errors import BadImage, BadRequest, TooLarge
from protocol.messages import ImageFormat

Progress = Callable[[int, int], None]
"""Called with (done, total); a total of 0 is unknown."""

SUFFIXES = {
    ".jpg": ImageFormat.JPEG,
    ".jpeg": ImageFormat.JPEG,
    ".png": ImageFormat.PNG,
    ".webp": ImageFormat.WEBP,
}

VIDEO_SUFFIXES = ".mp4", ".m4v", ".mov", ".mkv"
"""Containers that hold H.264 with frame times as they come."""

SHOWN = 0.5
"""A mask holds the nails that are at least this visible and pixels that they cover at least this much."""


def is_image(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES


def read_image(path: Path) -> NDArray[np.uint8]:
    """uint8 (H, W, 3). Raises BadImage, TooLarge or OSError; the message names the file."""
    try:
        return images.decode(path.read_bytes(), max_pixels=limits.MAX_UPLOAD_PIXELS)
    except (BadImage, TooLarge) as error:
        raise type(error)(f"{path}: {error.message}") from error


def paint_image(source: Path, target: Path, look: Look, model: Path, *, compare: float = 0) -> int:
    """Paints a photo but for a share `compare` of its width, on the left; returns the number of nails."""
    image_format = SUFFIXES.get(target.suffix.lower())
    if image_format is None:
        raise BadRequest(f"{target}: a photo is written as {', '.join(SUFFIXES)}")
    rgb = read_image(source)
    with closing(StillPipeline(model)) as pipeline:
        nails, _ = pipeline.find(rgb)
    Painter().paint_rgb(rgb, nails, look, left=round(compare * rgb.shape[1]))
    target.write_bytes(images.encode(rgb, image_format, quality=95))
    return len(nails)


def segment(sources: Sequence[Path], folder: Path, model: Path, progress: Progress) -> int:
    """Writes a mask for each photo; returns the number of photos without a hand."""
    folder.mkdir(parents=True, exist_ok=True)
    empty = 0
    with closing(StillPipeline(model)) as pipeline:
        for done, source in enumerate(sources, 1):
            rgb = read_image(source)
            nails, hands = pipeline.find(rgb)
            mask = np.zeros(rgb.shape[:2], np.uint8)
            for nail_mask in nail_masks(nails, rgb.shape[0], rgb.shape[1]):
                mask[nail_mask] = 255
            if not cv2.imwrite(str(folder / f"{source.stem}.png"), mask):
                raise BadRequest(f"{folder / source.stem}.png cannot be written")
            empty += hands == 0
            progress(done, len(sources))
    return empty


def shown(nails: Sequence[Nail]) -> list[Nail]:
    """The nails that a mask holds: those that are at least half visible."""
    return [nail for nail in nails if nail.visibility >= SHOWN]


def nail_masks(nails: Sequence[Nail], height: int, width: int) -> list[NDArray[np.bool_]]:
    """A bool (height, width) mask for each nail that shows."""
    return [_mask(nail, height, width) for nail in shown(nails)]


def paint_video(source: Path, target: Path, look: Look, model: Path, progress: Progress, *, compare: float = 0) -> int:
    """Paints a video but for a share `compare` of its width, on the left; frame times and sound are kept.

    Returns the number of frames. Raises BadRequest.
    """
    if target.suffix.lower() not in VIDEO_SUFFIXES:
        raise BadRequest(f"{target}: a video is written as {', '.join(VIDEO_SUFFIXES)}")
    if source.resolve() == target.resolve():
        raise BadRequest(f"{target} would overwrite the video while it is read")
    try:
        with av.open(str(source)) as reader:
            if not reader.streams.video:
                raise BadRequest(f"{source} holds no video")
            with closing(Pipeline(model, look)) as pipeline, av.open(str(target), "w") as writer:
                pipeline.compare = compare
                return _paint_frames(reader, writer, pipeline, progress)
    except av.FFmpegError as error:
        raise BadRequest(f"{source} cannot be painted into {target}: {error.strerror}") from error


def _paint_frames(reader: Any, writer: Any, pipeline: Pipeline, progress: Progress) -> int:
    video = reader.streams.video[0]
    sound = reader.streams.audio[0] if reader.streams.audio else None
    # every stream before the first packet: a container's header is written with that one
    encoder = _encoder(writer, video)
    sound_out = writer.add_stream_from_template(sound) if sound else None
    frames = 0
    for packet in reader.demux([video, sound] if sound else [video]):
        if packet.stream is sound:
            if packet.dts is not None:  # the last, empty packet only flushes decoders
                packet.stream = sound_out
                writer.mux(packet)
            continue
        for frame in packet.decode():
            writer.mux(encoder.encode(_painted(pipeline, frame, encoder)))
            frames += 1
            progress(frames, video.frames)
    if frames == 0:
        raise BadRequest(f"{reader.name} holds no frame that decodes")
    writer.mux(encoder.encode(None))
    return frames


def _encoder(writer: Any, video: Any) -> Any:
    encoder = writer.add_stream("libx264", rate=video.average_rate or 30, options={"crf": "18", "preset": "veryfast"})
    encoder.width, encoder.height = video.width & ~1, video.height & ~1  # 4:2:0 needs even sizes
    encoder.pix_fmt = "yuv420p"
    encoder.codec_context.time_base = video.time_base or Fraction(1, 90_000)
    return encoder


def _painted(pipeline: Pipeline, frame: Any, encoder: Any) -> Any:
    even = frame.reformat(encoder.width, encoder.height, "yuv420p")
    result = pipeline.process_i420(even.to_ndarray(), round((frame.time or 0) * 1000))
    painted = av.VideoFrame.from_ndarray(result.image, "yuv420p")
    painted.pts, painted.time_base = frame.pts, frame.time_base
    return painted


def _mask(nail: Nail, height: int, width: int) -> NDArray[np.bool_]:
    mask = np.zeros((height, width), bool)
    size = width, height
    left, top = (int(each) for each in np.clip(np.floor(nail.outline.min(axis=0)) - 1, 0, size))
    right, bottom = (int(each) for each in np.clip(np.ceil(nail.outline.max(axis=0)) + 1, 0, size))
    if left < right and top < bottom:
        mask[top:bottom, left:right] = coverage(nail.outline - (left, top), right - left, bottom - top) > SHOWN
    return mask
