"""Publishers and viewers at a worker, over real WebRTC between aiortc peers. Vision is a fake, so it is fast."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import re
import time
from collections.abc import AsyncIterator
from functools import partial

import numpy as np
import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestServer
from aiortc import RTCRtpSender

from media_worker.encoded_track import Encoded
from media_worker.sending import KEYFRAME_INTERVAL, LiveSender
from media_worker.server import WorkerApi
from media_worker.settings import WorkerSettings
from media_worker.shared_encoder import SharedEncoder
from media_worker.viewer import Viewer
from protocol import limits
from protocol.internal import Role
from tests.media_worker.fakes import NO_MODEL, FakePipeline
from tests.media_worker.test_viewers import encoded
from tests.rtc_client import Offer, RtcClient

pytestmark = pytest.mark.media

PEERS = "/internal/sessions/s-1/peers"
FRAMES = [np.full((240, 320, 3), grey, np.uint8) for grey in (60, 90, 120, 150)]
SDP = {"Content-Type": "application/sdp"}


class Worker:
    def __init__(self, api: WorkerApi, http: ClientSession) -> None:
        self.api, self.http = api, http
        self.answer = ""
        """The newest, as it was sent."""

    async def open(self) -> None:
        spec = {"session_id": "s-1", "design_id": 1, "expires_at": time.time() + 600}
        async with self.http.put("/internal/sessions/s-1", json=spec) as response:
            assert response.status == 201, await response.text()

    async def offer(self, role: Role, sdp: str) -> str:
        async with self.http.post(PEERS, params={"role": role}, data=sdp, headers=SDP) as response:
            assert response.status == 201, await response.text()
            self.answer = await response.text()
            return self.answer

    def to(self, role: Role) -> Offer:
        return partial(self.offer, role)

    async def refusal(self, sdp: str, role: Role = Role.WATCH) -> tuple[int, str, str | None]:
        async with self.http.post(PEERS, params={"role": role}, data=sdp, headers=SDP) as response:
            return response.status, (await response.json())["code"], response.headers.get("Retry-After")


@pytest.fixture
async def worker(fake_vision: type[FakePipeline]) -> AsyncIterator[Worker]:
    api = WorkerApi(WorkerSettings(worker_capacity=1), NO_MODEL)
    async with TestServer(api.app()) as server, ClientSession(server.make_url("/")) as http:
        made = Worker(api, http)
        await made.open()
        yield made


async def offer_of(client: RtcClient) -> str:
    await client.pc.setLocalDescription(await client.pc.createOffer())
    sdp: str = client.pc.localDescription.sdp
    return sdp


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_what_is_published_one_way_is_watched(worker: Worker, codec: str) -> None:
    async with RtcClient.publisher(FRAMES, codec, audio=True) as sender, RtcClient.player(codec) as player:
        await sender.connect(worker.to(Role.PUBLISH))
        answer = worker.answer
        assert "a=recvonly" in answer and "a=inactive" in answer and "a=sendrecv" not in answer
        assert answer.count("a=rtcp-mux-only") == 2
        await player.connect(worker.to(Role.WATCH))
        assert "a=sendonly" in worker.answer
        await player.until(lambda: len(player.pictures) > 20)
        assert player.pictures[-1].shape == (240, 320, 3)
        assert not sender.pictures
        report = worker.api.sessions.reports()[0]
        assert (report.connections, report.viewers) == (1, 1)
        assert report.statistics.frames_out > 20
        assert not report.statistics.frames_dropped.get("backpressure"), "nobody sends, so nothing waits to be sent"
        assert worker.api.sessions.used == 1, "a viewer holds no slot"


async def test_eight_viewers_share_one_encoder_a_codec_and_the_ninth_is_told_to_wait(worker: Worker) -> None:
    async with contextlib.AsyncExitStack() as stack:
        sender = await stack.enter_async_context(RtcClient.publisher(FRAMES))
        await sender.connect(worker.to(Role.PUBLISH))
        codecs = ["VP8", "VP8", "VP8", "H264"] * 2
        players = [await stack.enter_async_context(RtcClient.player(codec)) for codec in codecs]
        await asyncio.gather(*(player.connect(worker.to(Role.WATCH)) for player in players))
        for player in players:
            await player.until(lambda: len(player.pictures) > 3)  # noqa: B023  # called before the next turn
        ninth = await stack.enter_async_context(RtcClient.player())
        assert await worker.refusal(await offer_of(ninth)) == (503, "at_capacity", str(limits.RETRY_AFTER))

        statistics = worker.api.sessions.get("s-1").statistics
        frames, before = statistics.snapshot().frames_out, (encoded("VP8"), encoded("H264"))
        had = [len(player.pts) for player in players]
        for player, n in zip(players, had, strict=True):
            await player.until(lambda: len(player.pts) - n > 20)  # noqa: B023  # called before the next turn
        passed = statistics.snapshot().frames_out - frames
        for made in (encoded("VP8") - before[0], encoded("H264") - before[1]):
            assert passed / 2 < made <= passed + 3, "one encode a frame and codec, for all"

        streams = [next(iter(sender._history.values())) for sender in senders(worker)]
        assert len({packet.ssrc for packet in streams}) == len({packet.timestamp for packet in streams}) == 8


def senders(worker: Worker) -> list[LiveSender]:
    """Those of all viewers."""
    viewers = [it for it in worker.api.sessions.get("s-1").viewers._viewers if isinstance(it, Viewer)]
    found = [sender for viewer in viewers for sender in viewer._pc.getSenders()]
    return [sender for sender in found if isinstance(sender, LiveSender)]


async def test_who_watches_a_page_sees_what_the_page_sees_and_goes_on_when_it_reconnects(worker: Worker) -> None:
    async with RtcClient.player("VP8") as player:
        async with RtcClient(FRAMES, codec="VP8") as page:
            await page.connect(worker.to(Role.TWO_WAY))
            await page.until(lambda: page.pictures)
            await player.connect(worker.to(Role.WATCH))
            await player.until(lambda: len(player.pictures) > 5)
        seen = len(player.pts)
        async with RtcClient.publisher(FRAMES, "H264") as obs:
            await obs.connect(worker.to(Role.PUBLISH))
            await player.until(lambda: len(player.pts) > seen + 10)
        assert player.pts == sorted(player.pts), "timestamps go on, whoever sends"


async def test_a_late_viewer_sees_something_at_once(worker: Worker) -> None:
    async with RtcClient.publisher(FRAMES) as sender, RtcClient.player() as first, RtcClient.player() as late:
        await sender.connect(worker.to(Role.PUBLISH))
        await first.connect(worker.to(Role.WATCH))
        await first.until(lambda: len(first.pictures) > 10)
        await late.connect(worker.to(Role.WATCH))
        await late.until(lambda: late.pc.connectionState == "connected")
        connected = time.monotonic()
        await late.until(lambda: late.pictures)
        assert time.monotonic() - connected < 1.0


async def test_keyframe_requests_of_all_viewers_are_one(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[bool] = []

    def hand_out(self: SharedEncoder, frame: Encoded, now: float) -> None:
        made.append(frame.keyframe)
        original(self, frame, now)

    original = SharedEncoder._hand_out
    monkeypatch.setattr(SharedEncoder, "_hand_out", hand_out)
    async with RtcClient.publisher(FRAMES) as sender, RtcClient.player() as first, RtcClient.player() as second:
        await sender.connect(worker.to(Role.PUBLISH))
        for player in (first, second):
            await player.connect(worker.to(Role.WATCH))
        await second.until(lambda: len(first.pictures) > 5 and len(second.pictures) > 5)
        await asyncio.sleep(2 * KEYFRAME_INTERVAL)
        made.clear()
        sources = [sender._ssrc for sender in senders(worker)]
        receivers = [player.pc.getReceivers()[0] for player in (first, second)]
        for _ in range(5):
            for receiver, ssrc in itertools.product(receivers, sources):
                await receiver._send_rtcp_pli(ssrc)
            await asyncio.sleep(KEYFRAME_INTERVAL / 5)
        await asyncio.sleep(KEYFRAME_INTERVAL)
        assert 1 <= sum(made) <= 3 < len(made), "twenty requests within half a second"


async def test_a_viewer_that_missed_a_packet_is_sent_it_again_alone(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with RtcClient.publisher(FRAMES) as sender, RtcClient.player() as first, RtcClient.player() as second:
        await sender.connect(worker.to(Role.PUBLISH))
        for player in (first, second):
            await player.connect(worker.to(Role.WATCH))
        await second.until(lambda: len(first.pictures) > 5 and len(second.pictures) > 5)
        again: list[RTCRtpSender] = []

        async def count(self: RTCRtpSender, sequence_number: int) -> None:
            again.append(self)

        monkeypatch.setattr(RTCRtpSender, "_retransmit", count)
        asked = senders(worker)[0]
        missing = next(iter(asked._history.values())).sequence_number  # not one that is still on its way
        for player in (first, second):  # only one of them has that stream
            await player.pc.getReceivers()[0]._send_rtcp_nack(asked._ssrc, [missing])
        await first.until(lambda: again)
        assert set(again) == {asked}


async def test_refusals(worker: Worker) -> None:
    async with RtcClient.player() as player, RtcClient.publisher(FRAMES) as sender:
        watching, sending = await offer_of(player), await offer_of(sender)
        assert await worker.refusal(watching) == (409, "no_publisher", str(limits.PUBLISHER_RETRY_AFTER))
        assert await worker.refusal(sending) == (422, "unsupported", None), "to watch is to receive"
        assert await worker.refusal(watching, Role.PUBLISH) == (422, "unsupported", None)
        assert (await worker.refusal("v=0\r\n", Role.PUBLISH))[:2] == (422, "unsupported")
        async with worker.http.post(PEERS, params={"role": "owner"}, data=sending, headers=SDP) as response:
            assert response.status == 400
        worker.api.sessions.draining = True
        assert (await worker.refusal(watching))[:2] == (503, "worker_unavailable")


async def test_viewers_end_with_their_session(worker: Worker) -> None:
    async with RtcClient.publisher(FRAMES) as sender, RtcClient.player() as player:
        await sender.connect(worker.to(Role.PUBLISH))
        await player.connect(worker.to(Role.WATCH))
        await player.until(lambda: player.pictures)
        async with worker.http.delete("/internal/sessions/s-1") as response:
            assert (await response.json())["viewers"] == 0
        await player.until(lambda: player.pc.connectionState == "closed")


async def test_viewers_are_let_go_when_the_publisher_stays_away(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be on another worker by now, where the next request of theirs leads them."""
    monkeypatch.setattr(limits, "PUBLISHER_TIMEOUT", 0.5)
    async with RtcClient.player() as player:
        async with RtcClient.publisher(FRAMES) as sender:
            await sender.connect(worker.to(Role.PUBLISH))
            await player.connect(worker.to(Role.WATCH))
            await player.until(lambda: player.pictures)
            session = worker.api.sessions.get("s-1")
            (publisher,) = session._connections
        await publisher.close(None)
        await player.until(lambda: player.pc.connectionState == "closed")
        await player.until(lambda: len(session.viewers) == 0)
        async with RtcClient.player() as again:
            assert (await worker.refusal(await offer_of(again)))[:2] == (409, "no_publisher")


