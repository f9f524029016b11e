"""The worker's internal HTTP API: see protocol/internal.py for its operations.

Handlers only translate between HTTP and `Sessions`, `Peer` and `SocketConnection`; the rules live there.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import prometheus_client
import psutil
import structlog
from aiohttp import web
from pydantic import BaseModel, ValidationError

from media_worker import codecs, images
from media_worker.admission import Sessions
from media_worker.loop_lag import LoopLag
from media_worker.peer import Peer
from media_worker.pipeline import Processed, try_on_still
from media_worker.polish.looks import Look
from media_worker.polish.thumbnail import thumbnail
from media_worker.session import Session
from media_worker.settings import WorkerSettings
from media_worker.socket_connection import MAX_MESSAGE_SIZE, SocketConnection, refuse
from media_worker.wardrobe import Wardrobe
from protocol import designs, limits
from protocol.api import Problem
from protocol.errors import (
    BadRequest,
    BadSdp,
    LacquerError,
    NotFound,
    Unauthorized,
    UnsupportedMediaType,
    VisionFailed,
)
from protocol.internal import FRAME_INFO_HEADER, FrameInfo, SessionSpec, StillAnswer, StillRequest, WorkerHealth
from protocol.messages import Config, ImageFormat, explain

log = structlog.get_logger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
M = TypeVar("M", bound=BaseModel)

MAX_BODY_SIZE = 2 * limits.MAX_UPLOAD_SIZE
"""Two uploads as base64 fit: the picture to paint and the design's reference, both normalised by signaling."""


class WorkerApi:
    """Routes and their handlers. One instance serves one worker process."""

    def __init__(self, settings: WorkerSettings, model_path: Path) -> None:
        self.settings = settings
        self.model_path = model_path
        self.sessions = Sessions(settings.worker_capacity, model_path)
        self.lag = LoopLag()
        self._still_slot = asyncio.Lock()  # a still is heavy; live streams come first

    def app(self) -> web.Application:
        app = web.Application(client_max_size=MAX_BODY_SIZE, middlewares=[problems, self.authorise])
        app.cleanup_ctx.append(self._background)
        session = "/internal/sessions/{session_id}"
        app.add_routes(
            [
                web.get("/health", self.health),
                web.get("/metrics", metrics),
                web.get("/internal/sessions", self.list_sessions),
                web.put(session, self.open_session),
                web.delete(session, self.end_session),
                web.post(f"{session}/peers", self.open_peer),
                web.patch(f"{session}/peers/{{peer_id}}", self.trickle),
                web.delete(f"{session}/peers/{{peer_id}}", self.close_peer),
                web.get(f"{session}/frame", self.frame),
                web.post("/internal/stills", self.still),
                web.get("/internal/designs/{design_id}/thumbnail", self.thumbnail),
                web.get("/ws/tryon/{session_id}", self.socket),
                web.get("/ws/tryon/{session_id}/", self.socket),
            ]
        )
        return app

    async def _background(self, app: web.Application) -> AsyncIterator[None]:
        codecs.install()
        tasks = [asyncio.create_task(self.sessions.sweep()), asyncio.create_task(self.lag.measure())]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.sessions.drain(within=0)

    @web.middleware
    async def authorise(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Everything but health and metrics needs the worker's secret, where it has one."""
        secret = self.settings.worker_secret
        if secret is not None and request.path not in ("/health", "/metrics"):
            presented = request.headers.get("Authorization", "")
            if not hmac.compare_digest(presented.encode(), f"Bearer {secret}".encode()):
                raise Unauthorized("the worker's secret is missing or wrong")
        return await handler(request)

    # --- about the worker ------------------------------------------------------------------------------------------
    async def health(self, request: web.Request) -> web.Response:
        health = WorkerHealth(
            status="draining" if self.sessions.draining else "ok",
            worker_id=self.settings.worker_id,
            capacity=self.sessions.capacity,
            used=self.sessions.used,
            loop_lag_ms=round(self.lag.recent_ms, 1),
            memory_mb=round(psutil.Process().memory_info().rss / 2**20, 1),
        )
        return _json(health)

    async def list_sessions(self, request: web.Request) -> web.Response:
        return web.json_response([report.model_dump(mode="json") for report in self.sessions.reports()])

    # --- sessions --------------------------------------------------------------------------------------------------
    async def open_session(self, request: web.Request) -> web.Response:
        spec = await _body(request, SessionSpec)
        if spec.session_id != request.match_info["session_id"]:
            raise BadRequest("the session id in the path is not the one in the body")
        if spec.design_id is not None:
            designs.find(spec.design_id)
        self.sessions.open(spec)
        return web.Response(status=204)

    async def end_session(self, request: web.Request) -> web.Response:
        reason = request.query.get("reason", "ended")[:64]
        return _json(await self.sessions.end(request.match_info["session_id"], reason))

    async def frame(self, request: web.Request) -> web.Response:
        try:
            image_format = ImageFormat(request.query.get("format", "jpeg"))
        except ValueError:
            raise BadRequest(f"format must be one of {', '.join(ImageFormat)}") from None
        image, info = await self._session(request).capture(image_format)
        return web.Response(
            body=image,
            content_type=f"image/{image_format}",
            headers={FRAME_INFO_HEADER: info.model_dump_json()},
        )

    # --- WebRTC ----------------------------------------------------------------------------------------------------
    async def open_peer(self, request: web.Request) -> web.Response:
        session = self._session(request)
        if request.content_type != "application/sdp":
            raise UnsupportedMediaType("an offer is sent as application/sdp")
        offer = await _sdp(request)
        self.sessions.admit(session)
        peer = Peer(session, self.settings.ice_servers)
        answer = await peer.answer(offer)
        location = f"/internal/sessions/{session.id}/peers/{peer.id}"
        return web.Response(status=201, text=answer, content_type="application/sdp", headers={"Location": location})

    async def trickle(self, request: web.Request) -> web.Response:
        if request.content_type != "application/trickle-ice-sdpfrag":
            raise UnsupportedMediaType("candidates are sent as application/trickle-ice-sdpfrag")
        await self._peer(request).add_candidates(await _sdp(request))
        return web.Response(status=204)

    async def close_peer(self, request: web.Request) -> web.Response:
        await self._peer(request).close(None)
        return web.Response(status=204)

    # --- WebSocket -------------------------------------------------------------------------------------------------
    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=MAX_MESSAGE_SIZE, compress=False)
        await socket.prepare(request)
        try:
            session = self._session_for_socket(request.match_info["session_id"])
            self.sessions.admit(session)
            await SocketConnection(session, socket).run()
        except LacquerError as error:
            await refuse(socket, error)
        return socket

    def _session_for_socket(self, session_id: str) -> Session:
        """A worker without a secret is run by itself, for one developer: it takes any session id."""
        with suppress(NotFound):
            return self.sessions.get(session_id)
        if self.settings.worker_secret is not None:
            raise NotFound(f"session {session_id:.40} is not on this worker")
        expires_at = time.time() + limits.SESSION_LIFETIME
        return self.sessions.open(SessionSpec(session_id=session_id, design_id=1, expires_at=expires_at))

    # --- pictures --------------------------------------------------------------------------------------------------
    async def still(self, request: web.Request) -> web.Response:
        asked = await _body(request, StillRequest)
        async with self._still_slot:
            processed = await asyncio.to_thread(self._try_on, asked)
            image = await asyncio.to_thread(images.encode, processed.image, asked.format)
        height, width = processed.image.shape[:2]
        info = FrameInfo(
            width=width, height=height, nails=len(processed.nails), confidence=round(processed.confidence, 3)
        )
        return _json(StillAnswer(image=b64encode(image), info=info))

    def _try_on(self, asked: StillRequest) -> Processed:
        look = Wardrobe(asked.design_id, asked.reference, self.model_path).look(Config())
        rgb = images.decode(asked.image, max_pixels=limits.MAX_UPLOAD_PIXELS)
        try:
            return try_on_still(self.model_path, rgb, look)
        except LacquerError:
            raise
        except Exception as error:  # as in `Engine.run`: vision may stumble over anything in a picture
            log.error("vision failed on a still", size=rgb.shape[:2], exc_info=error)
            raise VisionFailed("no nails can be found on this picture") from error

    async def thumbnail(self, request: web.Request) -> web.Response:
        try:
            design_id = int(request.match_info["design_id"])
        except ValueError:
            raise NotFound("a design id is a number") from None
        designs.find(design_id)
        return web.Response(body=await asyncio.to_thread(_thumbnail, design_id), content_type="image/webp")

    # --- look-ups --------------------------------------------------------------------------------------------------
    def _session(self, request: web.Request) -> Session:
        return self.sessions.get(request.match_info["session_id"])

    def _peer(self, request: web.Request) -> Peer:
        peer = self._session(request).connection(request.match_info["peer_id"])
        if not isinstance(peer, Peer):
            raise NotFound("this connection is gone")
        return peer


