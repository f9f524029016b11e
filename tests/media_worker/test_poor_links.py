"""A peer of ours, an aiortc client and a poor network between them. Vision is a stand-in: this is about transport."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import numpy as np
import pytest
from aiortc import MediaStreamTrack, RTCRtpSender, rtcpeerconnection, rtcrtpreceiver
from aiortc.mediastreams import MediaStreamError
from aiortc.rate import RemoteBitrateEstimator

from media_worker import codecs, datagrams, rate_control, receiving, sending
from media_worker.ice import IceOptions
from media_worker.peer import METADATA_INTERVAL, Peer
from protocol.messages import LinkReport
from tests.media_worker.fakes import session
from tests.media_worker.packets import picture
from tests.relay import Link, Relay
from tests.rtc_client import RtcClient

RECOVERY, ON_A_BUSY_MACHINE = 5.0, 2.0
"""Seconds from the moment a link is wide again to full size, its queue included; and what others on this machine may
take of it."""

HELD_UP = 1.0
"""Seconds by which others on this machine may make a gap longer: five links, each with both ends, share it here."""

pytestmark = [pytest.mark.media, pytest.mark.long, pytest.mark.usefixtures("fake_vision")]


Client = TypeVar("Client", bound=RtcClient)


class Watcher(RtcClient):
    """Notes when each picture comes and how wide it is."""

    def __init__(self, frames: list[np.ndarray], *, codec: str = "H264", channel: bool = False) -> None:
        super().__init__(frames, codec=codec, channel=channel)
        self.seen: list[tuple[float, int]] = []
        """Monotonic seconds, pixels."""

    async def _read(self, track: MediaStreamTrack) -> None:
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            self.seen.append((time.monotonic(), frame.width))  # type: ignore[union-attr]

    def last(self, seconds: float) -> Seen:
        return Seen(seconds, [picture for picture in self.seen if picture[0] > time.monotonic() - seconds])


@dataclass(frozen=True)
class Seen:
    """What came back in so many seconds."""

    seconds: float
    pictures: list[tuple[float, int]]

    @property
    def fps(self) -> float:
        return len(self.pictures) / self.seconds

    @property
    def longest_gap(self) -> float:
        return float(np.diff([at for at, _ in self.pictures]).max(initial=0.0 if self.pictures else self.seconds))

    @property
    def widths(self) -> list[int]:
        return [width for _, width in self.pictures]

    @property
    def changes(self) -> int:
        return sum(a != b for a, b in pairwise(self.widths))


def like_a_browser(make: Callable[[], Client]) -> Client:
    """A client that shows only whole pictures, as ours, but sends and reckons bandwidth by REMB alone, as libwebrtc."""
    for part in (codecs, datagrams, receiving, sending):
        part.install()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rtcpeerconnection, "RTCRtpSender", RTCRtpSender)
        patch.setattr(rtcrtpreceiver, "RemoteBitrateEstimator", RemoteBitrateEstimator)
        return make()


@asynccontextmanager
async def watching(relay: Relay, width: int = 640, *, channel: bool = False) -> AsyncIterator[tuple[Watcher, Peer]]:
    """A client that sends a moving, noisy picture through the relay and watches what comes back."""
    height = width * 3 // 4
    frames = await asyncio.to_thread(lambda: [picture(n, width, height).to_ndarray(format="rgb24") for n in range(10)])
    client = like_a_browser(lambda: Watcher(frames, channel=channel))
    peer = Peer(session(), IceOptions())
    try:
        async with relay, client:
            await client.connect(relay.between(peer.answer))
            await client.until(lambda: client.seen)
            yield client, peer
    finally:
        await peer.close(None)


@dataclass(frozen=True)
class Case:
    link: dict[str, float]
    """Both ways."""
    fps: float
    """What must at least be seen, also on a busy machine."""
    gap: float
    """Seconds that a picture may stand still, on an idle one."""


LOSSY = {
    "1 % lost": Case({"loss": 0.01, "delay": 0.02}, 12, 0.5),
    "5 % lost": Case({"loss": 0.05, "delay": 0.02}, 10, 0.5),
    "10 % lost": Case({"loss": 0.10, "delay": 0.02}, 6, 1.0),
    "5 % lost in bursts": Case({"loss": 0.05, "burst": 5, "delay": 0.02}, 10, 0.5),
    "10 % lost in bursts": Case({"loss": 0.10, "burst": 10, "delay": 0.02}, 6, 1.0),
}
LATE = {
    "100 ms late": Case({"delay": 0.1}, 15, 0.5),
    "up to 30 ms late": Case({"jitter": 0.03, "delay": 0.02}, 15, 0.5),
    "out of order": Case({"reordered": 0.05, "delay": 0.02}, 12, 0.5),
}


@pytest.mark.parametrize("cases", [LOSSY, LATE], ids=["loss", "lateness"])
async def test_the_picture_keeps_moving_at_its_size(cases: dict[str, Case]) -> None:
    """Several links at once: small pictures, so that they do not wait for cores."""
    found = await asyncio.gather(*(complaints(name, case) for name, case in cases.items()))
    assert not [one for each in found for one in each]


async def complaints(name: str, case: Case) -> list[str]:
    relay = Relay(up=Link(**case.link, seed=1), down=Link(**case.link, seed=2))  # type: ignore[arg-type]
    async with watching(relay, width=320) as (client, peer):
        await asyncio.sleep(1.5)
        carried, came = relay.up.carried, peer.session.statistics.snapshot().frames_in
        await asyncio.sleep(6)
        seen, camera = client.last(6), peer.session.statistics.snapshot().frames_in - came
        wrong = {
            f"{seen.fps:.1f} fps": seen.fps < case.fps,
            f"a gap of {seen.longest_gap:.2f} s": seen.longest_gap > case.gap + HELD_UP,
            f"widths {set(seen.widths)}": set(seen.widths) != {320},
            f"{camera / 6:.1f} frames a second from the camera": camera / 6 < case.fps,
            f"{(relay.up.carried - carried) / 6:.0f} bit/s from the camera": relay.up.carried - carried < 6 * 300e3,
            "nothing was lost": "loss" in case.link and not relay.down.lost,
        }
    print(name, f"{seen.fps:.1f} fps, gap {seen.longest_gap:.2f} s, camera {camera / 6:.1f} fps")
    return [f"{name}: {what}" for what, is_wrong in wrong.items() if is_wrong]


OVERRUN = 3.0
"""Seconds without a picture where the link's queue runs over, about once a minute: until the next report tells, the
queue is gone and a keyframe is through. Mostly there is no such gap within the seconds that are looked at."""

NARROW: dict[str, dict[str, float]] = {
    "narrow": {"rate": 300_000, "delay": 0.02},
    "narrow and far": {"rate": 300_000, "delay": 0.1},
    "narrow and lossy": {"rate": 400_000, "delay": 0.02, "loss": 0.02},
}


@pytest.mark.parametrize("name", NARROW)
async def test_on_a_narrow_link_the_picture_is_smaller_and_steady_and_is_back_when_the_link_is(name: str) -> None:
    relay = Relay(up=Link(delay=NARROW[name]["delay"]), down=Link(**NARROW[name]))  # type: ignore[arg-type]
    async with watching(relay) as (client, _):
        await asyncio.sleep(4)  # the first pictures are too large: nobody knows the link yet
        carried = relay.up.carried
        await asyncio.sleep(6)
        seen = client.last(6)
        print(name, f"{seen.fps:.1f} fps, gap {seen.longest_gap:.2f} s, {seen.changes} changes of {set(seen.widths)}")
        assert seen.fps > 12
        assert seen.longest_gap < OVERRUN
        assert seen.widths[-1] < 640
        assert seen.changes <= 3, "a size that swings is worse than a small one"
        assert relay.up.carried - carried > 6 * 400e3, "the camera is not starved for it"
        relay.down.rate, relay.down.loss = None, 0
        recovered = time.monotonic()
        await client.until(lambda: client.seen[-1][1] == 640, RECOVERY + ON_A_BUSY_MACHINE)
        print(name, f"recovered after {client.seen[-1][0] - recovered:.2f} s")


async def test_what_the_client_tells_of_its_link_reaches_the_rate_control(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[LinkReport] = []
    monkeypatch.setattr(rate_control.RateController, "link", lambda self, now, report: told.append(report))
    async with watching(Relay(), width=320, channel=True) as (client, _):
        await client.until(lambda: client.of("ready"))
        client.say(type="link", loss=0.02, delay_ms=40, round_trip_ms=55, fps=29.5)
        await client.until(lambda: told)
        assert told == [LinkReport(loss=0.02, delay_ms=40, round_trip_ms=55, fps=29.5)]
        assert not client.of("error")


async def test_words_make_room_for_the_picture_on_a_poor_link(monkeypatch: pytest.MonkeyPatch) -> None:
    async with watching(Relay(), width=320, channel=True) as (client, _):
        await client.until(lambda: len(client.of("metadata")) > 10, METADATA_INTERVAL * 10)
        monkeypatch.setattr(rate_control.RateController, "reduced", True)
        await asyncio.sleep(0.2)
        said, seen = len(client.of("metadata")), len(client.seen)
        await asyncio.sleep(2 * METADATA_INTERVAL)
        assert 1 <= len(client.of("metadata")) - said <= 3
        assert len(client.seen) - seen > 10
