from __future__ import annotations

import fractions
import gc
import weakref

import av
import pytest
from aiortc.codecs import get_decoder
from aiortc.codecs.base import Decoder
from aiortc.codecs.h264 import H264Encoder, h264_depayload
from aiortc.jitterbuffer import JitterFrame
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from av.frame import Frame

from media_worker import stage_times
from media_worker.stage_times import Journey, TimedDecoder, journey_of

H264 = RTCRtpCodecParameters(mimeType="video/H264", clockRate=90000, payloadType=99)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_each_stage_lasts_from_the_end_of_the_one_before() -> None:
    clock = Clock()
    journey = Journey(99.9, clock=clock)
    journey.note("receive")
    clock.now += 0.005
    journey.note("queue")
    clock.now += 0.02
    journey.skip_to_now({"vision": 15.0, "render": 5.0})
    clock.now += 0.002
    journey.note("queue")
    assert journey.stages == pytest.approx({"receive": 100, "queue": 7, "vision": 15, "render": 5})
    assert sum(journey.stages.values()) == pytest.approx(journey.total) == pytest.approx(127)
    assert journey.age == pytest.approx(0.027), "what the network took is not held against a frame"


def picture() -> av.VideoFrame:
    frame = av.VideoFrame(64, 48, "yuv420p")
    frame.pts, frame.time_base = 0, fractions.Fraction(1, 90000)
    return frame


def test_a_frame_is_timed_from_decoder_to_encoder() -> None:
    payloads, _ = H264Encoder().encode(picture())
    encoded = JitterFrame(b"".join(map(h264_depayload, payloads)), 0)
    (frame,) = stage_times.timed_decoder(H264).decode(encoded)
    journey = journey_of(frame)
    assert list(journey.stages) == ["decode"]
    encoder = stage_times.timed_encoder(H264)
    assert encoder.encode(frame)[0], "still an encoder"
    assert list(journey.stages) == ["decode", "queue", "encode"]
    assert all(value > 0 for value in journey.stages.values())
    assert sum(journey.stages.values()) == pytest.approx(journey.total)


def test_an_encoder_goes_with_its_last_owner() -> None:
    """Its native memory must not wait for the garbage collector."""
    encoder = stage_times.timed_encoder(H264)
    encoder.target_bitrate = 700_000  # type: ignore[attr-defined]
    encoder.encode(picture())
    inner = encoder._inner  # type: ignore[attr-defined]
    assert inner.target_bitrate == 700_000
    gone = weakref.ref(inner)
    gc.disable()
    try:
        del encoder, inner
        assert gone() is None
    finally:
        gc.enable()


class ClosedEye(Decoder):
    def decode(self, encoded_frame: JitterFrame) -> list[Frame]:
        return [picture()]


def test_what_the_jitter_buffer_knows_is_part_of_the_journey() -> None:
    encoded = JitterFrame(b"", 0)
    now = Journey().began
    encoded.first_at, encoded.complete_at = now - 0.5, now - 0.2  # type: ignore[attr-defined]
    (frame,) = TimedDecoder(ClosedEye()).decode(encoded)
    stages = journey_of(frame).stages
    assert list(stages) == ["receive", "queue", "decode"]
    assert stages["receive"] == pytest.approx(300)
    assert stages["queue"] == pytest.approx(200, abs=50), "for the decoder"


def test_frames_of_others_begin_a_journey_when_asked() -> None:
    frame = picture()
    assert journey_of(frame).stages == {}
    frame.opaque = "somebody else's"
    assert journey_of(frame).stages == {}


def test_untimed_decoders_are_aiortcs() -> None:
    assert isinstance(stage_times.timed_decoder(H264), TimedDecoder)
    assert type(stage_times.timed_decoder(H264)._inner) is type(get_decoder(H264))  # type: ignore[attr-defined]
