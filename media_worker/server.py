"""The worker's internal HTTP API: see protocol/internal.py for its operations.

Handlers only translate between HTTP and `Sessions`, `Peer` and `SocketConnection`; the rules live there. What is done
with single pictures is in `picture_api`.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import prometheus_client
import psutil
import structlog
from aiohttp import web

from media_worker import associations, codecs, datagrams, dtls_ciphers, receiving, sending, stage_times
from media_worker.admission import Sessions
from media_worker.bodies import json_response, read_model
from media_worker.ice import IceOptions
from media_worker.measures import DRAINING, LOOP_LAG, SLOTS, SLOTS_USED, TASKS
from media_worker.memory_left import MemoryWatch
from media_worker.observed import observed
from media_worker.peer import Peer
from media_worker.picture_api import PictureApi
from media_worker.publisher import Publisher
from media_worker.session import Session
from media_worker.settings import WorkerSettings
from media_worker.shelf import Shelf
from media_worker.socket_connection import MAX_MESSAGE_SIZE, SocketConnection, refuse
from media_worker.viewer import Viewer
from protocol import limits, tracing
from protocol.api import Problem
from protocol.errors import (
    BadRequest,
    BadSdp,
    LacquerError,
    NotFound,
    TooLarge,
    Unauthorized,
    UnsupportedMediaType,
)
from protocol.internal import FRAME_INFO_HEADER, OwnDesign, Role, SessionSpec, WorkerHealth
from protocol.loop_lag import LoopLag
from protocol.messages import ImageFormat

log = structlog.get_logger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

MAX_BODY_SIZE = 2 * limits.MAX_UPLOAD_SIZE
"""A picture to paint as base64 fits, normalised by signaling, and the set of nails that it shall wear."""


PEERS: dict[Role, type[Peer]] = {Role.TWO_WAY: Peer, Role.PUBLISH: Publisher, Role.WATCH: Viewer}


class WorkerApi:
    """Routes and their handlers. One instance serves one worker process."""

    def __init__(self, settings: WorkerSettings, model_path: Path) -> None:
        self.settings = settings
        self.ice = IceOptions.of(settings)
        self.model_path = model_path
        self.shelf = Shelf()
        self.memory = MemoryWatch(settings.memory_reserve)
        self.sessions = Sessions(settings.worker_capacity, model_path, self.shelf, self.memory)
        self.pictures = PictureApi(self.shelf, model_path)
        self.lag = LoopLag(LOOP_LAG.set)

    def app(self) -> web.Application:
        app = web.Application(client_max_size=MAX_BODY_SIZE, middlewares=[observed, problems, self.authorise])
        app.cleanup_ctx.append(self._background)
        session = "/internal/sessions/{session_id}"
        app.add_routes(
            [
                web.get("/health", self.health),
                web.get("/metrics", self.metrics),
                web.get("/internal/sessions", self.list_sessions),
                web.put(session, self.open_session),
                web.delete(session, self.end_session),
                web.post(f"{session}/leave", self.leave_session),
                web.post(f"{session}/peers", self.open_peer),
                web.patch(f"{session}/peers/{{peer_id}}", self.trickle),
                web.delete(f"{session}/peers/{{peer_id}}", self.close_peer),
                web.get(f"{session}/frame", self.frame),
                *self.pictures.routes(),
                web.get("/internal/designs", self.list_designs),
                web.put("/internal/designs/{design_id}", self.put_design),
                web.delete("/internal/designs/{design_id}", self.remove_design),
                web.put("/internal/drain", self.drain),
                web.delete("/internal/drain", self.undrain),
                web.get("/ws/tryon/{session_id}", self.socket),
                web.get("/ws/tryon/{session_id}/", self.socket),
            ]
        )
        return app

    async def _background(self, app: web.Application) -> AsyncIterator[None]:
        associations.install()
        codecs.install()
        datagrams.install()
        dtls_ciphers.install()
        receiving.install()
        sending.install()
        stage_times.install()
        jobs = (self.sessions.sweep(), self.lag.measure(), self.memory.measure())
        tasks = [asyncio.create_task(job) for job in jobs]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.sessions.drain(within=0)
        await self.pictures.close()

    @web.middleware
    async def authorise(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Everything but health and metrics needs the worker's secret, where it has one."""
        secret = self.settings.worker_secret
        if secret is not None and request.path not in ("/health", "/metrics"):
            # as sent: aiohttp hides bytes that are no UTF-8 in surrogates
            presented = request.headers.get("Authorization", "").encode(errors="surrogateescape")
            if not hmac.compare_digest(presented, f"Bearer {secret}".encode()):
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
            region=self.settings.region,
        )
        return json_response(health)

    async def metrics(self, request: web.Request) -> web.Response:
        SLOTS.set(self.sessions.capacity)
        SLOTS_USED.set(self.sessions.used)
        DRAINING.set(self.sessions.draining)
        TASKS.set(len(asyncio.all_tasks()))
        # In a thread: some of it is read from files.
        body = await asyncio.to_thread(prometheus_client.generate_latest)
        return web.Response(body=body, headers={"Content-Type": prometheus_client.CONTENT_TYPE_LATEST})

    async def list_sessions(self, request: web.Request) -> web.Response:
        return web.json_response([report.model_dump(mode="json") for report in self.sessions.reports()])

    async def drain(self, request: web.Request) -> web.Response:
        log.info("worker drains", worker=self.settings.worker_id, within_s=self.settings.drain_seconds)
        self.sessions.start_drain(self.settings.drain_seconds)
        return web.Response(status=204)

    async def undrain(self, request: web.Request) -> web.Response:
        await self.sessions.end_drain()
        log.info("worker takes people in again", worker=self.settings.worker_id)
        return web.Response(status=204)

    # --- sessions --------------------------------------------------------------------------------------------------
    async def open_session(self, request: web.Request) -> web.Response:
        spec = await read_model(request, SessionSpec)
        if spec.session_id != request.match_info["session_id"]:
            raise BadRequest("the session id in the path is not the one in the body")
        known = spec.session_id in self.sessions
        self.sessions.open(spec)
        return web.Response(status=204 if known else 201)

    async def end_session(self, request: web.Request) -> web.Response:
        reason = request.query.get("reason", "ended")[:64]
        return json_response(await self.sessions.end(request.match_info["session_id"], reason))

    async def leave_session(self, request: web.Request) -> web.Response:
        await self.sessions.leave(request.match_info["session_id"])
        return web.Response(status=204)

    async def frame(self, request: web.Request) -> web.Response:
        try:
            image_format = ImageFormat(request.query.get("format", "jpeg"))
        except ValueError:
            raise BadRequest(f"format must be one of {', '.join(ImageFormat)}") from None
        session = self._session(request)
        with tracing.span("capture", session.id):
            image, info = await session.capture(image_format)
        return web.Response(
            body=image,
            content_type=f"image/{image_format}",
            headers={FRAME_INFO_HEADER: info.model_dump_json()},
        )

    # --- WebRTC ----------------------------------------------------------------------------------------------------
    async def open_peer(self, request: web.Request) -> web.Response:
        session, role = self._session(request), _role(request)
        if request.content_type != "application/sdp":
            raise UnsupportedMediaType("an offer is sent as application/sdp")
        offer = await _sdp(request)
        if role is Role.WATCH:
            self.sessions.admit_viewer()
        else:
            self.sessions.admit(session)
        peer = PEERS[role](session, self.ice)
        with tracing.span("answer offer", session.id):
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
        socket = web.WebSocketResponse(max_msg_size=MAX_MESSAGE_SIZE, compress=False, autoping=False)
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

    # --- own designs -----------------------------------------------------------------------------------------------
    async def list_designs(self, request: web.Request) -> web.Response:
        return web.json_response(self.shelf.versions())

    async def put_design(self, request: web.Request) -> web.Response:
        own = await read_model(request, OwnDesign)
        if own.design.id != _design_id(request):
            raise BadRequest("the design's id in the path is not the one in the body")
        self.shelf.put(own)
        return web.Response(status=204)

    async def remove_design(self, request: web.Request) -> web.Response:
        self.shelf.remove(_design_id(request))
        return web.Response(status=204)

    # --- look-ups --------------------------------------------------------------------------------------------------
    def _session(self, request: web.Request) -> Session:
        return self.sessions.get(request.match_info["session_id"])

    def _peer(self, request: web.Request) -> Peer:
        session, role, peer_id = self._session(request), _role(request), request.match_info["peer_id"]
        peer = session.viewers.find(peer_id) if role is Role.WATCH else session.connection(peer_id)
        if not isinstance(peer, Peer) or peer.role is not role:
            raise NotFound("this connection is gone")
        return peer


