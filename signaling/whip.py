"""`/whip/{session_id}`: video one way, from OBS, GStreamer or any other WHIP client (RFC 9725)."""

from __future__ import annotations

from aiohttp import web

from protocol.internal import Role
from signaling.auth import require_speaker
from signaling.context import CONTEXT
from signaling.sdp_endpoint import SdpEndpoint, operations
from signaling.sessions import Session
from signaling.urls import whip_url


class Whip(SdpEndpoint):
    role = Role.PUBLISH

    async def session(self, request: web.Request) -> Session:
        session = await request.app[CONTEXT].sessions.find(request.match_info["session_id"])
        require_speaker(request, session)
        return session

    def connection_url(self, request: web.Request, peer_id: str) -> str:
        return f"{whip_url(request, request.match_info['session_id'].lower())}/{peer_id}"


OPERATIONS = operations(
    "/whip/{session_id}/", Whip(), "whip", "Publish video one way (WHIP); the session's token", bearer=True
)
