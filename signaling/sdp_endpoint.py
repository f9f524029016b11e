"""An SDP offer in, an SDP answer out: what WHIP (RFC 9725), WHEP and a session's own `webrtc_url` have in common.

    POST    {endpoint}              application/sdp                 → 201, the answer; Location is this connection
    OPTIONS {endpoint}                                              → 200, Accept-Post
    GET     {endpoint}                                              → 2xx without content: nothing is shown here (§4.1)
    PATCH   {endpoint}/{peer_id}    application/trickle-ice-sdpfrag → 204; If-Match must name the connection
    DELETE  {endpoint}/{peer_id}                                    → 200, also where it is gone already
    OPTIONS {endpoint}/{peer_id} · GET {endpoint}/{peer_id}         → 200, Accept-Patch · 204

The ETag names the connection's ICE session. It never restarts ICE: a client makes a new connection instead. The worker
does the talking; signaling finds out who asks, for which session, and which worker has it.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from contextlib import suppress

import structlog
from aiohttp import web
from multidict import CIMultiDict

from protocol import limits
from protocol.errors import (
    AtCapacity,
    BadSdp,
    Forbidden,
    LacquerError,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    RateLimited,
    RegistryUnavailable,
    Replaced,
    SessionEnded,
    SilentPeer,
    StoreUnavailable,
    TooLarge,
    Unauthorized,
    Unsupported,
    UnsupportedMediaType,
    WorkerUnavailable,
)
from protocol.internal import Role
from signaling import rates, uploads
from signaling.context import CONTEXT
from signaling.cors import is_preflight
from signaling.operations import Body, Operation
from signaling.sessions import Session
from signaling.turn import ice_links
from signaling.worker_client import PeerAnswer

SDP, FRAGMENT = "application/sdp", "application/trickle-ice-sdpfrag"

_PEER_ID = re.compile(r"[A-Za-z0-9._~-]{1,64}")
_TEXT = {"type": "string"}

log = structlog.get_logger()


class SdpEndpoint(ABC):
    """One kind of connection. The subclass knows who may make it, and how it is named."""

    role: Role
    shown: Body | None = None
    """What GET answers: nothing, of a media type where that tells a client what this is."""

    @abstractmethod
    async def session(self, request: web.Request) -> Session:
        """The session that the path names, for who may use it. Raises NotFound, Unauthorized, Forbidden."""

    @abstractmethod
    def connection_url(self, request: web.Request, peer_id: str) -> str:
        """The address of a connection below this endpoint."""

    async def connect(self, request: web.Request, session: Session, sdp: bytes) -> PeerAnswer:
        """Hands the offer to the worker that holds the session, or shall hold it."""
        context = request.app[CONTEXT]

        async def add_peer(worker: str) -> PeerAnswer:
            return await context.workers.add_peer(worker, session.session_id, sdp, self.role)

        return await context.sessions.connect(session, add_peer)

    # --- the endpoint ------------------------------------------------------------------------------------------------
    async def offer(self, request: web.Request) -> web.Response:
        session = await self._live_session(request)
        await rates.offer(request, session.session_id, self.role)
        sdp = await _read(request, SDP)
        if not sdp.startswith(b"v=0"):
            raise BadSdp("an SDP offer starts with `v=0`")
        answer = await self.connect(request, session, sdp)
        if not _PEER_ID.fullmatch(answer.peer_id):
            log.error("peer id unusable", session=session.session_id, peer=answer.peer_id)
            raise WorkerUnavailable
        headers = CIMultiDict(ice_links(request, session.session_id))
        headers["Location"] = self.connection_url(request, answer.peer_id)
        headers["ETag"] = f'"{answer.peer_id}"'
        headers["Accept-Patch"] = FRAGMENT
        return web.Response(status=201, body=answer.sdp, headers=headers, content_type=SDP)

    async def options(self, request: web.Request) -> web.Response:
        """With ICE servers for who may connect, as clients need them that cannot take them later; not for a preflight,
        where nobody shows a token (RFC 9725 §4.6)."""
        headers: CIMultiDict[str] = CIMultiDict()
        if not is_preflight(request):
            with suppress(LacquerError):
                session = await self._live_session(request)
                headers.extend(ice_links(request, session.session_id))
        headers["Allow"], headers["Accept-Post"] = "OPTIONS, GET, HEAD, POST", SDP
        return web.Response(headers=headers)

    async def show(self, request: web.Request) -> web.Response:
        """There is no representation (RFC 9725 §4.1), only an answer."""
        await self._live_session(request)
        return web.Response(status=200, content_type=next(iter(self.shown))) if self.shown else web.Response(status=204)

    # --- a connection ------------------------------------------------------------------------------------------------
    async def trickle(self, request: web.Request) -> web.Response:
        peer_id = _peer_id(request)
        session = await self._live_session(request)
        fragment = await _read(request, FRAGMENT)
        _check_if_match(request, peer_id)
        context = request.app[CONTEXT]
        worker = await context.sessions.owner(session)
        await context.workers.trickle(worker, session.session_id, peer_id, fragment, self.role)
        return web.Response(status=204)

    async def hang_up(self, request: web.Request) -> web.Response:
        """If-Match is ignored, as RFC 9725 §4.3.1 demands. One that is gone is hung up: clients may ask twice."""
        peer_id = _peer_id(request)
        session = await self._live_session(request)
        context = request.app[CONTEXT]
        with suppress(NotFound):
            worker = await context.sessions.owner(session)
            await context.workers.remove_peer(worker, session.session_id, peer_id, self.role)
        return web.Response()

    async def connection_options(self, _request: web.Request) -> web.Response:
        return web.Response(headers={"Allow": "OPTIONS, GET, HEAD, PATCH, DELETE", "Accept-Patch": FRAGMENT})

    async def show_connection(self, request: web.Request) -> web.Response:
        _peer_id(request)
        await self._live_session(request)
        return web.Response(status=204)

    async def _live_session(self, request: web.Request) -> Session:
        """Raises SessionEnded, too."""
        session = await self.session(request)
        session.check_live(request.app[CONTEXT].clock())
        return session


async def _read(request: web.Request, media_type: str) -> bytes:
    uploads.require_type(request, media_type)
    return await uploads.read_body(request, limits.MAX_SDP_SIZE)


def _peer_id(request: web.Request) -> str:
    """Raises NotFound."""
    peer_id = request.match_info["peer_id"]
    if not _PEER_ID.fullmatch(peer_id):
        raise NotFound(f"there is no connection {peer_id:.40}")
    return peer_id


def _check_if_match(request: web.Request, peer_id: str) -> None:
    """RFC 9725 §4.3.1. Raises PreconditionRequired, PreconditionFailed, or Unsupported for `*`: an ICE restart."""
    if request.if_match is None:
        raise PreconditionRequired(f'send `If-Match` with the ETag of the answer: `"{peer_id}"`')
    tags = [tag for tag in request.if_match if not tag.is_weak]  # RFC 9110 §13.1.1: by strong comparison
    if any(tag.value == "*" for tag in tags):
        raise Unsupported("`If-Match: *` asks for an ICE restart, which is not done here: connect anew instead")
    if all(tag.value != peer_id for tag in tags):
        raise PreconditionFailed


_COMMON = (NotFound, Unauthorized, Forbidden, SessionEnded, StoreUnavailable)


def operations(
    path: str,
    endpoint: SdpEndpoint,
    tag: str,
    summary: str,
    *,
    bearer: bool = False,
    errors: tuple[type[LacquerError], ...] = (AtCapacity,),
) -> tuple[Operation, ...]:
    """The rows of an endpoint at `path`, which ends with a slash. `errors` are those of its own at connecting."""
    connection = f"{path}{{peer_id}}/"
    body = (BadSdp, Unsupported, SilentPeer, TooLarge, UnsupportedMediaType, WorkerUnavailable, RegistryUnavailable)
    conditional = (PreconditionFailed, PreconditionRequired, Replaced)
    offered = ("Location", "ETag", "Accept-Patch", "Link")

    def row(method: str, at: str, handler: object, words: str, **more: object) -> Operation:
        needs = bearer and method != "OPTIONS"
        return Operation(method, at, handler, words, tag, bearer=needs, **more)  # type: ignore[arg-type]

    return (
        row("POST", path, endpoint.offer, summary, takes={SDP: _TEXT}, answers={201: {SDP: _TEXT}},
            headers=offered, errors=(*_COMMON, *body, RateLimited, *errors)),
        row("OPTIONS", path, endpoint.options, "What may be posted; the ICE servers for who may", answers={200: None},
            headers=("Accept-Post", "Link")),
        row("GET", path, endpoint.show, "Nothing: there is no representation",
            answers={200: endpoint.shown} if endpoint.shown else {204: None}, errors=_COMMON),
        row("PATCH", connection, endpoint.trickle, "Trickle ICE candidates; If-Match names the connection",
            takes={FRAGMENT: _TEXT}, answers={204: None}, errors=(*_COMMON, *body, *conditional)),
        row("DELETE", connection, endpoint.hang_up, "Hang up; the session stays", answers={200: None},
            errors=(*_COMMON, WorkerUnavailable, RegistryUnavailable)),
        row("OPTIONS", connection, endpoint.connection_options, "What may be patched", answers={200: None},
            headers=("Accept-Patch",)),
        row("GET", connection, endpoint.show_connection, "Nothing: there is no representation", answers={204: None},
            errors=_COMMON),
    )  # fmt: skip
