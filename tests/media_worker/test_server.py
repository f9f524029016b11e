"""The worker as signaling and browsers meet it: its HTTP API, its socket, and real WebRTC between two aiortc peers."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import re
import threading
import time
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType
from aiohttp.test_utils import TestServer
from aioice.ice import get_host_addresses
from aiortc import RTCPeerConnection

from media_worker import drawn_hand, images
from media_worker.server import MAX_BODY_SIZE, WorkerApi
from media_worker.settings import WorkerSettings
from protocol import framing, limits
from protocol.designs import Finger
from protocol.internal import FrameInfo, SessionReport, StillAnswer, WorkerHealth, catalogue_version
from protocol.messages import ImageFormat
from protocol.nail_sets import NAIL_SIZE, NailSet
from tests.media_worker.fakes import free_ports
from tests.nail_sets import nail_set
from tests.rtc_client import RtcClient

SECRET = "between-us"
RED = np.array([0xB3, 0x00, 0x1B])
COBALT = np.array([0x1F, 0x3F, 0xBF])


class Worker:
    """A running worker with a client that knows its secret."""

    def __init__(self, api: WorkerApi, http: ClientSession) -> None:
        self.api, self.http = api, http

    async def open(self, session_id: str = "s-1", **changes: Any) -> None:
        spec = {"session_id": session_id, "design_id": 1, "expires_at": time.time() + 600, **changes}
        async with self.http.put(f"/internal/sessions/{session_id}", json=spec) as response:
            assert response.status in (201, 204), await response.text()

    async def offer(self, sdp: str, session_id: str = "s-1") -> str:
        async with self.http.post(
            f"/internal/sessions/{session_id}/peers", data=sdp, headers={"Content-Type": "application/sdp"}
        ) as response:
            assert response.status == 201, await response.text()
            return await response.text()

    async def health(self) -> WorkerHealth:
        async with self.http.get("/health") as response:
            return WorkerHealth.model_validate(await response.json())

    async def report(self) -> SessionReport:
        async with self.http.get("/internal/sessions") as response:
            return SessionReport.model_validate((await response.json())[0])

    async def problem(self, method: str, path: str, **request: Any) -> tuple[int, str]:
        async with self.http.request(method, path, **request) as response:
            assert response.content_type == "application/problem+json"
            body = await response.json()
            assert body["status"] == response.status
            return response.status, body["code"]


@pytest.fixture
async def worker(hand_model: Path) -> AsyncIterator[Worker]:
    api = WorkerApi(WorkerSettings(worker_secret=SECRET, worker_capacity=2), hand_model)
    async with (
        TestServer(api.app()) as server,
        ClientSession(server.make_url("/"), headers={"Authorization": f"Bearer {SECRET}"}) as http,
    ):
        yield Worker(api, http)


@pytest.fixture(scope="module")
def clip() -> list[np.ndarray]:
    return [drawing.rgb for drawing in drawn_hand.clip(drawn_hand.Scene(still=True), 0.5)]


@pytest.fixture(scope="module")
def mask() -> np.ndarray:
    return drawn_hand.draw(drawn_hand.Scene(still=True), 0).mask() > 0


def polished(picture: np.ndarray, mask: np.ndarray, colour: np.ndarray = RED) -> float:
    """Share of the nails' pixels that are nearer to `colour` than to skin."""
    return float((np.abs(picture[mask].astype(int) - colour).sum(axis=1) < 150).mean())


# --- API --------------------------------------------------------------------------------------------------------------
async def test_health_counts_slots(worker: Worker) -> None:
    health = await worker.health()
    assert (health.status, health.capacity, health.used) == ("ok", 2, 0)
    assert health.memory_mb > 20


async def test_an_operator_drains_it_and_lets_people_in_again(worker: Worker) -> None:
    worker.api.settings = worker.api.settings.model_copy(update={"region": "eu"})
    async with worker.http.put("/internal/drain") as response:
        assert response.status == 204
    assert ((await worker.health()).status, (await worker.health()).region) == ("draining", "eu")
    await worker.open()
    sdp = {"data": "v=0", "headers": {"Content-Type": "application/sdp"}}
    assert await worker.problem("POST", "/internal/sessions/s-1/peers", **sdp) == (503, "worker_unavailable")
    async with worker.http.delete("/internal/drain") as response:
        assert response.status == 204
    assert (await worker.health()).status == "ok"
    assert await worker.problem("POST", "/internal/sessions/s-1/peers", **sdp) == (400, "bad_sdp")


