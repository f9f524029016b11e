"""`/whep/{watched}`: the processed picture, for who only watches (draft-ietf-wish-whep).

`watched` is a session's id, with the session's token as bearer token, or a watch id (`watch_ids.py`), which needs none.
A viewer goes where the session is and never moves it: without a publisher it is told to come back (409, Retry-After).
"""

from __future__ import annotations

from aiohttp import web

from protocol.errors import AtCapacity, NoPublisher, NotFound
from protocol.internal import Role
from signaling.auth import TOKENS, require_speaker
from signaling.context import CONTEXT
from signaling.sdp_endpoint import SDP, SdpEndpoint, operations
from signaling.sessions import Session, is_id
from signaling.urls import whep_url
from signaling.worker_client import PeerAnswer


class Whep(SdpEndpoint):
    role = Role.WATCH
    shown = {SDP: {"type": "string"}}  # noqa: RUF012  # by which players know this address for WHEP

    async def session(self, request: web.Request) -> Session:
        sessions, watched = request.app[CONTEXT].sessions, request.match_info["watched"]
        if is_id(watched):
            session = await sessions.find(watched)
            require_speaker(request, session)
            return session
        session_id = request.app[TOKENS].watch_ids.session_id(watched)
        try:
            return await sessions.find(session_id or "")
        except NotFound:
            raise NotFound(f"there is nothing to watch at {watched:.40}") from None

    def connection_url(self, request: web.Request, peer_id: str) -> str:
        return f"{whep_url(request, request.match_info['watched'])}/{peer_id}"

    async def connect(self, request: web.Request, session: Session, sdp: bytes) -> PeerAnswer:
        context = request.app[CONTEXT]
        try:
            worker = await context.sessions.owner(session)
            return await context.workers.add_peer(worker, session.session_id, sdp, self.role)
        except NotFound:  # no worker holds it, or the one that did has forgotten it
            raise NoPublisher from None


OPERATIONS = operations(
    "/whep/{watched}/", Whep(), "whep", "Watch the processed picture (WHEP)", errors=(NoPublisher, AtCapacity)
)
