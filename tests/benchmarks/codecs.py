"""What encoding costs and how much of the picture is left, setting by setting, in one run: ours beside aiortc's.

    .venv/bin/python tests/benchmarks/codecs.py --video hand.mp4 [--kbps 1500] [--seconds 4]

Without a video it encodes the drawn hand. Milliseconds are the thread's processor time a frame: the median of three
passes. PSNR and SSIM (Wang et al. 2004, as in media_worker/evaluation/similarity.py) are of luma, mean over every third
frame after the first half second; kbit/s is what came out.
"""

from __future__ import annotations

import argparse
import fractions
import itertools
import statistics
import time
from pathlib import Path
from typing import Any

import av
import numpy as np
from aiortc.codecs import get_decoder
from aiortc.codecs.base import Encoder
from aiortc.codecs.h264 import H264Encoder, h264_depayload
from aiortc.codecs.vpx import Vp8Encoder, vp8_depayload
from aiortc.jitterbuffer import JitterFrame
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

from media_worker import codecs, drawn_hand
from media_worker.evaluation.similarity import ssim as similarity

Planes = NDArray[Any]
SIZE = (640, 480)
WARM_UP = 15
"""Frames of which the quality does not count: rate control settles."""


def frames_of(video: Path | None, count: int) -> list[Planes]:
    """I420 planes, uint8 (720, 640); the video's middle is cut to 4:3."""
    if video is None:
        drawings = drawn_hand.clip(drawn_hand.Scene(), count / 30)
        pictures = [av.VideoFrame.from_ndarray(drawing.rgb, format="rgb24") for drawing in drawings]
        return [picture.reformat(format="yuv420p").to_ndarray() for picture in pictures]
    with av.open(str(video)) as container:
        pictures = list(itertools.islice(container.decode(video=0), count))
    return [_cut(picture) for picture in pictures]


def _cut(picture: av.VideoFrame) -> Planes:
    rgb: Planes = picture.to_ndarray(format="rgb24")
    height, width = rgb.shape[:2]
    tall, wide = min(height, width * 3 // 4), min(width, height * 4 // 3)
    top, left = (height - tall) // 2, (width - wide) // 2
    cut = np.ascontiguousarray(rgb[top : top + tall, left : left + wide])
    frame = av.VideoFrame.from_ndarray(cut, format="rgb24").reformat(*SIZE, format="yuv420p", interpolation="AREA")
    planes: Planes = frame.to_ndarray()
    return planes


def variant(base: type[codecs.LiveH264Encoder | codecs.LiveVp8Encoder], **options: str) -> type[Encoder]:
    """Our encoder with other options; underscores stand for hyphens."""

    class Variant(base):  # type: ignore[misc, valid-type]
        def _open(self, width: int, height: int) -> VideoCodecContext:
            codec: VideoCodecContext = super()._open(width, height)
            codec.options = {**codec.options, **{key.replace("_", "-"): value for key, value in options.items()}}
            return codec

    return Variant


def measured(make: type[Encoder], mime: str, frames: list[Planes], bitrate: int) -> tuple[float, list[JitterFrame]]:
    """Milliseconds of processor time a frame, and the encoded frames."""
    encoder = make()
    encoder.target_bitrate = bitrate  # type: ignore[attr-defined]
    depayload = h264_depayload if mime == "video/H264" else vp8_depayload
    encoded, spent = [], 0.0
    for number, planes in enumerate(frames):
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts, frame.time_base = number * 3000, fractions.Fraction(1, 90000)
        began = time.process_time()
        payloads, timestamp = encoder.encode(frame)
        spent += time.process_time() - began
        encoded.append(JitterFrame(b"".join(map(depayload, payloads)), timestamp))
    return spent * 1000 / len(frames), encoded


def quality(mime: str, frames: list[Planes], encoded: list[JitterFrame]) -> tuple[float, float]:
    """Mean PSNR in dB and mean SSIM of luma."""
    decoder = get_decoder(RTCRtpCodecParameters(mimeType=mime, clockRate=90000))
    psnr, ssim = [], []
    for number, (planes, coded) in enumerate(zip(frames, encoded, strict=True)):
        (picture,) = decoder.decode(coded)
        if number < WARM_UP or number % 3:
            continue
        assert isinstance(picture, av.VideoFrame)
        luma: Planes = picture.to_ndarray()[: SIZE[1]]
        sent, came = planes[: SIZE[1]], luma
        error = float(np.mean((sent.astype(np.float32) - came) ** 2))
        psnr.append(10 * np.log10(255**2 / max(error, 1e-3)))
        ssim.append(similarity(sent, came))
    return float(np.mean(psnr)), float(np.mean(ssim))


def rows() -> list[tuple[str, str, type[Encoder]]]:
    h264, vp8 = "video/H264", "video/VP8"
    return [
        ("aiortc: x264 medium", h264, H264Encoder),
        ("ours", h264, codecs.LiveH264Encoder),
        ("superfast", h264, variant(codecs.LiveH264Encoder, **codecs.X264_THOROUGH, deblock="0,0")),
        ("ultrafast", h264, variant(codecs.LiveH264Encoder, preset="ultrafast", x264_params="no-deblock=1")),
        ("ours, subme 1", h264, variant(codecs.LiveH264Encoder, x264_params="subme=1")),
        ("aiortc: libvpx -6, denoiser 4", vp8, Vp8Encoder),
        ("ours", vp8, codecs.LiveVp8Encoder),
        *((f"cpu-used {n}", vp8, variant(codecs.LiveVp8Encoder, cpu_used=str(n))) for n in (-8, -10, -12, -16)),
        ("profile 0", vp8, variant(codecs.LiveVp8Encoder, profile="0")),
        ("static-thresh 1", vp8, variant(codecs.LiveVp8Encoder, static_thresh="1")),
        ("both as before", vp8, variant(codecs.LiveVp8Encoder, profile="0", static_thresh="1")),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--video", type=Path, action="append", help="a hand video; may be given several times")
    parser.add_argument("--kbps", type=int, default=1500)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--passes", type=int, default=3)
    options = parser.parse_args()
    for video in options.video or [None]:
        frames = frames_of(video, round(options.seconds * 30))
        print(f"{video.name if video else 'drawn hand'}, {len(frames)} frames, {options.kbps} kbit/s asked for")
        print(f"{'':32}{'ms':>7}{'PSNR dB':>9}{'SSIM':>8}{'kbit/s':>8}")
        for name, mime, make in rows():
            passes = [measured(make, mime, frames, options.kbps * 1000) for _ in range(options.passes)]
            encoded = passes[0][1]
            psnr, ssim = quality(mime, frames, encoded)
            kbps = sum(len(each.data) for each in encoded) * 8 * 30 / len(frames) / 1000
            cost = statistics.median(each[0] for each in passes)
            print(f"{name:32}{cost:7.2f}{psnr:9.2f}{ssim:8.4f}{kbps:8.0f}", flush=True)


if __name__ == "__main__":
    main()
