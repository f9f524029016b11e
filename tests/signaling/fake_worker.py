"""A media worker without media: protocol/internal.py on a real port, in memory.

WebSocket frames come back as `processed_frame` with the same picture; every answer can be slowed down or refused.
"""

from __future__ import annotations

import asyncio
import base64
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self, TypeVar

from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer
from aiohttp.typedefs import Handler
from PIL import Image

from protocol import framing, limits
from protocol.api import Problem
from protocol.designs import catalogue
from protocol.errors import (
    AtCapacity,
    BadSdp,
    CatalogueUnknown,
    LacquerError,
    NoFrameYet,
    NoPublisher,
    NotFound,
    Unauthorized,
    UnknownDesign,
)
from protocol.internal import (
    FRAME_INFO_HEADER,
    FrameInfo,
    NailSetRequest,
    OwnDesign,
    PreviewRequest,
    SessionReport,
    SessionSpec,
    StillAnswer,
    StillRequest,
    WorkerHealth,
    Worn,
    catalogue_version,
)
from protocol.messages import Config, Ready, Stats
from tests.nail_sets import nail_set

Asked = TypeVar("Asked", bound=Worn)

ANSWER = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"


def picture(width: int = 64, height: int = 48, image_format: str = "JPEG", colour: str = "#B3001B") -> bytes:
    output = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(output, image_format)
    return output.getvalue()


@dataclass
class Held:
    """A session as the worker holds it."""

    spec: SessionSpec
    puts: int = 1
    settings: Config = field(default_factory=Config)
    statistics: Stats = field(default_factory=Stats)
    peers: dict[str, list[bytes]] = field(default_factory=dict)
    viewers: dict[str, list[bytes]] = field(default_factory=dict)
    sockets: set[web.WebSocketResponse] = field(default_factory=set)
    frame: bytes | None = None
    nails: int | None = None
    confidence: float | None = None

    @property
    def connections(self) -> int:
        return len(self.peers) + len(self.sockets)

    def report(self) -> SessionReport:
        return SessionReport(
            session_id=self.spec.session_id,
            connections=self.connections,
            viewers=len(self.viewers),
            settings=self.settings,
            statistics=self.statistics,
            nails=self.nails,
            confidence=self.confidence,
        )