async def patch(worker: Worker, peer_id: str, fragment: str) -> tuple[int, str]:
    headers, params = {"Content-Type": "application/trickle-ice-sdpfrag"}, {"role": Role.PUBLISH}
    async with worker.http.patch(f"{PEERS}/{peer_id}", data=fragment, headers=headers, params=params) as response:
        return response.status, "" if response.status == 204 else (await response.json())["code"]


async def test_trickled_candidates_that_are_of_no_use_cost_nothing(worker: Worker) -> None:
    """RFC 9725 §4.3.2, and its example of an ICE restart (§4.3.3)."""
    async with RtcClient.publisher(FRAMES) as sender, RtcClient.player() as player:
        await sender.connect(worker.to(Role.PUBLISH))
        await player.connect(worker.to(Role.WATCH))
        await player.until(lambda: player.pictures)
        (publisher,) = worker.api.sessions.get("s-1")._connections
        ufrag = re.findall(r"a=ice-ufrag:\S+", sender.pc.localDescription.sdp)[0]
        head = f"a=group:BUNDLE 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\n{ufrag}\r\n"
        for candidate in (
            "1 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw network-id 1",
            "2 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active",
            "3 1 udp 2122260223 no.such.host.invalid 61764 typ host",
            "4 1 udp 2122260223 0f3c9-9.local 61764 typ host",
            "5 2 udp 2122260223 192.0.2.1 61765 typ host",
            "6 1 udp 2122260223 2001:db8::1 61766 typ host",
        ):
            assert await patch(worker, publisher.id, f"{head}a=candidate:{candidate}\r\n") == (204, ""), candidate
        assert await patch(worker, publisher.id, f"{head}a=candidate:what is this\r\n") == (400, "bad_sdp")
        assert await patch(worker, publisher.id, "nonsense") == (400, "bad_sdp")
        restart = head.replace(ufrag, "a=ice-ufrag:ysXw\r\na=ice-pwd:vw5LmwG4y/e6dPP/zAP9Gp5k")
        assert await patch(worker, publisher.id, restart) == (422, "unsupported")
        assert await patch(worker, publisher.id, f"{head}a=end-of-candidates\r\n") == (204, "")
        late = f"{head}a=candidate:7 1 udp 2122260223 192.0.2.1 61767 typ host\r\n"
        assert await patch(worker, publisher.id, late) == (204, ""), "after the end, which a client may send twice"
        assert await patch(worker, publisher.id, f"{head}a=end-of-candidates\r\n") == (204, "")
        seen = len(player.pts)
        await player.until(lambda: len(player.pts) > seen + 5)


async def test_peers_of_one_role_are_not_reached_by_another(worker: Worker) -> None:
    async with RtcClient.publisher(FRAMES) as sender, RtcClient.player() as player:
        await sender.connect(worker.to(Role.PUBLISH))
        await player.connect(worker.to(Role.WATCH))
        await player.until(lambda: player.pictures)  # aioice leaves tasks behind where it is closed before
        session = worker.api.sessions.get("s-1")
        (viewer,), (publisher,) = session.viewers._viewers, session._connections
        assert isinstance(viewer, Viewer)
        wrong = [(viewer.id, Role.PUBLISH), (viewer.id, Role.TWO_WAY), (publisher.id, Role.WATCH), (publisher.id, "")]
        for peer_id, role in wrong:
            async with worker.http.delete(f"{PEERS}/{peer_id}", params={"role": role} if role else {}) as response:
                assert response.status == 404
        async with worker.http.delete(f"{PEERS}/{viewer.id}", params={"role": Role.WATCH}) as response:
            assert response.status == 204
        assert len(session.viewers) == 0 and session.connections == 1
