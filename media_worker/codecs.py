"""The one place where aiortc's video encoders and decoders are bent to live video on few cores.

Seams: aiortc 1.16 makes encoders with `aiortc.rtcrtpsender.get_encoder`, a module-level name, which `install` replaces.
Its H.264 and VP8 decoders have a `codec` that opens with the first frame, so that threads may be counted before.
`tests/media_worker/test_aiortc_seams.py` fails when an upgrade changes what this relies on.

Chosen with `tests/benchmarks/codecs.py`: means over five real hands, 640x480 at 1.5 Mbit/s; milliseconds a frame, PSNR
in dB, SSIM. More than one thread a stream starves the others.

| x264 | | | | libvpx | | | |
|---|---|---|---|---|---|---|---|
| medium (aiortc's) | 9.5 | 45.4 | .988 | aiortc's | 2.6 | 42.8 | .981 |
| superfast | 1.5 | 45.0 | .987 | without denoiser, cpu-used -10 | 1.8 | 45.6 | .985 |
| ultrafast, deblocked, subme 1 | 1.3 | 45.2 | .987 | … profile 1, static-thresh 500 | 1.4 | 45.8 | .988 |
| ultrafast, deblocked | 1.0 | 44.1 | .984 | … and cpu-used -12 | 1.2 | 45.0 | .985 |
| ultrafast | 0.9 | 42.1 | .968 | | | | |
"""

from __future__ import annotations

import fractions
from collections.abc import Iterator

import av
from aiortc import rtcrtpsender
from aiortc.codecs import get_decoder, get_encoder
from aiortc.codecs.base import Decoder, Encoder
from aiortc.codecs.h264 import MAX_FRAME_RATE, H264Decoder, H264Encoder
from aiortc.codecs.vpx import Vp8Decoder, Vp8Encoder
from aiortc.mediastreams import VIDEO_TIME_BASE, convert_timebase
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from av.frame import Frame
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from media_worker import rate_control

IN_PLACE = (0.5, 2.0)
"""libx264 changes its bitrate while it runs, as long as its buffer model (VBV) still fits: between these shares of the
bitrate it was made for. Measured: after a step from 1500 to 800 kbit/s the first half second has 814."""

REBUILD_VP8 = (0.8, 1.5)
"""libvpx through FFmpeg cannot (measured: the rate stays), so beyond these shares the encoder is built anew, which
costs a keyframe. aiortc does so at 10 %, which a wandering estimate crosses every second."""


SHORT_OF_BITS, POOR_LINK = 0.08, 750_000
"""Bits a pixel at 30 fps, and bit/s, below which encoders search harder. At 640x480 and 400 kbit/s that is worth 1.3 dB
and 0.012 of SSIM, and takes no longer than the faster search does at 1500. A poor link's small pictures cost little."""

MAX_PIXELS = 1920 * 1088
"""Largest picture that is decoded: 1080p as H.264 codes it, in blocks of 16. A few bytes can announce 16383x16383, for
which libvpx takes 0.9 GB and three seconds. It does so before FFmpeg can object, so `payloads.vp8_size` reads VP8's
frames first."""

X264_THOROUGH = {"preset": "superfast"}
X264_FAST = {"preset": "ultrafast", "deblock": "1,1"}
"""Deblocking takes a tenth of ultrafast's time, and wins back most of what it loses against superfast. Motion to a
quarter of a pixel (subme 1) would win back the rest, but beside a worker's other work it takes 0.7 ms a frame."""