async def test_a_session_goes_on_elsewhere(worker: Worker) -> None:
    spec = {"session_id": "s-1", "design_id": 1, "expires_at": time.time() + 600}
    for status in (201, 204):
        async with worker.http.put("/internal/sessions/s-1", json=spec) as response:
            assert response.status == status  # whether it counts from zero
    async with worker.http.post("/internal/sessions/s-1/leave") as response:
        assert response.status == 204
    assert await worker.problem("POST", "/internal/sessions/s-1/leave") == (404, "not_found")


async def test_everything_but_health_and_metrics_needs_the_secret(worker: Worker) -> None:
    wrong = {"Authorization": "Bearer guéss"}
    for method, path in [("GET", "/internal/sessions"), ("POST", "/internal/stills"), ("GET", "/ws/tryon/s-1/")]:
        assert await worker.problem(method, path, headers=wrong) == (401, "unauthorized")
    async with worker.http.get("/metrics", headers=wrong) as response:
        assert response.status == 200
        assert "lacquer_frames_in_total" in await response.text()


async def test_a_body_beyond_all_pictures_is_refused(worker: Worker) -> None:
    body = b" " * (MAX_BODY_SIZE + 1)
    assert await worker.problem("POST", "/internal/stills", data=io.BytesIO(body)) == (413, "too_large")


async def test_refusals_are_problem_documents(worker: Worker) -> None:
    await worker.open()
    sdp = {"Content-Type": "application/sdp"}
    peers = "/internal/sessions/s-1/peers"
    assert await worker.problem("PUT", "/internal/sessions/s-1", data=b"{") == (400, "bad_request")
    assert await worker.problem("PUT", "/internal/sessions/s-2", json={"session_id": "s-1", "design_id": 1,
                                "expires_at": 0}) == (400, "bad_request")  # fmt: skip
    assert await worker.problem("PUT", "/internal/sessions/s-2", json={"session_id": "s-2", "design_id": 999,
                                "expires_at": 0}) == (404, "unknown_design")  # fmt: skip
    assert await worker.problem("POST", peers, data="v=0", headers=sdp) == (400, "bad_sdp")
    assert await worker.problem("POST", peers, data=b"v=0\r\ns=\xff", headers=sdp) == (400, "bad_sdp")
    assert await worker.problem("POST", peers, json={}) == (415, "unsupported_media_type")
    assert await worker.problem("POST", "/internal/sessions/no/peers", data="v=0", headers=sdp) == (404, "not_found")
    assert await worker.problem("PATCH", f"{peers}/gone", data="", headers={
        "Content-Type": "application/trickle-ice-sdpfrag"}) == (404, "not_found")  # fmt: skip
    assert await worker.problem("GET", "/internal/sessions/s-1/frame") == (409, "no_frame_yet")
    assert await worker.problem("GET", "/internal/sessions/s-1/frame?format=gif") == (400, "bad_request")
    assert await worker.problem("POST", "/internal/previews", json={"design_id": 999}) == (404, "unknown_design")
    assert await worker.problem("POST", "/internal/previews", json={"design_id": None}) == (400, "bad_request")
    assert await worker.problem("POST", "/internal/nail-sets", json={"image": "AAAA"}) == (422, "bad_image")
    assert await worker.problem("PUT", "/internal/designs/1001", json=_own(1000)) == (400, "bad_request")
    assert await worker.problem("DELETE", "/internal/designs/x") == (404, "not_found")
    assert await worker.problem("DELETE", "/internal/sessions/none") == (404, "not_found")


async def preview(worker: Worker, **worn: Any) -> np.ndarray:
    async with worker.http.post("/internal/previews", json={"design_id": None, **worn}) as response:
        assert (response.status, response.content_type) == (200, "image/webp"), await response.text()
        return images.decode(await response.read(), max_pixels=10**6)


