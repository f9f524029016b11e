"""`/api/try-on/designs/…`: the catalogue, with thumbnails drawn by a worker, and `/api/try-on/ice-servers/`."""

from __future__ import annotations

import hashlib

from aiohttp import web

from protocol import designs
from protocol.api import DesignView, IceServer
from protocol.errors import UnknownDesign, WorkerUnavailable
from signaling import views
from signaling.context import CONTEXT
from signaling.image_response import PUBLIC, image_response
from signaling.operations import IMAGE, Operation
from signaling.settings import SETTINGS
from signaling.urls import API

Thumbnails = dict[int, tuple[bytes, str]]
"""(image, content type) by design: at most one entry for each of the catalogue, a few kilobytes each."""

THUMBNAILS = web.AppKey("thumbnails", Thumbnails)


async def list_all(request: web.Request) -> web.Response:
    return views.json_list([views.design(request, entry) for entry in designs.catalogue().values()])


async def show(request: web.Request) -> web.Response:
    return views.json_response(views.design(request, designs.find(_design_id(request))))


async def thumbnail(request: web.Request) -> web.Response:
    design, kept = designs.find(_design_id(request)), request.app[THUMBNAILS]
    if design.id not in kept:
        context = request.app[CONTEXT]
        kept[design.id] = await context.workers.thumbnail(await context.router.any_worker(), design.id)
    data, content_type = kept[design.id]
    tag = hashlib.sha256(data).hexdigest()[:32]
    return image_response(request, data, content_type, tag=tag, cache=PUBLIC)


async def ice_servers(request: web.Request) -> web.Response:
    return views.json_list(request.app[SETTINGS].ice_servers)


def _design_id(request: web.Request) -> int:
    text = request.match_info["design_id"]
    if not text.isdecimal() or len(text) > 9:
        raise UnknownDesign(f"a design's id is a number, not {text!r:.40}")
    return int(text)


_DESIGNS = f"{API}/designs/"

OPERATIONS = (
    Operation(
        "GET",
        _DESIGNS,
        list_all,
        "Every design of the catalogue; an id is also a post_id",
        "designs",
        answers={200: {"application/json": list[DesignView]}},
    ),
    Operation(
        "GET",
        f"{_DESIGNS}{{design_id}}/",
        show,
        "One design",
        "designs",
        answers={200: {"application/json": DesignView}},
        errors=(UnknownDesign,),
    ),
    Operation(
        "GET",
        f"{_DESIGNS}{{design_id}}/thumbnail",
        thumbnail,
        "A nail that wears the design",
        "designs",
        answers={200: IMAGE, 304: None},
        errors=(UnknownDesign, WorkerUnavailable),
    ),
    Operation(
        "GET",
        f"{API}/ice-servers/",
        ice_servers,
        "STUN and TURN servers, as RTCPeerConnection takes them",
        "webrtc",
        answers={200: {"application/json": list[IceServer]}},
    ),
)
