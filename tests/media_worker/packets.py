"""RTP packets of a short clip, as a receiver hands them to its jitter buffer."""

from __future__ import annotations

import fractions
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import av
import numpy as np
from aiortc.codecs import depayload
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtp import RtpPacket

from media_worker import codecs, jitter, payloads

H264 = RTCRtpCodecParameters(mimeType="video/H264", clockRate=90000, payloadType=99)
VP8 = RTCRtpCodecParameters(mimeType="video/VP8", clockRate=90000, payloadType=97)
TICKS = 3000
"""RTP ticks a frame, at 30 fps."""


def picture(number: int, width: int = 320, height: int = 240) -> av.VideoFrame:
    """A noisy ramp that moves: frames of several packets, deltas that need their references."""
    ramp = np.linspace(30, 200, width, dtype=np.uint8)
    planes = np.tile(np.roll(ramp, number * 3), (height * 3 // 2, 1))
    planes += np.random.default_rng(number).integers(0, 60, planes.shape, dtype=np.uint8)
    frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
    frame.pts, frame.time_base = number * TICKS, fractions.Fraction(1, 90000)
    return frame


@cache
def encoded(codec_name: str, count: int, keyframes: tuple[int, ...]) -> tuple[tuple[bytes, ...], ...]:
    """RTP payloads of each frame."""
    encoder = codecs.LiveH264Encoder() if codec_name == "H264" else codecs.LiveVp8Encoder()
    encoder.target_bitrate = 1_500_000
    return tuple(tuple(encoder.encode(picture(n), n in keyframes)[0]) for n in range(count))


@dataclass(frozen=True)
class Clip:
    codec: RTCRtpCodecParameters
    packets: list[RtpPacket]
    frames: list[bytes]
    """What the decoder must see, frame by frame."""
    starts: list[int]
    """Index of each frame's first packet."""

    def of(self, frame: int) -> range:
        """Indices of a frame's packets."""
        return range(self.starts[frame], [*self.starts, len(self.packets)][frame + 1])


def clip(
    codec: RTCRtpCodecParameters,
    count: int = 12,
    keyframes: tuple[int, ...] = (0, 6),
    *,
    first: int = 1000,
    first_timestamp: int = 0,
) -> Clip:
    """`first`: the first packet's sequence number."""
    packets: list[RtpPacket] = []
    starts: list[int] = []
    whole: list[bytes] = []
    for number, parts in enumerate(encoded(codec.name, count, keyframes)):
        starts.append(len(packets))
        whole.append(b"".join(depayload(codec, part) for part in parts))
        for index, part in enumerate(parts):
            timestamp = (first_timestamp + number * TICKS) % (1 << 32)
            sequence = (first + len(packets)) % (1 << 16)
            packets.append(packet(codec, sequence, timestamp, part, marker=index == len(parts) - 1))
    return Clip(codec, packets, whole, starts)


def packet(codec: RTCRtpCodecParameters, sequence: int, timestamp: int, payload: bytes, *, marker: bool) -> RtpPacket:
    assert codec.payloadType is not None
    made = RtpPacket(
        payload_type=codec.payloadType, marker=int(marker), sequence_number=sequence, timestamp=timestamp, ssrc=7
    )
    made.payload = payload
    made._data = payloads.read(codec, payload) if payload else b""  # type: ignore[attr-defined]
    return made


class Receiver:
    """A jitter buffer with a clock to turn, and all it said."""

    def __init__(self) -> None:
        self.now = 100.0
        self.buffer = jitter.JitterBuffer(clock=lambda: self.now)
        self.frames: list[jitter.Frame] = []
        self.plis: list[float] = []

    def take(self, packets: Sequence[RtpPacket], apart: float = 0.002) -> list[bytes]:
        """Packets come in, `apart` seconds each. What was handed on, all in all."""
        for each in packets:
            self.now += apart
            pli, frame = self.buffer.add(each)
            if pli:
                self.plis.append(self.now)
            self.frames += unbundled(frame)
        return [frame.data for frame in self.frames]


def unbundled(frame: jitter.Frame | None) -> Iterator[jitter.Frame]:
    if frame:
        yield frame
        yield from frame.later
