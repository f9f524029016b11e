from __future__ import annotations

import asyncio
from fractions import Fraction

import av
import pytest
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError

from media_worker.images import MAX_SIDE
from media_worker.transform_track import TransformTrack
from tests.media_worker.fakes import FakeConnection, session

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
        await told.wait()
    await track.close()
    await one.detach(connection)