def share(picture: np.ndarray, colour: np.ndarray = RED) -> float:
    return float((np.abs(picture.astype(int) - colour).sum(axis=2) < 120).mean())


async def test_a_preview_shows_what_is_worn(worker: Worker) -> None:
    finger = await preview(worker, design_id=1)
    assert share(finger) > 0.03
    assert share(await preview(worker, design_id=1, settings={"design": 6})) < 0.01
    assert share(await preview(worker, design_id=1, settings={"design": 6}), COBALT) > 0.03
    red = nail_set("#B3001B").model_dump(mode="json")
    hand = await preview(worker, nail_set=red, view="hand")
    assert hand.shape[1] > finger.shape[1]
    assert share(hand) > 0.001


async def test_own_designs_are_worn_as_soon_as_signaling_has_sent_them(worker: Worker) -> None:
    version = catalogue_version({1000: "a"})
    lacking: dict[str, Any] = {"design_id": 1000, "catalogue": version}
    spec = {"session_id": "s-1", "expires_at": time.time() + 600, **lacking}
    assert await worker.problem("PUT", "/internal/sessions/s-1", json=spec) == (409, "catalogue_unknown")
    assert await worker.problem("POST", "/internal/previews", json=lacking) == (409, "catalogue_unknown")
    async with worker.http.put("/internal/designs/1000", json=_own(1000)) as response:
        assert response.status == 204
    await worker.open(**lacking)
    assert share(await preview(worker, **lacking)) > 0.03
    async with worker.http.get("/internal/designs") as response:
        assert await response.json() == {"1000": "a"}
    async with worker.http.delete("/internal/designs/1000") as response:
        assert response.status == 204
    assert await worker.problem("PUT", "/internal/sessions/s-1", json=spec) == (409, "catalogue_unknown")
    await worker.open(catalogue="")


def _set() -> dict[str, Any]:
    return nail_set().model_dump(mode="json")


def _own(design_id: int) -> dict[str, Any]:
    design = {"id": design_id, "name": "Ours", "family": "Shop", "colours": ["#1F3FBF"]}
    return {"version": "a", "design": design, "nail_set": nail_set("#B3001B").model_dump(mode="json")}


@pytest.mark.media
async def test_a_set_is_taken_from_a_picture(worker: Worker, clip: list[np.ndarray]) -> None:
    image = base64.b64encode(images.encode(clip[0], ImageFormat.PNG)).decode()
    async with worker.http.post("/internal/nail-sets", json={"image": image}) as response:
        taken = NailSet.model_validate_json(await response.read())
    assert taken.kind == "hand"
    assert set(taken.fingers) == set(Finger)
    for nail in taken.nails:
        assert images.decode(nail.image, max_pixels=10**6).shape == (NAIL_SIZE, NAIL_SIZE, 3)


@pytest.mark.media
async def test_still_wears_the_design(worker: Worker, clip: list[np.ndarray], mask: np.ndarray) -> None:
    image = base64.b64encode(images.encode(clip[0], ImageFormat.PNG)).decode()
    async with worker.http.post("/internal/stills", json={"image": image, "design_id": 1, "format": "png"}) as response:
        answer = StillAnswer.model_validate(await response.json())
    assert answer.info.nails >= 4
    assert polished(images.decode(answer.image, max_pixels=10**6), mask) > 0.5


@pytest.mark.media
async def test_still_wears_a_set_with_changes(worker: Worker, clip: list[np.ndarray], mask: np.ndarray) -> None:
    image = base64.b64encode(images.encode(clip[0], ImageFormat.PNG)).decode()
    fingers = {finger.value: {"nail": 1} for finger in Finger}
    still = {"image": image, "design_id": None, "nail_set": _set(), "settings": {"fingers": fingers}, "format": "png"}
    async with worker.http.post("/internal/stills", json=still) as response:
        answer = StillAnswer.model_validate(await response.json())
    assert polished(images.decode(answer.image, max_pixels=10**6), mask, COBALT) > 0.5


