"""The one place where aiortc's video encoders are bent to live video on few cores.

Seam: aiortc 1.16 makes encoders with `aiortc.rtcrtpsender.get_encoder`, a module-level name, which `install` replaces.
`tests/media_worker/test_aiortc_seams.py` fails when an upgrade changes what this relies on.

Measured at 640x480 on one core (design, section 5): aiortc's x264 settings (preset medium) 17.5 ms a frame, superfast
with one thread 2.8 ms; libvpx with aiortc's denoising 6–7.7 ms, without 4–4.3. More than one thread per stream starves
the others.
"""

from __future__ import annotations

import fractions
from collections.abc import Iterator

import av
from aiortc import rtcrtpsender
from aiortc.codecs import get_encoder
from aiortc.codecs.base import Encoder
from aiortc.codecs.h264 import MAX_FRAME_RATE, H264Encoder
from aiortc.codecs.vpx import Vp8Encoder
from aiortc.mediastreams import VIDEO_TIME_BASE
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from av.frame import Frame
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

START_BITRATE = 1_500_000
"""bit/s at 640x480, until the receiver's REMB says otherwise; aiortc starts at 1,000,000."""

REBUILD_AT_CHANGE = 0.25
"""libx264 through FFmpeg cannot change its bitrate, so a change rebuilds the encoder and costs a keyframe. aiortc
does so at 10 %, which a wandering estimate crosses every second."""


AIORTC_REBUILDS_AT = 0.1
"""For VP8 aiortc's own `encode` stays, so a codec of ours must be there before it would make one of its own."""


class LiveH264Encoder(H264Encoder):
    """aiortc's packetizer over x264 superfast, one thread, constrained baseline, no look-ahead."""

    def __init__(self) -> None:
        super().__init__()
        self.target_bitrate = START_BITRATE

    def _encode_frame(self, frame: av.VideoFrame, force_keyframe: bool) -> Iterator[bytes]:
        if self.codec is None or _outdated(self.codec, frame, self.target_bitrate, REBUILD_AT_CHANGE):
            self.codec = self._open(frame.width, frame.height)
        frame.pict_type = PictureType.I if force_keyframe else PictureType.NONE
        data = b"".join(bytes(packet) for packet in self.codec.encode(frame))
        if data:
            yield from self._split_bitstream(data)

    def _open(self, width: int, height: int) -> VideoCodecContext:
        codec: VideoCodecContext = av.CodecContext.create("libx264", "w")
        codec.width, codec.height = width, height
        codec.bit_rate = self.target_bitrate
        codec.pix_fmt = "yuv420p"
        codec.framerate = fractions.Fraction(MAX_FRAME_RATE, 1)
        codec.time_base = VIDEO_TIME_BASE
        codec.thread_count = 1
        codec.gop_size = 3000  # keyframes when the receiver asks for one (PLI), not by the clock
        codec.options = {"preset": "superfast", "tune": "zerolatency", "level": "31", "sc_threshold": "0"}
        codec.profile = "Baseline"
        return codec


class LiveVp8Encoder(Vp8Encoder):
    """aiortc's packetizer and rate control over libvpx without its denoiser, which costs a third of the time."""

    def encode(self, frame: Frame, force_keyframe: bool = False) -> tuple[list[bytes], int]:
        assert isinstance(frame, av.VideoFrame)
        if self.codec is None or _outdated(self.codec, frame, self.target_bitrate, AIORTC_REBUILDS_AT):
            self.codec = self._open(frame.width, frame.height)
        return super().encode(frame, force_keyframe)

    def _open(self, width: int, height: int) -> VideoCodecContext:
        rate = str(self.target_bitrate)
        codec: VideoCodecContext = av.CodecContext.create("libvpx", "w")
        codec.width, codec.height = width, height
        codec.bit_rate = self.target_bitrate
        codec.pix_fmt = "yuv420p"
        codec.gop_size = 3000
        codec.qmin, codec.qmax = 2, 56
        codec.thread_count = 1
        codec.options = {  # as in aiortc, but for noise-sensitivity
            **{"bufsize": rate, "minrate": rate, "maxrate": rate, "cpu-used": "-6", "deadline": "realtime"},
            **{"lag-in-frames": "0", "noise-sensitivity": "0", "overshoot-pct": "15", "undershoot-pct": "100"},
            **{"partitions": "0", "static-thresh": "1"},
        }
        return codec


def _outdated(codec: VideoCodecContext, frame: av.VideoFrame, bitrate: int, tolerance: float) -> bool:
    """Whether a frame of another size came, or the bitrate moved by more than `tolerance` of what it was."""
    was = codec.bit_rate or bitrate
    return (codec.width, codec.height) != (frame.width, frame.height) or abs(bitrate - was) / was > tolerance


def live_encoder(codec: RTCRtpCodecParameters) -> Encoder:
    """aiortc's `get_encoder` with our H.264 and VP8."""
    ours = {"video/h264": LiveH264Encoder, "video/vp8": LiveVp8Encoder}.get(codec.mimeType.lower())
    return ours() if ours else get_encoder(codec)


def install() -> None:
    """Makes every RTCRtpSender of this process use `live_encoder`. Idempotent."""
    rtcrtpsender.get_encoder = live_encoder  # type: ignore[attr-defined]
