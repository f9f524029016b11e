"""The conversation of design section 3, over a transport without a network."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
from prometheus_client import REGISTRY

from media_worker import channel as channel_module
from media_worker import images
from media_worker.channel import OUTBOX_SIZE, Channel, metadata_of
from media_worker.pipeline import Processed
from media_worker.session import Session
from media_worker.vision.nails import Nail
from protocol import framing, limits, messages
from protocol.designs import Finger
from protocol.errors import RateLimited, Replaced, SilentPeer
from protocol.messages import ImageFormat
from tests.media_worker.fakes import FakeConnection, FakePipeline, FakeTransport, session

PICTURE = np.full((48, 64, 3), 90, np.uint8)

pytestmark = pytest.mark.usefixtures("fake_vision")


class Conversation:
    def __init__(self, session: Session, transport: FakeTransport, channel: Channel) -> None:
        self.session, self.transport, self.channel = session, transport, channel

    def say(self, **message: Any) -> None:
        self.channel.receive(json.dumps(message))

    def show(self, number: int, image: bytes | None = None, **header: Any) -> None:
        payload = images.encode(PICTURE, ImageFormat.PNG) if image is None else image
        message = {"type": "frame", "frame_number": number, "timestamp": 1000 + number, **header}
        self.channel.receive(framing.pack(message, payload))

    async def answer(self, kind: str) -> dict[str, Any]:
        await self.transport.until(1, kind)
        return self.transport.texts(kind)[-1]


@asynccontextmanager
async def talking(closes_when_silent: bool = True, **transport: Any) -> AsyncIterator[Conversation]:
    fake = FakeTransport(**transport)
    one = session()
    connection = FakeConnection()
    await one.attach(connection)
    channel = Channel(one, fake)
    connection.tell = channel.tell  # type: ignore[method-assign]
    channel.start(closes_when_silent=closes_when_silent)
    try:
        yield Conversation(one, fake, channel)
    finally:
        fake.hold.set()
        await channel.close()
        await one.detach(connection)


async def test_ready_comes_first_and_carries_the_settings() -> None:
    async with talking() as talk:
        ready = await talk.answer("ready")
        assert ready["session_id"] == "s-1"
        assert ready["settings"]["paused"] is False
        assert json.loads(talk.transport.sent[0])["type"] == "ready"


@pytest.mark.parametrize("image_format", list(ImageFormat))
async def test_frame_comes_back_processed_in_its_own_format(image_format: ImageFormat) -> None:
    async with talking() as talk:
        talk.show(41, images.encode(PICTURE, image_format))
        await talk.transport.until(1)
        header, payload = talk.transport.binaries()[0]
        assert header["type"] == "processed_frame"
        assert (header["frame_number"], header["timestamp"]) == (41, 1041)
        assert (header["format"], header["image_size"]) == (image_format, len(payload))
        assert images.sniff_format(payload) == image_format
        assert images.decode(payload, max_pixels=10**6).shape == PICTURE.shape
        metadata = await talk.answer("metadata")
        assert (metadata["frame_number"], metadata["width"], metadata["height"]) == (41, 64, 48)
        assert {"queue", "decode", "vision", "encode", "total"} <= metadata["stages"].keys()


async def test_large_answers_are_chunked_to_what_the_peer_takes() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (100, 100, 3), np.uint8)
    async with talking(max_message_size=8192) as talk:
        talk.show(1, images.encode(noise, ImageFormat.PNG))
        await talk.transport.until(4)
        parts = talk.transport.binaries()
        assert all(isinstance(data, str) or len(data) <= 8192 for data in talk.transport.sent)
        reassembler = framing.Reassembler()
        wholes = [reassembler.add(header, payload) for header, payload in parts]
        assert wholes[-1] is not None
        assert wholes[-1][0]["frame_number"] == 1
        assert images.decode(wholes[-1][1], max_pixels=10**6).shape == noise.shape


async def test_chunked_frame_is_put_together() -> None:
    async with talking() as talk:
        image = images.encode(np.random.default_rng(1).integers(0, 255, (60, 60, 3), np.uint8), ImageFormat.PNG)
        header = {"type": "frame", "frame_number": 9, "timestamp": 0}
        for part in framing.split(header, image, message_id=1, max_message_size=4096):
            talk.channel.receive(part)
        await talk.transport.until(1)
        assert talk.transport.binaries()[0][0]["frame_number"] == 9


async def test_of_waiting_frames_only_the_newest_is_processed(fake_vision: type[FakePipeline]) -> None:
    fake_vision.delay = 0.05
    async with talking() as talk:
        for number in range(10):
            talk.show(number)
            await asyncio.sleep(0)  # let the first one start
        await talk.transport.until(2)
        assert [header["frame_number"] for header, _ in talk.transport.binaries()] == [0, 9]
        assert talk.session.statistics.snapshot().frames_dropped == {"superseded": 8}


async def test_ping_is_answered_with_its_time() -> None:
    async with talking() as talk:
        talk.say(type="ping", t=12.5)
        pong = await talk.answer("pong")
        assert pong["t"] == 12.5
        assert pong["server_time"] > 1.7e12


async def test_reports_on_the_link_are_taken_in_silence_where_nobody_needs_them() -> None:
    async with talking() as talk:
        talk.channel.receive('{"type":"link","loss":0.1}')
        talk.channel.receive('{"type":"ping","t":1}')
        await talk.answer("pong")
        assert not talk.transport.texts("error")


async def test_config_changes_what_is_worn_and_keeps_the_rest() -> None:
    async with talking() as talk:
        talk.say(type="config", design=6, compare=0.5)
        talk.say(type="config", compare=None)
        assert talk.session.settings.design == 6
        assert talk.session.settings.compare is None
        while (await talk.session.run(lambda pipeline: pipeline.look)).coats[Finger.THUMB].colours[0].argmax() != 2:
            await asyncio.sleep(0.001)  # Cobalt is blue


async def test_of_many_changes_the_last_one_is_worn_and_none_is_refused(fake_vision: type[FakePipeline]) -> None:
    fake_vision.delay = 0.05
    async with talking() as talk:
        talk.show(1)
        await asyncio.sleep(0.01)  # the engine is at work
        for step in range(1001):
            talk.say(type="config", compare=step / 1000)
        talk.show(2)
        await talk.transport.until(2)
        assert await talk.session.run(lambda pipeline: pipeline.compare) == 1
        assert not talk.transport.texts("error")


async def test_unknown_design_is_refused_and_nothing_changes() -> None:
    async with talking() as talk:
        talk.say(type="config", design=6)
        talk.say(type="config", design=999, paused=True)
        assert (await talk.answer("error"))["code"] == "unknown_design"
        assert (talk.session.settings.design, talk.session.settings.paused) == (6, False)


async def test_paused_frames_are_counted_not_processed() -> None:
    async with talking() as talk:
        talk.say(type="config", paused=True)
        while not talk.session.settings.paused:
            await asyncio.sleep(0.001)
        talk.show(1)
        talk.say(type="config", paused=False)
        while talk.session.settings.paused:
            await asyncio.sleep(0.001)
        talk.show(2)
        await talk.transport.until(1)
        assert [header["frame_number"] for header, _ in talk.transport.binaries()] == [2]
        assert talk.session.statistics.snapshot().frames_dropped == {"paused": 1}


async def test_capture_is_the_newest_processed_frame() -> None:
    async with talking() as talk:
        talk.show(1)
        await talk.transport.until(1)
        talk.say(type="capture", format="png", request_id="a-7")
        await talk.transport.until(2)
        header, payload = talk.transport.binaries()[1]
        assert header["type"] == "capture"
        assert (header["request_id"], header["format"], header["width"], header["height"]) == ("a-7", "png", 64, 48)
        captured = images.decode(payload, max_pixels=10**6)
        assert captured[0, 0, 0] == 255, "the fake pipeline's mark: it is the processed picture"


async def test_capture_before_the_first_frame() -> None:
    async with talking() as talk:
        talk.say(type="capture")
        assert (await talk.answer("error"))["code"] == "no_frame_yet"


async def test_too_many_commands_at_once_are_refused() -> None:
    async with talking() as talk:
        for _ in range(20):
            talk.say(type="capture")
        await talk.transport.until(20, "error")
        codes = [error["code"] for error in talk.transport.texts("error")]
        assert set(codes) == {"bad_message", "no_frame_yet"}


BOMB = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x75\x30\x00\x00\x75\x30\x08\x02\x00\x00\x00"


@pytest.mark.parametrize(
    ("data", "code", "number"),
    [
        ("not json", "bad_message", None),
        ('{"type":"dance"}', "unknown_type", None),
        (b"short", "bad_header", None),
        (b"x" * 1024, "bad_header", None),
        (framing.pack({"type": "frame", "frame_number": 5, "image_size": 7}, b"1234567"), "bad_image", 5),
        (framing.pack({"type": "frame", "frame_number": 6}, b""), "bad_image", 6),
        (framing.pack({"type": "frame", "frame_number": 7}, BOMB), "bad_image", 7),
        (framing.pack({"type": "frame", "frame_number": 5, "image_size": 999}, b"1234567"), "bad_header", None),
        (framing.pack({"type": "hologram", "frame_number": 5}, b"1234567"), "unknown_type", None),
        (framing.pack({"type": "frame", "image_size": 7}, b"1234567"), "bad_header", None),
    ],
    ids=itertools.count(),
)
async def test_whatever_is_wrong_is_named_and_the_stream_goes_on(
    data: str | bytes, code: str, number: int | None
) -> None:
    async with talking() as talk:
        talk.channel.receive(data)
        error = await talk.answer("error")
        assert (error["code"], error["fatal"], error["frame_number"]) == (code, False, number)
        talk.show(8)
        await talk.transport.until(1)
        assert talk.transport.binaries()[0][0]["frame_number"] == 8


async def test_failing_vision_is_an_error_for_its_frame_only(fake_vision: type[FakePipeline]) -> None:
    fake_vision.failing = True
    async with talking() as talk:
        talk.show(1)
        error = await talk.answer("error")
        assert (error["code"], error["frame_number"]) == ("vision_failed", 1)
        fake_vision.failing = False
        talk.show(2)
        await talk.transport.until(1)


async def test_bye_leaves() -> None:
    async with talking() as talk:
        talk.say(type="bye")
        assert talk.channel.left.is_set()
        assert talk.channel.reason is None


def missed() -> float:
    return REGISTRY.get_sample_value("lacquer_messages_dropped_total") or 0


async def test_a_peer_that_does_not_read_costs_bounded_memory() -> None:
    async with talking() as talk:
        await talk.answer("ready")
        before = missed()
        talk.transport.hold.clear()
        for _ in range(10 * OUTBOX_SIZE):
            talk.say(type="ping")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await talk.channel.drained()
        assert missed() - before >= 9 * OUTBOX_SIZE - 1
        assert talk.session.statistics.snapshot().frames_dropped == {}, "those were no frames"
        talk.transport.hold.set()
        async with asyncio.timeout(1):
            await talk.channel.drained()
        talk.say(type="ping", t=77)
        async with asyncio.timeout(1):
            while not any(pong["t"] == 77 for pong in talk.transport.texts("pong")):
                await asyncio.sleep(0.005)


async def test_a_lost_transport_ends_the_conversation() -> None:
    async with talking() as talk:
        await talk.answer("ready")
        talk.transport.broken = True
        talk.say(type="ping")
        async with asyncio.timeout(1):
            await talk.channel.left.wait()


@pytest.mark.parametrize("closes", [True, False])
async def test_silence_of_30_s_closes_a_socket(monkeypatch: pytest.MonkeyPatch, closes: bool) -> None:
    monkeypatch.setattr(channel_module, "STATS_INTERVAL", 0.02)
    monkeypatch.setattr(limits, "SILENCE_TIMEOUT", 0.2)
    monkeypatch.setattr(limits, "PING_INTERVAL", 0.05)
    async with talking(closes_when_silent=closes) as talk:
        await talk.answer("ping")
        for _ in range(6):  # 0.3 s of answers: not silent
            talk.say(type="pong")
            await asyncio.sleep(0.05)
        assert not talk.channel.left.is_set()
        await asyncio.sleep(0.4)
        assert talk.channel.left.is_set() is closes
        assert isinstance(talk.channel.reason, SilentPeer) is closes


async def test_stats_are_told_while_frames_flow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel_module, "STATS_INTERVAL", 0.02)
    async with talking() as talk:
        talk.show(1)
        await talk.transport.until(1)
        await talk.transport.until(1, "stats")
        assert talk.transport.texts("stats")[-1]["frames_out"] == 1
        count = len(talk.transport.texts("stats"))
        await asyncio.sleep(0.1)
        assert len(talk.transport.texts("stats")) == count, "nothing new, nothing said"


async def test_nothing_goes_before_ready() -> None:
    """A second socket waits for the first one to leave; what the session says meanwhile is not for it."""
    fake, one = FakeTransport(), session()
    channel = Channel(one, fake)
    for _ in range(OUTBOX_SIZE + 1):
        channel.tell(messages.Draining(reconnect_within=1))
    channel.start(closes_when_silent=True)
    await fake.until(1, "ready")
    assert len(fake.sent) == 1
    assert one.statistics.snapshot().frames_dropped == {}
    await channel.close()


async def test_closed_before_it_started_it_never_starts() -> None:
    """A third socket replaces the second one while that waits for the first to leave. (conftest finds leaked tasks.)"""
    fake = FakeTransport()
    channel = Channel(session(), fake)
    await channel.close(Replaced())
    channel.start(closes_when_silent=True)
    await asyncio.sleep(0)
    assert fake.sent == []


async def test_a_fault_of_ours_ends_the_conversation(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a bug")

    async with talking() as talk:
        monkeypatch.setattr(talk.session, "keep", fail)
        talk.show(1)
        async with asyncio.timeout(2):
            await talk.channel.left.wait()
        assert talk.channel.reason is not None
        assert talk.channel.reason.code == "internal_error"


async def test_quality_sets_how_large_pictures_are() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (96, 128, 3), np.uint8)
    sizes = []
    async with talking() as talk:
        for number, quality in enumerate(("saver", "auto", "high")):
            talk.say(type="config", quality=quality)
            await asyncio.sleep(0.02)
            talk.show(number, images.encode(noise, ImageFormat.JPEG))
            await talk.transport.until(number + 1)
            sizes.append(talk.transport.binaries()[-1][0]["image_size"])
    assert sizes[0] * 1.3 < sizes[1] < sizes[2] / 1.3


def nail(number: int, sides: int) -> Nail:
    outline = np.linspace((0.04, 10.26), (640.333, 7.77), sides).astype(np.float32)
    axis = np.array([[1.25, 2.349], [3, 4]], np.float32)
    return Nail(Finger.RING, "left", outline, axis, confidence=0.98765, visibility=1.0, number=number)


def test_metadata_is_what_its_model_says_though_nobody_validates_it() -> None:
    """Rounded, every nail with its own points, and nothing that a client would not know."""
    for nails in ([], [nail(1, 7), nail(2, 34)]):
        processed = Processed(np.zeros((3, 2), np.uint8), nails, hands=1)
        told = metadata_of(session(), processed, 5, (640, 480), {"vision": 1.005}, rtp_timestamp=9, sent_at=3.5)
        data = told.model_dump()
        assert messages.Metadata.model_validate(data, strict=True) == told
        assert [len(each["polygon"]) for each in data["nails"]] == [len(each.outline) for each in nails]
    first, second = data["nails"]
    assert (first["number"], second["number"], second["confidence"]) == (1, 2, 0.988)
    assert second["polygon"][0] == (0.0, 10.3)
    assert second["polygon"][-1] == (640.3, 7.8)
    assert (second["cuticle"], second["free_edge"]) == ((1.2, 2.3), (3.0, 4.0))
    assert (data["rtp_timestamp"], data["sent_at"], data["captured_at"]) == (9, 3.5, None)


@pytest.mark.parametrize("message", ['{"type":"ping"}', '{"type":"config","compare":0.5}', "no json", b"too short", ""])
async def test_a_flood_is_answered_once_and_then_left(message: str | bytes) -> None:
    async with talking() as talk:
        began = time.process_time()
        for _ in range(20_000):
            talk.channel.receive(message)
        assert time.process_time() - began < 2, "20,000 messages, of which nearly all are not looked at"
        await asyncio.wait_for(talk.channel.left.wait(), 1)
        assert isinstance(talk.channel.reason, RateLimited)


async def test_unfinished_chunks_cost_a_fixed_amount() -> None:
    async with talking() as talk:
        for number in range(1000):
            header = {"type": "frame", "frame_number": 1, "image_size": limits.MAX_FRAME_SIZE}
            chunk = {**header, "message_id": number, "chunk_index": 0, "chunk_count": 100}
            talk.channel.receive(framing.pack(chunk, bytes(60_000)))
        assert len(talk.channel._reassembler._partials) == limits.MAX_PARTIAL_MESSAGES
        talk.show(7)
        await talk.transport.until(1)


async def test_a_peer_that_does_not_read_is_kept_a_few_pictures_only() -> None:
    noise = images.encode(np.random.default_rng(1).integers(0, 255, (600, 600, 3), np.uint8), ImageFormat.PNG)
    async with talking(max_message_size=1 << 22) as talk:
        talk.transport.hold.clear()
        for number in range(12):
            talk.show(number, noise)
            await asyncio.sleep(0.05)
        waiting = 0
        while not talk.channel._outbox.empty():
            waiting += len(talk.channel._outbox.get_nowait())
            talk.channel._outbox.task_done()
        assert len(noise) < waiting <= channel_module.OUTBOX_BYTES + len(noise) + 2000


@pytest.mark.parametrize("number", [2**53, 10**300, -1, True, 1.5])
async def test_numbers_that_no_header_could_repeat_are_refused(number: Any) -> None:
    async with talking() as talk:
        talk.show(number)
        assert (await talk.answer("error"))["code"] == "bad_header"
