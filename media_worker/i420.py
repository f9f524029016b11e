"""Video frames as I420 planes, and back, without a copy where that can be."""

from __future__ import annotations

import av
import numpy as np

from media_worker.vision.arrays import Pixels


def planes_of(frame: av.VideoFrame) -> Pixels:
    """uint8 (H·3/2, W), with even sides, whatever the decoder gave."""
    planes: np.ndarray = _even(frame).to_ndarray()
    return planes


def frame_of(i420: Pixels) -> av.VideoFrame:
    """A frame of these planes, uint8 (H·3/2, W): the very bytes, which therefore may not change any more."""
    if i420.shape[0] % 6:  # PyAV 18 takes the height for a multiple of four here
        return av.VideoFrame.from_ndarray(i420, format="yuv420p")
    return av.VideoFrame.from_numpy_buffer(i420, format="yuv420p")


def _even(frame: av.VideoFrame) -> av.VideoFrame:
    """As I420 with even sides."""
    if frame.width % 2 or frame.height % 2 or frame.format.name != "yuv420p":
        return frame.reformat(width=frame.width & ~1, height=frame.height & ~1, format="yuv420p")
    return frame
