"""`webrtc_url`: an SDP offer in, an SDP answer out, shaped like WHIP (RFC 9725). The worker does the talking.

    POST   {webrtc_url}             application/sdp                 → 201, the answer; Location is this connection
    PATCH  {webrtc_url}{peer_id}/   application/trickle-ice-sdpfrag → 204
    DELETE {webrtc_url}{peer_id}/                                   → 204

The ETag names the connection. A connection never restarts ICE: a client makes a new one to the same session.
"""

from __future__ import annotations

import re

import structlog
from aiohttp import web

from protocol import limits
from protocol.errors import (
    AtCapacity,
    BadSdp,
    NotFound,
    PreconditionFailed,
    RateLimited,
    RegistryUnavailable,
    Replaced,
    SessionEnded,
    SilentPeer,
    StoreUnavailable,
    TooLarge,
    UnsupportedMediaType,
    WorkerUnavailable,
)
from signaling import rates, uploads
from signaling.context import CONTEXT
from signaling.operations import Operation
from signaling.turn import ice_links
from signaling.urls import API, webrtc_url
from signaling.worker_client import PeerAnswer

SDP, FRAGMENT = "application/sdp", "application/trickle-ice-sdpfrag"

_PEER_ID = re.compile(r"[A-Za-z0-9._~-]{1,64}")

log = structlog.get_logger()


async def offer(request: web.Request) -> web.Response:
    sdp = await _read(request, SDP)
    if not sdp.startswith(b"v=0"):
        raise BadSdp("an SDP offer starts with `v=0`")
    context = request.app[CONTEXT]
    session = await context.sessions.find_live(request.match_info["session_id"])
    await rates.offer(request, session.session_id)

    async def add_peer(worker: str) -> PeerAnswer:
        return await context.workers.add_peer(worker, session.session_id, sdp)

    answer = await context.sessions.connect(session, add_peer)
    if not _PEER_ID.fullmatch(answer.peer_id):
        log.error("peer id unusable", session=session.session_id, peer=answer.peer_id)
        raise WorkerUnavailable
    headers = {
        "Location": f"{webrtc_url(request, session.session_id)}{answer.peer_id}/",
        "ETag": f'"{answer.peer_id}"',
        "Accept-Patch": FRAGMENT,
    }
    response = web.Response(status=201, body=answer.sdp, headers=headers, content_type=SDP)
    response.headers.extend(ice_links(request, session.session_id))
    return response


async def trickle(request: web.Request) -> web.Response:
    fragment = await _read(request, FRAGMENT)
    worker, session_id, peer_id = await _connection(request)
    await request.app[CONTEXT].workers.trickle(worker, session_id, peer_id, fragment)
    return web.Response(status=204)


async def hang_up(request: web.Request) -> web.Response:
    worker, session_id, peer_id = await _connection(request)
    await request.app[CONTEXT].workers.remove_peer(worker, session_id, peer_id)
    return web.Response(status=204)


async def endpoint_options(_request: web.Request) -> web.Response:
    return web.Response(status=204, headers={"Allow": "OPTIONS, POST", "Accept-Post": SDP})


async def connection_options(_request: web.Request) -> web.Response:
    return web.Response(status=204, headers={"Allow": "OPTIONS, PATCH, DELETE", "Accept-Patch": FRAGMENT})


async def _read(request: web.Request, media_type: str) -> bytes:
    uploads.require_type(request, media_type)
    return await uploads.read_body(request, limits.MAX_SDP_SIZE)


async def _connection(request: web.Request) -> tuple[str, str, str]:
    """(worker, session, peer) of the connection in the path. Raises NotFound, SessionEnded, PreconditionFailed."""
    peer_id = request.match_info["peer_id"]
    sessions = request.app[CONTEXT].sessions
    session = await sessions.find_live(request.match_info["session_id"])
    worker = await sessions.owner(session)
    if not _PEER_ID.fullmatch(peer_id):
        raise NotFound(f"there is no connection {peer_id:.40}")
    if request.if_match is not None and not any(tag.value in (peer_id, "*") for tag in request.if_match):
        raise PreconditionFailed
    return worker, session.session_id, peer_id


_ENDPOINT = f"{API}/sessions/{{session_id}}/webrtc/"
_CONNECTION = f"{_ENDPOINT}{{peer_id}}/"
_TEXT = {"type": "string"}

OPERATIONS = (
    Operation(
        "POST",
        _ENDPOINT,
        offer,
        "Connect: SDP offer in, SDP answer out (WHIP-shaped)",
        "webrtc",
        takes={SDP: _TEXT},
        answers={201: {SDP: _TEXT}},
        headers=("Location", "ETag", "Accept-Patch", "Link"),
        errors=(
            BadSdp,
            NotFound,
            SilentPeer,
            SessionEnded,
            TooLarge,
            UnsupportedMediaType,
            RateLimited,
            AtCapacity,
            StoreUnavailable,
            WorkerUnavailable,
            RegistryUnavailable,
        ),
    ),
    Operation(
        "OPTIONS",
        _ENDPOINT,
        endpoint_options,
        "What may be posted",
        "webrtc",
        answers={204: None},
        headers=("Accept-Post",),
    ),
    Operation(
        "PATCH",
        _CONNECTION,
        trickle,
        "Trickle ICE candidates; If-Match is honoured",
        "webrtc",
        takes={FRAGMENT: _TEXT},
        answers={204: None},
        errors=(
            BadSdp,
            NotFound,
            SilentPeer,
            Replaced,
            SessionEnded,
            PreconditionFailed,
            TooLarge,
            UnsupportedMediaType,
            StoreUnavailable,
            WorkerUnavailable,
            RegistryUnavailable,
        ),
    ),
    Operation(
        "DELETE",
        _CONNECTION,
        hang_up,
        "Hang up; the session stays. If-Match is honoured",
        "webrtc",
        answers={204: None},
        errors=(NotFound, SessionEnded, PreconditionFailed, StoreUnavailable, WorkerUnavailable, RegistryUnavailable),
    ),
    Operation(
        "OPTIONS",
        _CONNECTION,
        connection_options,
        "What may be patched",
        "webrtc",
        answers={204: None},
        headers=("Accept-Patch",),
    ),
)