@pytest.mark.media
async def test_still_that_vision_stumbles_over_is_refused_as_such(worker: Worker) -> None:
    thread = base64.b64encode(images.encode(np.zeros((1, 2048, 3), np.uint8), ImageFormat.PNG)).decode()
    answer = await worker.problem("POST", "/internal/stills", json={"image": thread, "design_id": 1})
    assert answer == (500, "vision_failed")


# --- WebSocket --------------------------------------------------------------------------------------------------------
@pytest.mark.media
async def test_socket_paints_frames(worker: Worker, clip: list[np.ndarray], mask: np.ndarray) -> None:
    await worker.open()
    jpeg = images.encode(clip[0], ImageFormat.JPEG)
    async with worker.http.ws_connect("/ws/tryon/s-1/", max_msg_size=0) as socket:
        assert (await socket.receive_json())["type"] == "ready"
        for number in range(3):
            await socket.send_bytes(framing.pack({"type": "frame", "frame_number": number, "timestamp": 1}, jpeg))
            message = await socket.receive()
            header, payload = framing.unpack(message.data)
            assert (header["type"], header["frame_number"], header["format"]) == ("processed_frame", number, "jpeg")
            metadata = await socket.receive_json()
            assert metadata["hands"] == 1
            assert polished(images.decode(payload, max_pixels=10**6), mask) > 0.5, "from the first frame on"
        async with worker.http.get("/internal/sessions/s-1/frame?format=png") as response:
            info = FrameInfo.model_validate_json(response.headers["X-Lacquer-Frame"])
            assert (info.width, info.height, response.content_type) == (640, 480, "image/png")
        await socket.send_json({"type": "bye"})
        while (closing := await socket.receive()).type in (WSMsgType.TEXT, WSMsgType.BINARY):
            pass
        assert closing.data == 1000
    assert (await worker.health()).used == 0


@pytest.mark.media
async def test_everything_is_adjusted_over_the_socket(worker: Worker, clip: list[np.ndarray], mask: np.ndarray) -> None:
    await worker.open(design_id=None, nail_set=_set())
    jpeg = images.encode(clip[0], ImageFormat.JPEG)
    async with worker.http.ws_connect("/ws/tryon/s-1/", max_msg_size=0) as socket:
        await socket.receive_json()

        async def painted() -> np.ndarray:
            await socket.send_bytes(framing.pack({"type": "frame", "frame_number": 0, "timestamp": 1}, jpeg))
            _, payload = framing.unpack((await socket.receive()).data)
            await socket.receive_json()
            return images.decode(payload, max_pixels=10**6)

        async def wear(**change: Any) -> np.ndarray:
            """The picture some frames after the change: `config` and frames are handled side by side."""
            await socket.send_json({"type": "config", **change})
            return [await painted() for _ in range(3)][-1]

        every = {finger.value: {"nail": 1} for finger in Finger}
        assert polished(await wear(fingers=every), mask, COBALT) > 0.5
        assert polished(await wear(colours=["#B3001B"]), mask) > 0.5
        half = await wear(compare=1)
        assert polished(half, mask) < 0.1
        await socket.send_json({"type": "config", "compare": None, "fingers": {"ring": {"nail": 5}}})
        assert (await socket.receive_json())["code"] == "unknown_nail"
        assert polished(await painted(), mask) < 0.1, "nothing of it is done"
        settings = (await worker.report()).settings
        assert (settings.compare, settings.colours, len(settings.fingers)) == (1, ("#B3001B",), 5)


async def test_socket_of_an_unknown_session_is_told_and_closed(worker: Worker) -> None:
    async with worker.http.ws_connect("/ws/tryon/nobody") as socket:
        error = await socket.receive_json()
        assert (error["code"], error["fatal"]) == ("not_found", True)
        assert (await socket.receive()).data == 4404


