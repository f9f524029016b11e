"""The one place where aiortc's video encoders are bent to live video on few cores.

Seam: aiortc 1.16 makes encoders with `aiortc.rtcrtpsender.get_encoder`, a module-level name, which `install` replaces
for H.264. tests/media_worker/test_aiortc_seams.py fails when an upgrade changes what this relies on.

Measured at 640x480 on one core (design, section 5): aiortc's x264 settings (preset medium) 17.5 ms a frame, superfast
with one thread 2.8 ms. More than one thread per stream starves the others.
"""

from __future__ import annotations

import fractions
from collections.abc import Iterator

import av
from aiortc import rtcrtpsender
from aiortc.codecs import get_encoder
from aiortc.codecs.base import Encoder
from aiortc.codecs.h264 import MAX_FRAME_RATE, H264Encoder
from aiortc.mediastreams import VIDEO_TIME_BASE
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

START_BITRATE = 1_500_000
"""bit/s at 640x480, until the receiver's REMB says otherwise; aiortc starts at 1,000,000."""

REBUILD_AT_CHANGE = 0.25
"""libx264 through FFmpeg cannot change its bitrate, so a change rebuilds the encoder and costs a keyframe. aiortc
does so at 10 %, which a wandering estimate crosses every second."""


class LiveH264Encoder(H264Encoder):
    """aiortc's packetizer over x264 superfast, one thread, constrained baseline, no look-ahead."""

    def __init__(self) -> None:
        super().__init__()
        self.target_bitrate = START_BITRATE

    def _encode_frame(self, frame: av.VideoFrame, force_keyframe: bool) -> Iterator[bytes]:
        if self.codec is None or self._outdated(self.codec, frame):
            self.codec = self._open(frame.width, frame.height)
        frame.pict_type = PictureType.I if force_keyframe else PictureType.NONE
        data = b"".join(bytes(packet) for packet in self.codec.encode(frame))
        if data:
            yield from self._split_bitstream(data)

    def _outdated(self, codec: VideoCodecContext, frame: av.VideoFrame) -> bool:
        bitrate = codec.bit_rate or self.target_bitrate
        return (codec.width, codec.height) != (frame.width, frame.height) or (
            abs(self.target_bitrate - bitrate) / bitrate > REBUILD_AT_CHANGE
        )

    def _open(self, width: int, height: int) -> VideoCodecContext:
        codec: VideoCodecContext = av.CodecContext.create("libx264", "w")
        codec.width, codec.height = width, height
        codec.bit_rate = self.target_bitrate
        codec.pix_fmt = "yuv420p"
        codec.framerate = fractions.Fraction(MAX_FRAME_RATE, 1)
        codec.time_base = VIDEO_TIME_BASE
        codec.thread_count = 1
        codec.gop_size = 3000  # keyframes when the receiver asks for one (PLI), not by the clock
        codec.options = {"preset": "superfast", "tune": "zerolatency", "level": "31"}
        codec.profile = "Baseline"
        return codec


def live_encoder(codec: RTCRtpCodecParameters) -> Encoder:
    """aiortc's `get_encoder` with our H.264."""
    return LiveH264Encoder() if codec.mimeType.lower() == "video/h264" else get_encoder(codec)


def install() -> None:
    """Makes every RTCRtpSender of this process use `live_encoder`. Idempotent."""
    rtcrtpsender.get_encoder = live_encoder  # type: ignore[attr-defined]