@lru_cache(maxsize=256)
def _thumbnail(design_id: int) -> bytes:
    return images.encode(thumbnail(Look.of(designs.find(design_id))), ImageFormat.WEBP)


async def metrics(request: web.Request) -> web.Response:
    return web.Response(
        body=prometheus_client.generate_latest(), headers={"Content-Type": prometheus_client.CONTENT_TYPE_LATEST}
    )


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every refusal leaves as an RFC 9457 problem document."""
    try:
        return await handler(request)
    except LacquerError as error:
        return _problem(error)
    except web.HTTPRequestEntityTooLarge as error:
        return _problem(BadRequest(error.reason))
    except web.HTTPException:
        raise
    except Exception:
        log.exception("request failed", path=request.path)
        return _problem(LacquerError())


def _problem(error: LacquerError) -> web.Response:
    problem = Problem(title=error.title, status=error.status, detail=error.message, code=error.code)
    headers = {"Retry-After": str(error.retry_after or limits.RETRY_AFTER)} if error.status == 503 else None
    return web.Response(
        text=problem.model_dump_json(), status=error.status, content_type="application/problem+json", headers=headers
    )


async def _sdp(request: web.Request) -> str:
    """Offers and fragments are UTF-8 (RFC 8866 §5). Raises BadSdp."""
    try:
        return (await request.read()).decode()
    except UnicodeDecodeError as error:
        raise BadSdp(f"the body is not UTF-8: {error}") from error


async def _body(request: web.Request, model: type[M]) -> M:
    try:
        return model.model_validate_json(await request.read())
    except ValidationError as error:
        raise BadRequest(explain(error)) from error


def _json(model: BaseModel) -> web.Response:
    return web.json_response(text=model.model_dump_json())