async def test_socket_beyond_capacity_is_told_and_closed(worker: Worker) -> None:
    for name in ("a", "b", "c"):
        await worker.open(name)
    async with worker.http.ws_connect("/ws/tryon/a") as one, worker.http.ws_connect("/ws/tryon/b") as two:
        await one.receive_json(), await two.receive_json()
        async with worker.http.ws_connect("/ws/tryon/c") as three:
            assert (await three.receive_json())["code"] == "at_capacity"
            assert (await three.receive()).data == 4503
    async with asyncio.timeout(5):
        while (await worker.health()).used:
            await asyncio.sleep(0.02)


async def test_second_socket_replaces_the_first(worker: Worker) -> None:
    await worker.open()
    async with worker.http.ws_connect("/ws/tryon/s-1") as one:
        await one.receive_json()
        async with worker.http.ws_connect("/ws/tryon/s-1") as two:
            assert (await two.receive_json())["type"] == "ready"
            assert (await one.receive_json())["code"] == "replaced"
            assert (await one.receive()).data == 4409


async def test_deleting_the_session_closes_its_socket(worker: Worker) -> None:
    await worker.open()
    async with worker.http.ws_connect("/ws/tryon/s-1") as socket:
        await socket.receive_json()
        async with worker.http.delete("/internal/sessions/s-1?reason=deleted") as response:
            assert SessionReport.model_validate(await response.json()).session_id == "s-1"
        event, error = await socket.receive_json(), await socket.receive_json()
        assert (event["type"], event["event"], event["reason"]) == ("session", "ended", "deleted")
        assert (error["code"], error["fatal"]) == ("session_ended", True)
        assert (await socket.receive()).data == 4410


async def test_a_message_over_the_limit_closes_the_socket_not_the_session(worker: Worker) -> None:
    await worker.open()
    async with worker.http.ws_connect("/ws/tryon/s-1") as socket:
        await socket.receive_json()
        with contextlib.suppress(ConnectionError):  # the server may close before it was all sent
            await socket.send_bytes(b"x" * (limits.HEADER_SIZE + limits.MAX_FRAME_SIZE + 1))
        while (message := await socket.receive()).type in (WSMsgType.TEXT, WSMsgType.BINARY):
            pass
        assert message.type in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.CLOSING, WSMsgType.ERROR)
    async with worker.http.ws_connect("/ws/tryon/s-1") as socket:
        assert (await socket.receive_json())["type"] == "ready"


async def test_without_a_secret_any_session_id_is_served(hand_model: Path) -> None:
    api = WorkerApi(WorkerSettings(worker_secret=None), hand_model)
    async with (
        TestServer(api.app()) as server,
        ClientSession(server.make_url("/")) as http,
        http.ws_connect("/ws/tryon/anything/") as socket,
    ):
        assert (await socket.receive_json())["session_id"] == "anything"


# --- WebRTC -----------------------------------------------------------------------------------------------------------
def fingers(metadata: dict[str, Any]) -> set[str | None]:
    """Whose nails were seen."""
    return {nail["finger"] for nail in metadata["nails"]}


