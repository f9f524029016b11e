"""A peer of ours, an aiortc client and a poor network between them. Vision is a stand-in: this is about transport."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import numpy as np
import pytest
from aiortc import MediaStreamTrack, RTCRtpSender, rtcpeerconnection, rtcrtpreceiver
from aiortc.mediastreams import MediaStreamError
from aiortc.rate import RemoteBitrateEstimator

from media_worker import codecs, receiving, sending
from media_worker.peer import Peer
from tests.media_worker.fakes import session
from tests.media_worker.packets import picture
from tests.relay import Link, Relay
from tests.rtc_client import RtcClient

pytestmark = [pytest.mark.media, pytest.mark.usefixtures("fake_vision")]


class Watcher(RtcClient):
    """Notes when each picture comes and how wide it is."""

    def __init__(self, frames: list[np.ndarray], codec: str) -> None:
        super().__init__(frames, codec=codec, channel=False)
        self.seen: list[tuple[float, int]] = []
        """Monotonic seconds, pixels."""

    async def _read(self, track: MediaStreamTrack) -> None:
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            self.seen.append((time.monotonic(), frame.width))  # type: ignore[union-attr]

    def widths(self, seconds: float) -> list[int]:
        """Of the pictures of the last seconds."""
        return [width for at, width in self.seen if at > time.monotonic() - seconds]

    def longest_gap(self, seconds: float) -> float:
        times = [at for at, _ in self.seen if at > time.monotonic() - seconds]
        return float(np.diff(times).max())


def like_a_browser(make: Callable[[], Watcher]) -> Watcher:
    """A client that shows only whole pictures, as ours, but sends and reckons bandwidth by REMB alone, as libwebrtc."""
    for part in (codecs, receiving, sending):
        part.install()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rtcpeerconnection, "RTCRtpSender", RTCRtpSender)
        patch.setattr(rtcrtpreceiver, "RemoteBitrateEstimator", RemoteBitrateEstimator)
        return make()


@asynccontextmanager
async def watching(relay: Relay, codec: str = "H264") -> AsyncIterator[Watcher]:
    """A client that sends a moving, noisy hand-sized picture through the relay and watches what comes back."""
    frames = await asyncio.to_thread(lambda: [picture(n, 640, 480).to_ndarray(format="rgb24") for n in range(10)])
    client = like_a_browser(lambda: Watcher(frames, codec))
    peer = Peer(session(), [])
    try:
        async with relay, client:
            await client.connect(relay.between(peer.answer))
            await client.until(lambda: client.seen)
            yield client
    finally:
        await peer.close(None)


async def test_at_five_percent_loss_the_picture_keeps_moving() -> None:
    relay = Relay(up=Link(loss=0.05, delay=0.02, seed=1), down=Link(loss=0.05, delay=0.02, seed=2))
    async with watching(relay) as client:
        await asyncio.sleep(6)
        assert len(client.widths(5)) > 15 * 5
        assert client.longest_gap(5) < 0.7
        assert relay.up.lost > 20
        assert relay.down.lost > 20


async def test_on_a_narrow_link_the_picture_shrinks_and_moves_on_and_grows_again_when_it_recovers() -> None:
    relay = Relay(up=Link(delay=0.02), down=Link(rate=300_000, delay=0.02))
    async with watching(relay) as client:
        await asyncio.sleep(8)
        widths = client.widths(8)
        assert len(widths) > 15 * 8
        assert min(widths) < 640
        relay.down.rate = None
        await asyncio.sleep(2)  # what waited in the queue comes out
        async with asyncio.timeout(8):
            while client.seen[-1][1] < 640:
                await asyncio.sleep(0.05)