def _role(request: web.Request) -> Role:
    """What the peer in question is there for. Raises BadRequest."""
    try:
        return Role(request.query.get("role", Role.TWO_WAY))
    except ValueError:
        raise BadRequest(f"role must be one of {', '.join(Role)}") from None


def _design_id(request: web.Request) -> int:
    """Raises NotFound."""
    try:
        return int(request.match_info["design_id"])
    except ValueError:
        raise NotFound("a design's id is a number") from None


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every refusal leaves as an RFC 9457 problem document."""
    try:
        return await handler(request)
    except LacquerError as error:
        return _problem(error)
    except web.HTTPRequestEntityTooLarge as error:
        return _problem(TooLarge(error.text or ""))
    except web.HTTPException:
        raise
    except Exception:
        log.exception("request failed", path=request.path)
        return _problem(LacquerError())


def _problem(error: LacquerError) -> web.Response:
    problem = Problem(title=error.title, status=error.status, detail=error.message, code=error.code)
    retry_after = error.retry_after or (limits.RETRY_AFTER if error.status == 503 else None)
    headers = {"Retry-After": str(retry_after)} if retry_after else None
    return web.Response(
        text=problem.model_dump_json(),
        status=error.status,
        content_type="application/problem+json",
        headers=headers,
    )


async def _sdp(request: web.Request) -> str:
    """Offers and fragments are UTF-8 (RFC 8866 §5). Raises BadSdp."""
    try:
        return (await request.read()).decode()
    except UnicodeDecodeError as error:
        raise BadSdp(f"the body is not UTF-8: {error}") from error