@pytest.mark.media
@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_webrtc_end_to_end(worker: Worker, clip: list[np.ndarray], mask: np.ndarray, codec: str) -> None:
    """Polish on the drawn nails, source timestamps, metadata, a design change, a capture, and the end."""
    await worker.open()
    async with RtcClient(clip, codec=codec) as client:
        await client.connect(worker.offer)
        await client.until(lambda: client.of("ready"))
        await client.until(lambda: client.pictures and polished(client.pictures[-1], mask) > 0.5)
        assert client.pictures[-1].shape == (480, 640, 3)
        await client.until(lambda: len(client.pts) >= 30)
        steps = set(np.diff(client.pts[5:30]).tolist())
        # libvpx through FFmpeg rounds by two ticks of 90 kHz, 22 µs
        assert all(step > 2900 and (step + 3) % 3000 <= 6 for step in steps), f"1/30 s apart, as sent: {steps}"
        await client.until(lambda: fingers(client.of("metadata")[-1]) >= {"index", "middle", "ring"})
        metadata = next(
            told for told in reversed(client.of("metadata")) if fingers(told) >= {"index", "middle", "ring"}
        )
        assert (metadata["hands"], metadata["width"], metadata["height"]) == (1, 640, 480)
        for nail in metadata["nails"]:
            outline = np.array(nail["polygon"], np.float32)
            ends = [cv2.pointPolygonTest(outline, tuple(nail[end]), True) for end in ("cuticle", "free_edge")]
            assert all(abs(distance) < 3 for distance in ends), "both ends lie on the outline"
        stages = metadata["stages"]
        assert {"decode", "queue", "vision", "render", "encode", "send", "total"} <= stages.keys()
        passed = sum(
            stages.get(each, 0) for each in ("receive", "decode", "queue", "vision", "render", "encode", "send")
        )
        assert passed == pytest.approx(stages["total"], abs=3), "no time is lost between stages"

        client.say(type="config", design=6)
        before = len(client.pts)
        await client.until(lambda: polished(client.pictures[-1], mask, COBALT) > 0.5)
        assert len(client.pts) - before < 30, "a second's frames, however fast they come"
        await client.until(lambda: client.of("metadata")[-1]["design"] == 6)

        client.say(type="config", colours=["#B3001B"], fingers={"ring": {"nail": 0}})
        await client.until(lambda: client.of("error"))
        assert client.of("error")[0]["code"] == "unknown_nail"
        client.say(type="config", colours=["#B3001B"], shape="square", fingers={})
        await client.until(lambda: polished(client.pictures[-1], mask) > 0.5)
        client.say(type="config", colours=None)
        await client.until(lambda: polished(client.pictures[-1], mask, COBALT) > 0.5)

        client.say(type="capture", format="png")
        await client.until(lambda: client.binaries)
        header, payload = client.binaries[-1]
        assert (header["type"], header["width"], header["height"]) == ("capture", 640, 480)
        assert polished(images.decode(payload, max_pixels=10**6), mask, COBALT) > 0.5

        client.say(type="ping", t=5)
        await client.until(lambda: client.of("pong"))
        report = await worker.report()
        assert report.statistics.frames_out >= 30
        assert (report.settings.design, report.settings.shape, report.settings.colours) == (6, "square", None)
        assert (await worker.health()).used == 1
    await gone(worker)


@pytest.mark.media
async def test_frames_over_the_data_channel_come_back(worker: Worker, clip: list[np.ndarray], mask: np.ndarray) -> None:
    await worker.open()
    png = images.encode(clip[0], ImageFormat.PNG)
    assert len(png) > 65536, "so that chunks are needed both ways"
    async with RtcClient(None) as client:
        await client.connect(worker.offer)
        await client.until(lambda: client.of("ready"))
        for number in range(3):
            client.show(number, png)
            await client.until(partial(lambda expected: len(client.binaries) > expected, number))
        header, payload = client.binaries[-1]
        assert (header["type"], header["frame_number"], header["format"]) == ("processed_frame", 2, "png")
        assert polished(images.decode(payload, max_pixels=10**6), mask) > 0.5
        client.say(type="bye")
        await gone(worker)


@pytest.mark.media
async def test_palm_goes_through_untouched_and_metadata_says_so(worker: Worker) -> None:
    await worker.open()
    empty = [drawn_hand.draw(drawn_hand.Scene(hands=0), 0).rgb]
    async with RtcClient(empty, codec="VP8") as client:
        await client.connect(worker.offer)
        await client.until(lambda: len(client.of("metadata")) > 10)
        assert {(m["hands"], len(m["nails"]), m["confidence"]) for m in client.of("metadata")} == {(0, 0, 0)}


@pytest.mark.media
async def test_new_peer_takes_over_and_the_design_stays(worker: Worker, clip: list[np.ndarray]) -> None:
    await worker.open()
    async with RtcClient(clip) as one, RtcClient(clip) as two:
        await one.connect(worker.offer)
        await one.until(lambda: one.of("metadata"))
        one.say(type="config", design=6)
        await one.until(lambda: one.of("metadata")[-1]["design"] == 6)
        await two.connect(worker.offer)
        await two.until(lambda: two.of("metadata"))
        assert two.of("ready")[0]["settings"]["design"] == 6
        await one.until(lambda: one.of("error"))
        assert (one.of("error")[0]["code"], one.of("error")[0]["fatal"]) == ("replaced", True)
        assert (await worker.health()).used == 1
    await gone(worker)


