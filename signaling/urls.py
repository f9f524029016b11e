"""Absolute links to ourselves, as the asker can use them."""

from __future__ import annotations

import re

from aiohttp import web

from protocol.errors import BadRequest
from signaling.settings import SETTINGS

API = "/api/try-on"

ROOTS = ("/api/", "/whip/", "/whep/")
"""What programs and other origins' pages call, beside the WebSocket; everything else belongs to our own page."""

_HOST = re.compile(r"[A-Za-z0-9._-]+(:\d+)?|\[[0-9A-Fa-f:.]+\](:\d+)?")


def base_url(request: web.Request) -> str:
    """Scheme and host: the configured public URL, else what this request itself was sent to. Raises BadRequest."""
    if public := request.app[SETTINGS].public_url:
        return public
    if not _HOST.fullmatch(request.host):
        raise BadRequest(f"the Host header {request.host!r:.80} names no host")
    return f"{request.scheme}://{request.host}"


def session_url(request: web.Request, session_id: str) -> str:
    return f"{base_url(request)}{API}/sessions/{session_id}/"


def webrtc_url(request: web.Request, session_id: str) -> str:
    return f"{session_url(request, session_id)}webrtc/"


def whip_url(request: web.Request, session_id: str) -> str:
    return f"{base_url(request)}/whip/{session_id}"


def whep_url(request: web.Request, watched: str) -> str:
    """`watched` is a session's id, or the watch id that stands for it."""
    return f"{base_url(request)}/whep/{watched}"


def session_design_url(request: web.Request, session_id: str) -> str:
    """What an upload session wears: its nails, a thumbnail and a preview lie below."""
    return f"{session_url(request, session_id)}design/"


def ws_url(request: web.Request, session_id: str) -> str:
    return f"{base_url(request).replace('http', 'ws', 1)}/ws/tryon/{session_id}/"


def result_url(request: web.Request, result_id: str) -> str:
    return f"{base_url(request)}{API}/results/{result_id}/"


def design_url(request: web.Request, design_id: int) -> str:
    return f"{base_url(request)}{API}/designs/{design_id}/"