class LiveH264Encoder(H264Encoder):
    """aiortc's packetizer over x264, one thread, constrained baseline, no look-ahead.

    `target_bitrate` (bit/s) is taken as it is: `rate_control.py` knows the limits, and aiortc's are too narrow.
    """

    target_bitrate = rate_control.START

    def __init__(self) -> None:
        super().__init__()
        self._opened_with = 0

    def _encode_frame(self, frame: av.VideoFrame, force_keyframe: bool) -> Iterator[bytes]:
        if not _fits(self.codec, frame, self.target_bitrate, self._opened_with, IN_PLACE):
            self.codec, self._opened_with = self._open(frame.width, frame.height), self.target_bitrate
        assert self.codec is not None
        self.codec.bit_rate = self.target_bitrate
        frame.pict_type = PictureType.I if force_keyframe else PictureType.NONE
        data = b"".join(bytes(packet) for packet in self.codec.encode(frame))
        if data:
            yield from self._split_bitstream(data)

    def _open(self, width: int, height: int) -> VideoCodecContext:
        codec: VideoCodecContext = av.CodecContext.create("libx264", "w")
        codec.width, codec.height = width, height
        most = int(self.target_bitrate * IN_PLACE[1])
        codec.bit_rate = most
        codec.pix_fmt = "yuv420p"
        codec.framerate = fractions.Fraction(MAX_FRAME_RATE, 1)
        codec.time_base = VIDEO_TIME_BASE
        codec.thread_count = 1
        codec.gop_size = 3000  # keyframes when the receiver asks for one (PLI), neither by the clock nor at a cut
        codec.options = {
            **(X264_THOROUGH if _short_of_bits(self.target_bitrate, width, height) else X264_FAST),
            **{"tune": "zerolatency", "level": "31", "sc_threshold": "0"},
            # A constant bitrate alone may change later, and only below what it was opened with; an average one stays,
            # whatever is asked for. A third of a second's worth of buffer: keyframes stay small.
            **{"maxrate": str(most), "bufsize": str(self.target_bitrate // 3)},
        }
        codec.profile = "Baseline"
        codec.open()
        return codec


class LiveVp8Encoder(Vp8Encoder):
    """aiortc's packetizer over libvpx without its denoiser, which costs a third of the time.

    `target_bitrate` (bit/s) is taken as it is, as above.
    """

    target_bitrate = rate_control.START

    def __init__(self) -> None:
        super().__init__()
        self._opened_with = 0

    def encode(self, frame: Frame, force_keyframe: bool = False) -> tuple[list[bytes], int]:
        assert isinstance(frame, av.VideoFrame)
        assert frame.pts is not None
        assert frame.time_base is not None
        if not _fits(self.codec, frame, self.target_bitrate, self._opened_with, REBUILD_VP8):
            self.codec, self._opened_with = self._open(frame.width, frame.height), self.target_bitrate
        assert self.codec is not None
        frame.pict_type = PictureType.I if force_keyframe else PictureType.NONE
        data = b"".join(bytes(packet) for packet in self.codec.encode(frame))
        payloads = self._packetize(data, self.picture_id)
        self.picture_id = (self.picture_id + 1) % (1 << 15)
        return payloads, convert_timebase(frame.pts, frame.time_base, VIDEO_TIME_BASE)

    def _open(self, width: int, height: int) -> VideoCodecContext:
        rate = str(self.target_bitrate)
        codec: VideoCodecContext = av.CodecContext.create("libvpx", "w")
        codec.width, codec.height = width, height
        codec.bit_rate = self.target_bitrate
        codec.pix_fmt = "yuv420p"
        codec.gop_size = 3000
        codec.qmin, codec.qmax = 2, 56
        codec.thread_count = 1
        codec.options = {
            "cpu-used": "-10",
            # Bilinear prediction and the simple loop filter (RFC 6386 §9.1): cheaper for both ends, and no worse here.
            "profile": "1",
            "static-thresh": "500",  # blocks that differ by less, 2 a pixel squared, are not sent again
            "noise-sensitivity": "0",
            # as in aiortc
            **{"bufsize": rate, "minrate": rate, "maxrate": rate, "deadline": "realtime", "lag-in-frames": "0"},
            **{"overshoot-pct": "15", "undershoot-pct": "100", "partitions": "0"},
        }
        return codec


def _short_of_bits(bitrate: int, width: int, height: int) -> bool:
    return bitrate < max(POOR_LINK, SHORT_OF_BITS * width * height * MAX_FRAME_RATE)


def _fits(
    codec: VideoCodecContext | None, frame: av.VideoFrame, bitrate: int, opened_with: int, share: tuple[float, float]
) -> bool:
    """Whether an encoder takes the frame's size, and a bitrate that is this share of what it was opened with."""
    if codec is None or (codec.width, codec.height) != (frame.width, frame.height):
        return False
    return share[0] * opened_with <= bitrate <= share[1] * opened_with


def live_encoder(codec: RTCRtpCodecParameters) -> Encoder:
    """aiortc's `get_encoder` with our H.264 and VP8."""
    ours = {"video/h264": LiveH264Encoder, "video/vp8": LiveVp8Encoder}.get(codec.mimeType.lower())
    return ours() if ours else get_encoder(codec)


def live_decoder(codec: RTCRtpCodecParameters) -> Decoder:
    """aiortc's `get_decoder`, with one thread. By itself FFmpeg takes one a core, which find nothing to share."""
    decoder = get_decoder(codec)
    if isinstance(decoder, H264Decoder | Vp8Decoder):
        decoder.codec.thread_count = 1
        decoder.codec.options = {"max_pixels": str(MAX_PIXELS)}
    return decoder


def install() -> None:
    """Makes every RTCRtpSender of this process use `live_encoder`. Idempotent."""
    rtcrtpsender.get_encoder = live_encoder  # type: ignore[attr-defined]