@pytest.mark.media
async def test_silent_peer_is_freed(worker: Worker, clip: list[np.ndarray], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PEER_SILENCE_TIMEOUT", 1.0)
    await worker.open()
    client = RtcClient(clip)
    await client.connect(worker.offer)
    await client.until(lambda: client.of("metadata"))
    transport = client.pc.getTransceivers()[0].sender.transport.transport
    await transport._connection.close()  # the cable is pulled: no packet leaves any more, and no goodbye
    await gone(worker, seconds=8)
    await client.close()


@pytest.mark.media
async def test_peer_that_never_connects_is_freed(
    worker: Worker, clip: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PEER_CONNECT_TIMEOUT", 0.5)
    await worker.open()
    async with RtcClient(clip) as client:
        await client.pc.setLocalDescription(await client.pc.createOffer())
        await worker.offer(client.pc.localDescription.sdp)
        assert (await worker.health()).used == 1
        await gone(worker, seconds=6)


@pytest.mark.media
async def test_delete_closes_the_peer(worker: Worker, clip: list[np.ndarray]) -> None:
    await worker.open()
    async with RtcClient(clip) as client:
        await client.pc.setLocalDescription(await client.pc.createOffer())
        sdp, headers = client.pc.localDescription.sdp, {"Content-Type": "application/sdp"}
        async with worker.http.post("/internal/sessions/s-1/peers", data=sdp, headers=headers) as response:
            location = response.headers["Location"]
        async with worker.http.delete(location) as response:
            assert response.status == 204
        assert (await worker.health()).used == 0
        assert await worker.problem("DELETE", location) == (404, "not_found")


async def gone(worker: Worker, seconds: float = 5) -> None:
    """Every slot and every vision thread of the worker is free again."""

    def vision_threads() -> list[str]:
        return [thread.name for thread in threading.enumerate() if thread.name.startswith("vision")]

    async with asyncio.timeout(seconds):
        while (await worker.health()).used or vision_threads():
            await asyncio.sleep(0.02)


async def some_offer() -> str:
    async with RtcClient(None) as client:
        await client.pc.setLocalDescription(await client.pc.createOffer())
        return str(client.pc.localDescription.sdp)


async def test_offers_at_the_same_moment_leave_one_peer(worker: Worker) -> None:
    """Each replaces the one before it, which may still wait for the one before that, or open its sockets."""
    await worker.open()
    offer = await some_offer()

    async def post() -> int:
        sdp = {"Content-Type": "application/sdp"}
        async with worker.http.post("/internal/sessions/s-1/peers", data=offer, headers=sdp) as response:
            return response.status

    statuses = await asyncio.gather(*(post() for _ in range(6)))
    assert 201 in statuses
    assert set(statuses) <= {201, 409}
    assert (await worker.report()).connections == 1
    await worker.http.delete("/internal/sessions/s-1")
    assert await asyncio.to_thread(psutil.Process().net_connections, "udp") == []


async def test_a_connection_that_fails_to_close_gives_its_slot_back(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    close = RTCPeerConnection.close

    async def failing(self: RTCPeerConnection) -> None:
        await close(self)
        raise AttributeError("as aiortc does after some strange offers")

    await worker.open()
    await worker.offer(await some_offer())
    monkeypatch.setattr(RTCPeerConnection, "close", failing)
    async with worker.http.delete("/internal/sessions/s-1") as response:
        assert response.status == 200
    assert (await worker.health()).used == 0


async def test_without_a_free_port_for_media_a_client_is_told_that_all_is_full(hand_model: Path) -> None:
    own = get_host_addresses(use_ipv4=True, use_ipv6=True)[0]
    ports = free_ports(1, own)
    settings = WorkerSettings(udp_ports=f"{ports.first}-{ports.last}", ice_addresses=[own])
    api, sdp = WorkerApi(settings, hand_model), {"Content-Type": "application/sdp"}
    async with TestServer(api.app()) as server, ClientSession(server.make_url("/")) as http:
        worker, peers = Worker(api, http), "/internal/sessions/s-1/peers"
        await worker.open()
        offer = await some_offer()
        with ports.bind(own):
            assert await worker.problem("POST", peers, data=offer, headers=sdp) == (503, "at_capacity")
        assert (await worker.health()).used == 0
        answer = await worker.offer(offer)
        assert f" {own} {ports.first} typ host" in answer
        await worker.http.delete("/internal/sessions/s-1")


async def test_names_that_nobody_answers_for_take_no_time(worker: Worker) -> None:
    """Browsers hide addresses behind `.local` names; to look for one takes a second."""
    await worker.open()
    started = time.monotonic()
    hidden = re.sub(r"(a=candidate:\S+ \d+ \S+ \d+) \S+", r"\1 nobody.local", await some_offer())
    assert "nobody.local" in hidden
    await worker.offer(hidden)
    assert time.monotonic() - started < 0.8
    (peer,) = worker.api.sessions.get("s-1")._connections
    names = "".join(f"a=candidate:1 1 udp 1 nobody-{i}.local 9 typ host\r\n" for i in range(12))
    started = time.monotonic()
    async with worker.http.patch(
        f"/internal/sessions/s-1/peers/{peer.id}",
        data=f"m=application 9 x\r\na=mid:0\r\n{names}a=end-of-candidates\r\n",
        headers={"Content-Type": "application/trickle-ice-sdpfrag"},
    ) as response:
        assert response.status == 204
    assert time.monotonic() - started < 0.9
    await worker.http.delete("/internal/sessions/s-1")


async def test_without_the_secret_no_route_answers(hand_model: Path) -> None:
    """Routes are taken from the application itself, so a new one is asked, too."""
    app = WorkerApi(WorkerSettings(worker_secret=SECRET), hand_model).app()
    asked = 0
    async with TestServer(app) as server, ClientSession(server.make_url("/")) as http:
        for resource in app.router.resources():
            path = re.sub(r"\{[^}]+\}", "1000", resource.canonical)
            for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", *(route.method for route in resource)}:
                for header in (None, "Bearer", "Bearer wrong", SECRET, f"Bearer {SECRET}x", f"Basic {SECRET}"):
                    headers = {"Authorization": header} if header else {}
                    async with http.request(method, path, headers=headers, data=b"{}") as response:
                        asked += 1
                        open_to_all = path in ("/health", "/metrics")
                        assert response.status in ((200, 405) if open_to_all else (401,)), (method, path, header)
    assert asked > 200


@pytest.mark.parametrize("kind", ["ping", "text", "frame"])
async def test_a_socket_that_floods_is_closed_and_others_hardly_notice(worker: Worker, kind: str) -> None:
    await worker.open("s-1")
    await worker.open("s-2")
    async with worker.http.ws_connect("/ws/tryon/s-1") as calm, worker.http.ws_connect("/ws/tryon/s-2") as flooder:
        await calm.receive()
        flood = asyncio.create_task(_flood(flooder, kind))
        longest = 0.0
        for number in range(40):
            began = time.monotonic()
            await calm.send_json({"type": "ping", "t": number})
            while (await calm.receive_json()).get("t") != number:
                pass
            longest = max(longest, time.monotonic() - began)
            await asyncio.sleep(0.02)
        assert longest < 0.5
        assert await asyncio.wait_for(flood, 10) == 4429


async def _flood(socket: ClientWebSocketResponse, kind: str) -> int | None:
    """Sends as fast as it may, and returns the code that it is closed with."""
    message = framing.pack({"type": "frame", "frame_number": 1}, b"nothing")
    reading = asyncio.create_task(_until_closed(socket))
    with contextlib.suppress(ConnectionError):
        while not reading.done():
            for _ in range(200):
                match kind:
                    case "ping":
                        await socket.ping(b"x" * 100)
                    case "text":
                        await socket.send_str('{"type":"ping"}')
                    case _:
                        await socket.send_bytes(message)
            await asyncio.sleep(0)
    return await reading


async def _until_closed(socket: ClientWebSocketResponse) -> int | None:
    async for _ in socket:
        pass
    return socket.close_code