class FakeWorker:
    """An async context manager; `url` is where it listens."""

    def __init__(
        self, *, capacity: int = 2, secret: str | None = "worker-secret", worker_id: str = "fake", region: str = ""
    ) -> None:
        self.capacity = capacity
        self.secret = secret
        self.worker_id = worker_id
        self.region = region
        self.draining = False
        self.delay = 0.0
        """Seconds before any /internal/ call is answered."""
        self.refusal: LacquerError | None = None
        """What every /internal/ call but the list of reports is refused with."""
        self.garbage = False
        """Answers everything with HTML, like a proxy in the way."""
        self.sessions: dict[str, Held] = {}
        self.ended: list[tuple[str, str]] = []
        self.left: list[str] = []
        """Sessions that went on elsewhere."""
        self.health_polls = 0
        self.health_delay = 0.0
        """Seconds that a busy event loop takes to say how it is."""
        self.on_message: Callable[[web.WebSocketResponse, bytes | str], object] | None = None
        self.previews: list[PreviewRequest] = []
        self.stills: list[StillRequest] = []
        self.pictures: list[bytes] = []
        """Those that a set of nails was taken from."""
        self.shows = nail_set()
        """The set that every picture shows."""
        self.designs: dict[int, OwnDesign] = {}
        self.closes: list[tuple[int | None, str]] = []
        """Code and reason of every socket that the other side closed."""
        app = web.Application(middlewares=[self._guard], client_max_size=64 * 2**20)
        session = "/internal/sessions/{id}"
        app.add_routes(
            [
                web.get("/health", self._health),
                web.get("/internal/sessions", self._reports),
                web.put(session, self._put),
                web.delete(session, self._end),
                web.post(f"{session}/leave", self._leave),
                web.post(f"{session}/peers", self._add_peer),
                web.patch(f"{session}/peers/{{peer}}", self._trickle),
                web.delete(f"{session}/peers/{{peer}}", self._remove_peer),
                web.get(f"{session}/frame", self._frame),
                web.post("/internal/stills", self._still),
                web.post("/internal/previews", self._preview),
                web.post("/internal/nail-sets", self._nail_set),
                web.get("/internal/designs", self._designs),
                web.put("/internal/designs/{design}", self._put_design),
                web.delete("/internal/designs/{design}", self._remove_design),
                web.put("/internal/drain", self._drain),
                web.delete("/internal/drain", self._drain),
                web.get("/ws/tryon/{id}", self._socket),
            ]
        )
        self.server = TestServer(app)
        self.url = ""

    async def __aenter__(self) -> Self:
        await self.server.start_server()
        self.url = str(self.server.make_url("")).rstrip("/")
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Gone as a killed process is: sockets break without a close frame."""
        for held in self.sessions.values():
            for socket in list(held.sockets):
                if socket._req is not None and socket._req.transport is not None:
                    socket._req.transport.abort()
        await self.server.close()

    @property
    def used(self) -> int:
        return sum(held.connections > 0 for held in self.sessions.values())

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            if request.path != "/health":
                await self._obstruct(request)
            if self.garbage and not request.path.startswith("/ws/"):
                return web.Response(text="<h1>It works!</h1>", status=502)
            return await handler(request)
        except LacquerError as error:
            problem = Problem(title=error.title, status=error.status, detail=error.message, code=error.code)
            return web.Response(
                text=problem.model_dump_json(), status=error.status, content_type="application/problem+json"
            )

    async def _obstruct(self, request: web.Request) -> None:
        if self.delay:
            await asyncio.sleep(self.delay)
        if self.secret and request.headers.get("Authorization") != f"Bearer {self.secret}":
            raise Unauthorized
        if self.refusal and request.path != "/internal/sessions" and not request.path.startswith("/ws/"):
            raise self.refusal

    def _held(self, request: web.Request) -> Held:
        try:
            return self.sessions[request.match_info["id"]]
        except KeyError:
            raise NotFound("no such session on this worker") from None

    async def _health(self, _request: web.Request) -> web.Response:
        self.health_polls += 1
        await asyncio.sleep(self.health_delay)
        health = WorkerHealth(
            status="draining" if self.draining else "ok",
            worker_id=self.worker_id,
            capacity=self.capacity,
            used=self.used,
            loop_lag_ms=0.1,
            memory_mb=10.0,
            region=self.region,
        )
        return web.json_response(text=health.model_dump_json())

    async def _reports(self, _request: web.Request) -> web.Response:
        return web.json_response([held.report().model_dump(mode="json") for held in self.sessions.values()])

    async def _put(self, request: web.Request) -> web.Response:
        spec = self._known(SessionSpec.model_validate_json(await request.read()))
        if held := self.sessions.get(spec.session_id):
            held.spec, held.puts = spec, held.puts + 1
            return web.Response(status=204)
        self.sessions[spec.session_id] = Held(spec, settings=spec.settings)
        return web.Response(status=201)

    async def _end(self, request: web.Request) -> web.Response:
        held = self._held(request)
        del self.sessions[held.spec.session_id]
        self.ended.append((held.spec.session_id, request.query["reason"]))
        report = held.report()
        for socket in list(held.sockets):
            await socket.close(code=4410, message=b"session_ended")
        return web.json_response(text=report.model_dump_json())

    async def _leave(self, request: web.Request) -> web.Response:
        held = self._held(request)
        del self.sessions[held.spec.session_id]
        self.left.append(held.spec.session_id)
        for socket in list(held.sockets):
            await socket.close(code=4409, message=b"replaced")
        return web.Response(status=204)

    async def _add_peer(self, request: web.Request) -> web.Response:
        held, offer = self._held(request), await request.read()
        if request.query["role"] == "watch":
            return self._add_viewer(held)
        if b"broken" in offer:
            raise BadSdp("no media section")
        if not held.connections and self.used >= self.capacity:
            raise AtCapacity
        peer = f"peer-{len(held.peers) + 1}"
        held.peers[peer] = []
        location = f"/internal/sessions/{held.spec.session_id}/peers/{peer}"
        return web.Response(status=201, body=ANSWER, content_type="application/sdp", headers={"Location": location})

    def _add_viewer(self, held: Held) -> web.Response:
        if not held.peers:
            raise NoPublisher
        if len(held.viewers) >= limits.MAX_VIEWERS:
            raise AtCapacity
        viewer = f"viewer-{len(held.viewers) + 1}"
        held.viewers[viewer] = []
        location = f"/internal/sessions/{held.spec.session_id}/peers/{viewer}"
        return web.Response(status=201, body=ANSWER, content_type="application/sdp", headers={"Location": location})

    async def _trickle(self, request: web.Request) -> web.Response:
        self._peer(request).append(await request.read())
        return web.Response(status=204)

    async def _remove_peer(self, request: web.Request) -> web.Response:
        self._peer(request)
        del self._peers(request)[request.match_info["peer"]]
        return web.Response(status=204)

    def _peer(self, request: web.Request) -> list[bytes]:
        try:
            return self._peers(request)[request.match_info["peer"]]
        except KeyError:
            raise NotFound("this connection is gone") from None

    def _peers(self, request: web.Request) -> dict[str, list[bytes]]:
        held = self._held(request)
        return held.viewers if request.query["role"] == "watch" else held.peers

    async def _frame(self, request: web.Request) -> web.Response:
        held = self._held(request)
        if held.frame is None:
            raise NoFrameYet
        info = FrameInfo(width=64, height=48, nails=5, confidence=0.9)
        headers = {FRAME_INFO_HEADER: info.model_dump_json()}
        return web.Response(body=held.frame, content_type=f"image/{request.query['format']}", headers=headers)

    async def _still(self, request: web.Request) -> web.Response:
        self.stills.append(self._known(StillRequest.model_validate_json(await request.read())))
        info = FrameInfo(width=64, height=48, nails=4, confidence=0.8)
        answer = StillAnswer(image=base64.b64encode(picture()), info=info)
        return web.json_response(text=answer.model_dump_json())

    async def _preview(self, request: web.Request) -> web.Response:
        self.previews.append(self._known(PreviewRequest.model_validate_json(await request.read())))
        return web.Response(body=picture(image_format="WEBP"), content_type="image/webp")

    async def _nail_set(self, request: web.Request) -> web.Response:
        self.pictures.append(NailSetRequest.model_validate_json(await request.read()).image)
        return web.json_response(text=self.shows.model_dump_json())

    def _known(self, worn: Asked) -> Asked:
        version = catalogue_version({it: own.version for it, own in self.designs.items()})
        if worn.catalogue not in (None, version):
            raise CatalogueUnknown
        if worn.nail_set is None and worn.design_id not in {*catalogue(), *self.designs}:
            raise UnknownDesign
        return worn

    async def _designs(self, _request: web.Request) -> web.Response:
        return web.json_response({str(design_id): own.version for design_id, own in self.designs.items()})

    async def _put_design(self, request: web.Request) -> web.Response:
        self.designs[int(request.match_info["design"])] = OwnDesign.model_validate_json(await request.read())
        return web.Response(status=204)

    async def _remove_design(self, request: web.Request) -> web.Response:
        del self.designs[int(request.match_info["design"])]
        return web.Response(status=204)

    async def _drain(self, request: web.Request) -> web.Response:
        self.draining = request.method == "PUT"
        return web.Response(status=204)

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(max_msg_size=8 * 2**20, compress=False, autoclose=False)
        await socket.prepare(request)
        held = self._held(request)
        held.sockets.add(socket)
        try:
            await socket.send_str(Ready(session_id=held.spec.session_id).model_dump_json())
            await self._converse(socket, held)
        except ConnectionError:
            pass
        finally:
            held.sockets.discard(socket)
        return socket

    async def _converse(self, socket: web.WebSocketResponse, held: Held) -> None:
        while True:
            message = await socket.receive()
            if message.type is WSMsgType.CLOSE:
                self.closes.append((message.data, message.extra or ""))
                await socket.close(code=message.data or 1000)
                return
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                self.closes.append((socket.close_code, ""))
                return
            await self._answer(socket, held, message.data)

    async def _answer(self, socket: web.WebSocketResponse, held: Held, data: str | bytes) -> None:
        if self.on_message is not None:
            self.on_message(socket, data)
        if isinstance(data, str):
            await self._obey(socket, data)
            return
        header, payload = framing.unpack(data)
        held.frame = payload
        held.statistics = held.statistics.model_copy(
            update={"frames_in": held.statistics.frames_in + 1, "frames_out": held.statistics.frames_out + 1}
        )
        await socket.send_bytes(framing.pack({**header, "type": "processed_frame"}, payload))

    async def _obey(self, socket: web.WebSocketResponse, text: str) -> None:
        """`close 4409 replaced` closes so; any other text is echoed."""
        words = text.split()
        if words[0] == "close":
            await socket.close(code=int(words[1]), message=" ".join(words[2:]).encode())
        else:
            await socket.send_str(text)
