"""Who may watch, and what is encoded for them."""

from __future__ import annotations

import asyncio
import threading
from fractions import Fraction

import numpy as np
import pytest
from aiortc.mediastreams import VIDEO_TIME_BASE, MediaStreamError

from media_worker import shared_encoder
from media_worker.stats import SHARED_FRAMES
from media_worker.viewers import Timeline, Viewers, ViewerTrack
from protocol import limits
from protocol.errors import AtCapacity, LacquerError, NoPublisher, NotFound, SessionEnded
from tests.media_worker.test_shared_encoder import H264, VP8

GREY = np.full((240 * 3 // 2, 320), 128, np.uint8)


class Somebody:
    def __init__(self, viewers: Viewers, name: str = "v") -> None:
        self.id = name
        self._viewers = viewers
        self.closed_with: list[LacquerError | None] = []

    async def close(self, error: LacquerError | None) -> None:
        self.closed_with.append(error)
        self._viewers.dismiss(self)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def encoded(codec: str) -> float:
    return float(SHARED_FRAMES.labels(codec)._value.get())


def test_watching_needs_a_publisher() -> None:
    viewers = Viewers()
    with pytest.raises(NoPublisher) as refusal:
        viewers.admit(Somebody(viewers))
    assert refusal.value.retry_after == limits.PUBLISHER_RETRY_AFTER
    viewers.publisher_came()
    viewers.admit(Somebody(viewers))
    assert len(viewers) == 1


def test_the_ninth_is_one_too_many_until_somebody_leaves() -> None:
    viewers = Viewers()
    viewers.publisher_came()
    somebody = [Somebody(viewers, str(n)) for n in range(limits.MAX_VIEWERS + 1)]
    for one in somebody[:-1]:
        viewers.admit(one)
    with pytest.raises(AtCapacity):
        viewers.admit(somebody[-1])
    viewers.dismiss(somebody[0])
    viewers.dismiss(somebody[0])
    viewers.admit(somebody[-1])
    assert viewers.find("8") is somebody[-1]
    with pytest.raises(NotFound):
        viewers.find("0")


def test_viewers_are_let_go_when_no_publisher_comes_back() -> None:
    clock = Clock()
    viewers = Viewers(clock)
    viewers.publisher_came()
    clock.now += 1000
    assert not viewers.abandoned
    viewers.publisher_left()
    clock.now += limits.PUBLISHER_TIMEOUT - 1
    assert not viewers.abandoned
    clock.now += 2
    assert viewers.abandoned
    viewers.publisher_came()
    assert not viewers.abandoned


async def test_the_end_of_a_session_is_the_end_for_all() -> None:
    viewers = Viewers()
    viewers.publisher_came()
    both = [Somebody(viewers, "a"), Somebody(viewers, "b")]
    for one in both:
        viewers.admit(one)
    track = ViewerTrack(viewers)
    taking = asyncio.create_task(track.next_encoded(VP8))
    await asyncio.sleep(0)
    over = SessionEnded()
    await viewers.close(over)
    assert [one.closed_with for one in both] == [[over], [over]]
    with pytest.raises(MediaStreamError):
        await taking
    with pytest.raises(SessionEnded):
        viewers.admit(both[0])
    with pytest.raises(MediaStreamError):
        await ViewerTrack(viewers).next_encoded(VP8)


async def test_eight_viewers_cost_one_encode_a_codec_and_frame() -> None:
    viewers = Viewers()
    tracks = [ViewerTrack(viewers) for _ in range(limits.MAX_VIEWERS)]
    kinds = [VP8, H264] * 4
    before = encoded("VP8"), encoded("H264")
    try:
        for n in range(5):
            taking = [asyncio.create_task(t.next_encoded(k)) for t, k in zip(tracks, kinds, strict=True)]
            await asyncio.sleep(0)
            viewers.show(GREY, 3000 * n, VIDEO_TIME_BASE)
            frames = await asyncio.wait_for(asyncio.gather(*taking), 5)
            assert len({id(frame) for frame in frames}) == 2
    finally:
        for track in tracks:
            track.stop()
    assert (encoded("VP8") - before[0], encoded("H264") - before[1]) == (5, 5)


async def test_nothing_is_encoded_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    viewers = Viewers()
    viewers.show(GREY, 0, VIDEO_TIME_BASE)
    track = ViewerTrack(viewers)
    taking = asyncio.create_task(track.next_encoded(VP8))
    await asyncio.sleep(0)
    viewers.show(GREY, 3000, VIDEO_TIME_BASE)
    await taking
    track.stop()
    before = encoded("VP8")
    viewers.show(GREY, 6000, VIDEO_TIME_BASE)
    await asyncio.sleep(0.05)
    assert encoded("VP8") == before and not viewers._encoders


@pytest.mark.parametrize("fault", ["fails", "hangs"])
async def test_where_encoding_fails_or_hangs_viewers_are_let_go(monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    release = threading.Event()
    monkeypatch.setattr(shared_encoder, "ENCODER_PATIENCE", 0.2)
    broken = {"fails": lambda *_: 1 / 0, "hangs": lambda *_: release.wait(20)}[fault]
    monkeypatch.setattr(shared_encoder.SharedEncoder, "_encode", broken)
    viewers = Viewers()
    viewers.publisher_came()
    somebody = Somebody(viewers)
    viewers.admit(somebody)
    track = ViewerTrack(viewers)
    taking = asyncio.create_task(track.next_encoded(VP8))
    await asyncio.sleep(0)
    viewers.show(GREY, 3000, VIDEO_TIME_BASE)
    async with asyncio.timeout(5):
        while not somebody.closed_with:
            await asyncio.sleep(0.01)
    track.stop()
    with pytest.raises(MediaStreamError):
        await taking
    release.set()


def test_timestamps_go_on_where_the_publisher_is_another_one() -> None:
    line = Timeline()
    base = Fraction(1, 90000)
    assert line.at(5_000_000, base, 0.0) == 0
    assert line.at(5_003_000, base, 0.05) == 3000, "the camera's own intervals, not when a frame came"
    assert line.at(17, base, 1.05) == 3000 + 90_000, "a new origin: our clock tells"
    assert line.at(17 + 3000, base, 1.06) == 3000 + 90_000 + 3000
    assert line.at(17 + 3000, base, 1.06) == 3000 + 90_000 + 3000 + 1, "never twice the same"
    assert line.at(900_000_000, base, 1.16) == pytest.approx(96_001 + 9000, abs=1), "far ahead is another origin, too"
