"""`/api/try-on/designs/…`: what there is to wear, drawn by a worker, and `/api/try-on/ice-servers/`."""

from __future__ import annotations

from aiohttp import web

from protocol.api import DesignView, IceServer
from protocol.designs import Design
from protocol.errors import AtCapacity, RateLimited, Unauthorized, UnknownDesign, UnknownNail, WorkerUnavailable
from protocol.internal import View, Worn
from signaling import rates, turn, views
from signaling.context import CONTEXT
from signaling.image_response import CHANGING, PUBLIC, image_response
from signaling.nail_sets import nail_picture
from signaling.operations import IMAGE, Operation
from signaling.urls import API


async def list_all(request: web.Request) -> web.Response:
    listed = [views.design(request, entry) for entry in request.app[CONTEXT].collection.all()]
    answer = views.json_list(listed, headers=views.FOR_ALL)
    answer.headers["Vary"] = "Accept-Encoding"
    answer.enable_compression()  # 40 kB otherwise, and the page's first sight waits for it
    return answer


async def show(request: web.Request) -> web.Response:
    return views.json_response(await views.design_in_full(request, find(request)), headers=views.FOR_ALL)


async def thumbnail(request: web.Request) -> web.Response:
    return await _drawn(request, View.FINGER)


async def preview(request: web.Request) -> web.Response:
    return await _drawn(request, View.HAND)


async def _drawn(request: web.Request, view: View) -> web.Response:
    design, context = find(request), request.app[CONTEXT]
    worn = Worn(design_id=design.id)
    if not context.workshop.has_preview(worn, view):
        await rates.preview(request)
    drawn = await context.workshop.preview(worn, view)
    # A shop may change its own designs at any time.
    cache = CHANGING if context.collection.own(design.id) else PUBLIC
    return image_response(request, drawn.image, drawn.content_type, cache=cache)


async def nail(request: web.Request) -> web.Response:
    collection = request.app[CONTEXT].collection
    own = collection.own(find(request).id)
    nail_set = await collection.nail_set(own) if own else None
    if nail_set is None:
        raise UnknownNail("this design was not taken from a picture")
    picture = nail_picture(nail_set, request.match_info["nail"])
    return image_response(request, picture, "image/png", cache=CHANGING)


def find(request: web.Request) -> Design:
    """The design that the path names. Raises UnknownDesign."""
    text = request.match_info["design_id"]
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise UnknownDesign(f"a design's id is a number, not {text!r:.40}")
    return request.app[CONTEXT].collection.find(int(text))


async def ice_servers(request: web.Request) -> web.Response:
    await rates.ice_servers(request)
    return views.json_list(turn.for_caller(request))


DESIGNS = f"{API}/designs/"

OPERATIONS = (
    Operation(
        "GET",
        DESIGNS,
        list_all,
        "Every design, family after family; an id is also a post_id",
        "designs",
        answers={200: {"application/json": list[DesignView]}},
    ),
    Operation(
        "GET",
        f"{DESIGNS}{{design_id}}/",
        show,
        "One design",
        "designs",
        answers={200: {"application/json": DesignView}},
        errors=(UnknownDesign,),
    ),
    Operation(
        "GET",
        f"{DESIGNS}{{design_id}}/thumbnail",
        thumbnail,
        "A finger that wears the design",
        "designs",
        answers={200: IMAGE, 304: None},
        errors=(UnknownDesign, RateLimited, AtCapacity, WorkerUnavailable),
    ),
    Operation(
        "GET",
        f"{DESIGNS}{{design_id}}/preview",
        preview,
        "A hand that wears the design",
        "designs",
        answers={200: IMAGE, 304: None},
        errors=(UnknownDesign, RateLimited, AtCapacity, WorkerUnavailable),
    ),
    Operation(
        "GET",
        f"{DESIGNS}{{design_id}}/nails/{{nail}}",
        nail,
        "One nail of the picture that an own design was taken from",
        "designs",
        answers={200: IMAGE, 304: None},
        errors=(UnknownDesign, UnknownNail),
    ),
    Operation(
        "GET",
        f"{API}/ice-servers/",
        ice_servers,
        "STUN and TURN servers, as RTCPeerConnection takes them",
        "webrtc",
        answers={200: {"application/json": list[IceServer]}},
        errors=(Unauthorized, RateLimited),
    ),
)
