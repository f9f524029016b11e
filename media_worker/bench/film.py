"""A clip encoded once, and sent over and over by as many clients as you like: sending costs them no encoding."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from fractions import Fraction
from typing import Any, cast

import av
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av.video.codeccontext import VideoCodecContext

from media_worker.bench.camera import FPS, HEIGHT, WIDTH
from media_worker.vision.arrays import Pixels

TICKS = 90000 // FPS
"""Of the RTP clock, a frame."""

BITRATE = 1_500_000
KEYFRAME_EVERY = FPS
"""A second: clients cannot make a keyframe when the server asks for one, so one is never far."""

OPTIONS = {
    "h264": ("libx264", {"preset": "veryfast", "tune": "zerolatency", "profile": "baseline", "level": "31"}),
    "vp8": ("libvpx", {"deadline": "realtime", "cpu-used": "-4", "lag-in-frames": "0", "auto-alt-ref": "0"}),
}


def encode(frames: Iterable[Pixels], codec: str) -> list[bytes]:
    """Each frame, uint8 (480, 640, 3), as the bytes of one packet; `codec` is "h264" or "vp8"."""
    name, options = OPTIONS[codec]
    context = cast(VideoCodecContext, av.CodecContext.create(name, "w"))
    context.width, context.height, context.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    context.bit_rate, context.gop_size = BITRATE, KEYFRAME_EVERY
    context.framerate, context.time_base = Fraction(FPS), Fraction(1, FPS)
    context.thread_count, context.options = 1, options
    packets = []
    for number, rgb in enumerate(frames):
        frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p")
        frame.pts = number
        packets += context.encode(frame)
    packets += context.encode(None)
    return [bytes(packet) for packet in packets]


class Film(MediaStreamTrack):
    """Sends a clip in real time; aiortc only packetizes what a track gives as packets."""

    kind = "video"

    def __init__(self, packets: list[bytes], phase: float) -> None:
        """`phase`, 0–1, is by how much of a frame this one is late, so that many films do not march in step."""
        super().__init__()
        self._packets = packets
        self._begin = time.perf_counter() + phase / FPS
        self.sent_at: list[float] = []
        """When each frame left, by `time.perf_counter`."""

    async def recv(self) -> av.Packet[Any]:
        if self.readyState != "live":
            raise MediaStreamError
        number = len(self.sent_at)
        await asyncio.sleep(max(0.0, self._begin + number / FPS - time.perf_counter()))
        packet = av.Packet(self._packets[number % len(self._packets)])
        packet.pts, packet.time_base = number * TICKS, Fraction(1, 90000)
        self.sent_at.append(time.perf_counter())
        return packet
