"""How long a frame of a video track spends in each stage, measured where it happens.

Each decoded frame carries its `Journey` in `VideoFrame.opaque`; whoever makes a new frame of it hands the journey on.

    receive   first packet → last packet (where the jitter buffer says so: see `Journey.of`)
    queue     all waiting: for the decoder, the engine's thread, the encoder
    decode, vision, render, encode
    send      payloads → packets, encrypted and handed to the network

Seams: aiortc 1.16 makes decoders with `aiortc.rtcrtpreceiver.get_decoder` and encoders with
`aiortc.rtcrtpsender.get_encoder`, module-level names, which `install` replaces.
`tests/media_worker/test_aiortc_seams.py` fails when an upgrade changes what this relies on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiortc import rtcrtpreceiver, rtcrtpsender
from aiortc.codecs.base import Decoder, Encoder
from aiortc.jitterbuffer import JitterFrame
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from av.frame import Frame
from av.packet import Packet

from media_worker.codecs import live_decoder, live_encoder


class Journey:
    """One frame's stopwatch: each stage lasts from the end of the one before. Not thread-safe, as a frame is in one
    place at a time."""

    def __init__(self, since: float | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`since`: when the frame's first packet came, in seconds of `clock`; by default now."""
        self._clock = clock
        self.began = self._noted = clock() if since is None else since
        self.stages: dict[str, float] = {}
        """Milliseconds by stage."""
        self.rtp_timestamp: int | None = None
        """As in its packets, 32 bits; None where the jitter buffer does not say."""

    @classmethod
    def of(cls, encoded: JitterFrame) -> Journey:
        """The journey of a frame that is about to be decoded.

        `jitter.Frame` says when its first packet came and when it was complete. Of frames from aiortc's own jitter
        buffer, which says neither, a journey begins here.
        """
        journey = cls(getattr(encoded, "first_at", None))
        journey.rtp_timestamp = getattr(encoded, "rtp_timestamp", None)
        complete_at = getattr(encoded, "complete_at", None)
        if complete_at is not None:
            journey.note("receive", complete_at)
            journey.note("queue")
        return journey

    def note(self, stage: str, at: float | None = None) -> None:
        """The stage ends now, or ended `at`. Stages that come twice, as `queue` does, add up."""
        now = self._clock() if at is None else at
        self.stages[stage] = self.stages.get(stage, 0.0) + (now - self._noted) * 1000
        self._noted = now

    def skip_to_now(self, stages: Mapping[str, float]) -> None:
        """Takes over stages that were timed elsewhere, in milliseconds, and that end now."""
        self.stages.update(stages)
        self._noted = self._clock()

    @property
    def age(self) -> float:
        """Seconds since the frame was complete."""
        return self._clock() - self.began - self.stages.get("receive", 0.0) / 1000

    @property
    def total(self) -> float:
        """Milliseconds from the beginning to what was noted last."""
        return (self._noted - self.began) * 1000


class TimedDecoder(Decoder):
    """Any decoder; its frames begin their journeys here."""

    def __init__(self, inner: Decoder) -> None:
        self._inner = inner

    def decode(self, encoded_frame: JitterFrame) -> list[Frame]:
        journey = Journey.of(encoded_frame)
        frames = self._inner.decode(encoded_frame)
        journey.note("decode")
        for frame in frames:  # at most one, as neither browsers nor we use B-frames
            hang(journey, frame)
        return frames


def timed_decoder(codec: RTCRtpCodecParameters) -> Decoder:
    """Our `live_decoder`, timed."""
    return TimedDecoder(live_decoder(codec))


class TimedEncoder(Encoder):
    """Any of our encoders; a journey's encoding is told here.

    A method put over the encoder's own would hold the encoder, and the encoder it: its native memory, some megabytes,
    would stay until the garbage collector comes by.
    """

    def __init__(self, inner: Encoder) -> None:
        self._inner = inner

    def encode(self, frame: Frame, force_keyframe: bool = False) -> tuple[list[bytes], int]:
        journey = journey_of(frame)
        journey.note("queue")
        encoded = self._inner.encode(frame, force_keyframe)
        journey.note("encode")
        return encoded

    def pack(self, packet: Packet[Any]) -> tuple[list[bytes], int]:
        return self._inner.pack(packet)

    @property
    def target_bitrate(self) -> int:
        """bit/s, of the encoder itself: the sender sets it, and so does aiortc."""
        return int(self._inner.target_bitrate)  # type: ignore[attr-defined]

    @target_bitrate.setter
    def target_bitrate(self, bitrate: int) -> None:
        self._inner.target_bitrate = bitrate  # type: ignore[attr-defined]


def timed_encoder(codec: RTCRtpCodecParameters) -> Encoder:
    """Our `live_encoder`, timed."""
    return TimedEncoder(live_encoder(codec))


@dataclass(frozen=True, slots=True)
class _Carried:
    """PyAV 18 keeps what hangs on frames by its `id`, and forgets it with the first frame that goes: so each frame gets
    an object of its own."""

    journey: Journey


def hang(journey: Journey, frame: Frame) -> None:
    """Lets the frame carry the journey."""
    frame.opaque = _Carried(journey)


def journey_of(frame: Frame) -> Journey:
    """The journey that a frame carries; one that begins now, where it has none."""
    return frame.opaque.journey if isinstance(frame.opaque, _Carried) else Journey()


def install() -> None:
    """Times every RTCRtpReceiver and RTCRtpSender of this process. Idempotent; after `codecs.install`."""
    rtcrtpreceiver.get_decoder = timed_decoder  # type: ignore[attr-defined]
    rtcrtpsender.get_encoder = timed_encoder  # type: ignore[attr-defined]
