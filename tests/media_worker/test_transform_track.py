from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from fractions import Fraction

import av
import pytest
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from media_worker.images import MAX_SIDE
from media_worker.session import Session
from media_worker.stage_times import Journey, hang
from media_worker.transform_track import TransformTrack
from media_worker.vision.patience import Overrun
from media_worker.vision.schedule import Retreat
from protocol.errors import VisionFailed
from tests.media_worker.fakes import FakeConnection, FakePipeline, session

pytestmark = pytest.mark.usefixtures("fake_vision")


class Camera(MediaStreamTrack):
    """Sends frames of these sizes, then ends."""

    kind = "video"

    def __init__(self, *sizes: tuple[int, int]) -> None:
        super().__init__()
        self._sizes = list(sizes)

    async def recv(self) -> av.VideoFrame:
        if not self._sizes:
            raise MediaStreamError
        frame = av.VideoFrame(*self._sizes.pop(0), "yuv420p")
        frame.pts, frame.time_base = 0, Fraction(1, 90000)
        return frame


class PacedCamera(Camera):
    """Sends so many small frames, 50 ms apart."""

    def __init__(self, frames: int) -> None:
        super().__init__(*[(64, 48)] * frames)

    async def recv(self) -> av.VideoFrame:
        await asyncio.sleep(0.05)
        return await super().recv()


class SteadyCamera(Camera):
    """Sends small frames 50 ms apart by the clock, like a real one: what a busy machine delays comes in a bunch. Ends
    when `over` says so, and after 15 s at the latest."""

    def __init__(self, over: Callable[[], bool]) -> None:
        super().__init__(*[(64, 48)] * 300)
        self._over, self._due = over, time.monotonic()

    async def recv(self) -> av.VideoFrame:
        if self._over():
            raise MediaStreamError
        self._due += 0.05
        await asyncio.sleep(self._due - time.monotonic())
        return await super().recv()


async def test_frames_of_impossible_size_are_dropped_and_the_stream_goes_on() -> None:
    """A side over MAX_SIDE would end the process; a stream may say any size it likes."""
    one, connection = session(), FakeConnection()
    await one.attach(connection)
    faults: list[str] = []
    camera = Camera((MAX_SIDE + 3, 16), (4096, 4096), (64, 48))
    track = TransformTrack(one, camera, lambda: faults.append("fault"))
    async with asyncio.timeout(5):
        frame = await track.recv()
    assert (frame.width, frame.height) == (64, 48)
    assert one.statistics.snapshot().frames_dropped == {"undecodable": 2}
    await track.close()
    await one.detach(connection)
    assert faults == [], "a camera that ends is no fault"


async def test_a_fault_of_ours_is_told_and_does_not_leave_a_frozen_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    one, connection = session(), FakeConnection()
    await one.attach(connection)
    monkeypatch.setattr("media_worker.transform_track.metadata_of", lambda *args, **kwargs: 1 / 0)
    told = asyncio.Event()
    track = TransformTrack(one, Camera((64, 48)), told.set)
    async with asyncio.timeout(5):
        await track.recv()
        with pytest.raises(MediaStreamError):
            await track.recv()
        await told.wait()
    await track.close()
    await one.detach(connection)


async def test_what_is_told_of_a_frame_covers_its_whole_way() -> None:
    one, connection = session(), FakeConnection()
    await one.attach(connection)
    track = TransformTrack(one, PacedCamera(3), lambda: None)
    async with asyncio.timeout(5):
        frame = await track.recv()
        assert connection.told == [], "nothing is said before it has left"
        await asyncio.sleep(0.02)  # as a sender encodes and sends
        await track.recv()
        while not connection.told:
            await asyncio.sleep(0)
    (metadata,) = connection.told
    assert metadata.rtp_timestamp == frame.pts == 0
    assert list(metadata.stages) == ["queue", "vision", "render", "send", "total"]
    assert metadata.stages["send"] >= 20
    assert metadata.stages["total"] >= metadata.stages["send"] + metadata.stages["queue"]
    assert one.statistics.snapshot().latency_ms.keys() == metadata.stages.keys()
    await track.close()
    await one.detach(connection)


async def test_a_frame_that_a_newer_one_replaces_is_told_of_too() -> None:
    one, connection = session(), FakeConnection()
    await one.attach(connection)
    track = TransformTrack(one, PacedCamera(3), lambda: None)
    async with asyncio.timeout(5):
        while len(connection.told) < 2:
            await asyncio.sleep(0.01)
    assert [message.frame_number for message in connection.told] == [0, 1]
    assert not any("send" in message.stages for message in connection.told)
    assert one.statistics.snapshot().frames_dropped == {"backpressure": 2}
    await track.close()
    await one.detach(connection)


@pytest.fixture
async def watched() -> AsyncIterator[Session]:
    """A session that somebody watches."""
    one, connection = session(), FakeConnection()
    await one.attach(connection)
    yield one
    await one.detach(connection)


async def show(one: Session, camera: Camera) -> int:
    """Plays the camera to its end; how many frames came out."""
    track, frames = TransformTrack(one, camera, lambda: None), 0
    with suppress(MediaStreamError):
        async with asyncio.timeout(20):
            while True:
                await track.recv()
                frames += 1
    await track.close()
    return frames


@pytest.mark.parametrize(("trouble", "reason"), [(Overrun(), "overrun"), (VisionFailed(), "vision_failed")])
async def test_frames_with_nails_only_followed_are_counted(
    watched: Session, fake_vision: type[FakePipeline], trouble: VisionFailed, reason: str
) -> None:
    fake_vision.trouble = trouble
    assert await show(watched, PacedCamera(2)) == 2
    stats = watched.statistics.snapshot()
    assert (stats.frames_out, stats.frames_followed, stats.frames_dropped) == (2, {reason: 2}, {})


class LateCamera(Camera):
    """Its frames waited for 0.2 s before they were decoded."""

    async def recv(self) -> av.VideoFrame:
        frame = await super().recv()
        hang(Journey(time.monotonic() - 0.2), frame)
        return frame


async def test_a_frame_that_is_too_old_only_gets_what_is_quick(watched: Session) -> None:
    assert await show(watched, LateCamera((64, 48))) == 1
    assert await watched.run(lambda pipeline: getattr(pipeline, "hurried", None)) == [True]
    assert await show(watched, Camera((64, 48))) == 1
    assert await watched.run(lambda pipeline: getattr(pipeline, "hurried", None)) == [True, False]
    assert watched.statistics.snapshot().frames_followed == {"late": 1}


async def test_slow_vision_makes_a_stream_retreat_and_says_so(
    watched: Session, fake_vision: type[FakePipeline], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("media_worker.load.WINDOW", 0.1)
    fake_vision.delay = 0.12  # of frames 50 ms apart, every second one is lost
    levels: list[Retreat | None] = []
    monkeypatch.setattr(watched.statistics, "retreated", levels.append)
    await show(watched, SteadyCamera(lambda: watched.statistics.snapshot().frames_dropped.get("retreat", 0) > 3))
    assert list(dict.fromkeys(levels)) == [*Retreat, None], "one after the other, and none when it is over"
    assert watched.statistics.snapshot().frames_dropped["superseded"] > 0
    asked = await watched.run(lambda pipeline: getattr(pipeline, "retreats", []))
    assert asked[-1] == Retreat.FRAMES, "the pipeline is told"
