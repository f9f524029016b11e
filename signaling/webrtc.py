"""`webrtc_url`: a camera and a data channel up, the processed picture down. Who knows the session's id may connect."""

from __future__ import annotations

from aiohttp import web

from protocol.internal import Role
from signaling.context import CONTEXT
from signaling.sdp_endpoint import SdpEndpoint, operations
from signaling.sessions import Session
from signaling.urls import API, webrtc_url


class TwoWay(SdpEndpoint):
    role = Role.TWO_WAY

    async def session(self, request: web.Request) -> Session:
        return await request.app[CONTEXT].sessions.find(request.match_info["session_id"])

    def connection_url(self, request: web.Request, peer_id: str) -> str:
        return f"{webrtc_url(request, request.match_info['session_id'].lower())}{peer_id}/"


OPERATIONS = operations(
    f"{API}/sessions/{{session_id}}/webrtc/",
    TwoWay(),
    "webrtc",
    "Connect both ways: SDP offer in, SDP answer out (by the rules of WHIP)",
)
