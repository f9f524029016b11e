"""`/api/lan`: what a desktop's page shows for a phone in the same room to scan."""

from __future__ import annotations

from aiohttp import web

from protocol.api import LanView
from protocol.errors import NotFound
from signaling import qr
from signaling.lan import LAN
from signaling.operations import Operation
from signaling.urls import base_url
from signaling.views import json_response

_HEADERS = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}


async def show(request: web.Request) -> web.Response:
    """204, not 404, of ordinary servers: every desktop asks, and browsers report each 404 as a fault."""
    lan = request.app.get(LAN)
    if lan is None:
        return web.Response(status=204)
    view = LanView(
        url=lan.url,
        other_urls=lan.other_urls,
        fingerprint=lan.fingerprint,
        qr_svg_url=f"{base_url(request)}/api/lan/qr.svg",
    )
    return json_response(view, headers=_HEADERS)


async def qr_svg(request: web.Request) -> web.Response:
    lan = request.app.get(LAN)
    if lan is None:
        raise NotFound("this server was not started with --lan")
    return web.Response(body=qr.as_svg(lan.url), content_type="image/svg+xml", headers=_HEADERS)


OPERATIONS = (
    Operation(
        "GET",
        "/api/lan",
        show,
        "The address for phones in the same network; 204 without `--lan`",
        "operations",
        answers={200: {"application/json": LanView}, 204: None},
    ),
    Operation(
        "GET",
        "/api/lan/qr.svg",
        qr_svg,
        "That address as a QR code",
        "operations",
        answers={200: {"image/svg+xml": {"type": "string"}}},
        errors=(NotFound,),
    ),
)
