"""`/api/try-on/sessions/…`: make, show, list, extend and end sessions."""

from __future__ import annotations

from aiohttp import web

from protocol import designs
from protocol.api import CreateExploreSession, SessionCreated, SessionView
from protocol.errors import (
    AtCapacity,
    BadImage,
    BadRequest,
    InvalidFields,
    NotFound,
    SessionEnded,
    SilentPeer,
    TooLarge,
    Unauthorized,
    UnknownDesign,
    UnsupportedMediaType,
    VisionFailed,
    WorkerUnavailable,
)
from protocol.internal import StillAnswer
from signaling import pagination, uploads, views
from signaling.auth import caller
from signaling.context import CONTEXT
from signaling.image_response import image_response
from signaling.operations import BINARY, IMAGE, Operation
from signaling.results import keep_still
from signaling.uploads import REFERENCE_SIDE, SOURCE_SIDE
from signaling.urls import API, session_url

REFERENCE, SOURCE = "nail_reference_image", "source_image"


async def create(request: web.Request) -> web.Response:
    kind = uploads.require_type(request, "application/json", "multipart/form-data")
    return await (_create_explore(request) if kind == "application/json" else _create_upload(request))


async def _create_explore(request: web.Request) -> web.Response:
    context = request.app[CONTEXT]
    body = await uploads.read_json(request)
    if body.get("mode") == "upload":
        raise InvalidFields(f"mode: upload mode is sent as multipart/form-data, with {REFERENCE}")
    wanted = uploads.parse(CreateExploreSession, body)
    design = designs.find(wanted.post_id)
    await context.sessions.check_capacity()
    session = await context.sessions.create(caller(request).owner, post_id=design.id)
    return _created(request, views.session_created(request, session, None))


async def _create_upload(request: web.Request) -> web.Response:
    context = request.app[CONTEXT]
    async with context.uploads.form(request, REFERENCE, SOURCE) as form:
        if form.fields.get("mode", "upload") != "upload":
            raise InvalidFields("mode: must be `upload` in a form; explore mode is sent as JSON")
        if REFERENCE not in form.files:
            raise InvalidFields(f"{REFERENCE}: missing")
        reference = await context.uploads.picture(form.files[REFERENCE], REFERENCE_SIDE)
        source = await context.uploads.picture(form.files[SOURCE], SOURCE_SIDE) if SOURCE in form.files else None
    await context.sessions.check_capacity()
    # The still comes first: where the worker refuses the picture, no session is left behind.
    still = await _wear(request, source.data, reference.data) if source else None
    session = await context.sessions.create(caller(request).owner, reference=reference.data)
    kept = await keep_still(context, session, still) if still else None
    return _created(request, views.session_created(request, session, kept))


async def _wear(request: web.Request, source: bytes, reference: bytes) -> StillAnswer:
    context = request.app[CONTEXT]
    return await context.workers.still(await context.router.any_worker(), source, design_id=None, reference=reference)


def _created(request: web.Request, view: SessionCreated) -> web.Response:
    return views.json_response(view, status=201, headers={"Location": session_url(request, view.session_id)})


async def show(request: web.Request) -> web.Response:
    session = await request.app[CONTEXT].sessions.find(request.match_info["session_id"])
    return views.json_response(views.session(request, session))


async def list_own(request: web.Request) -> web.Response:
    page, who = pagination.asked_page(request), caller(request)
    found = await request.app[CONTEXT].store.sessions_of(who.owner, page, only=who.session_id)
    shown, more = pagination.cut(found, page)
    headers = pagination.link_header(request, page, shown[-1].session_id) if more else None
    return views.json_list([views.session(request, session) for session in shown], headers=headers)


async def extend(request: web.Request) -> web.Response:
    session = await request.app[CONTEXT].sessions.extend(request.match_info["session_id"])
    return views.json_response(views.session(request, session))


async def end(request: web.Request) -> web.Response:
    await request.app[CONTEXT].sessions.end(request.match_info["session_id"])
    return web.Response(status=204)


async def reference(request: web.Request) -> web.Response:
    """Upload mode's picture: the thumbnail of "Your design"."""
    context = request.app[CONTEXT]
    session = await context.sessions.find_live(request.match_info["session_id"])
    if session.reference is None:
        raise NotFound("this session shows a design of the catalogue")
    picture = await context.blobs.get(session.reference)
    return image_response(request, picture, tag=session.reference)


_CREATE_FORM = {
    "type": "object",
    "required": ["mode", REFERENCE],
    "properties": {"mode": {"const": "upload"}, REFERENCE: BINARY, SOURCE: BINARY},
}
_SESSIONS, _SESSION = f"{API}/sessions/", f"{API}/sessions/{{session_id}}/"

OPERATIONS = (
    Operation(
        "POST",
        _SESSIONS,
        create,
        "Start a try-on: a design of the catalogue, or nails from a picture",
        "sessions",
        takes={"application/json": CreateExploreSession, "multipart/form-data": _CREATE_FORM},
        answers={201: {"application/json": SessionCreated}},
        headers=("Location",),
        errors=(
            BadRequest,
            Unauthorized,
            UnknownDesign,
            SilentPeer,
            TooLarge,
            UnsupportedMediaType,
            InvalidFields,
            BadImage,
            VisionFailed,
            AtCapacity,
            WorkerUnavailable,
        ),
    ),
    Operation(
        "GET",
        _SESSIONS,
        list_own,
        "The caller's own sessions, newest first",
        "sessions",
        query=pagination.QUERY,
        answers={200: {"application/json": list[SessionView]}},
        headers=("Link",),
        errors=(Unauthorized, InvalidFields),
    ),
    Operation(
        "GET",
        _SESSION,
        show,
        "One session, with its statistics",
        "sessions",
        answers={200: {"application/json": SessionView}},
        errors=(NotFound,),
    ),
    Operation(
        "DELETE",
        _SESSION,
        end,
        "End a session now",
        "sessions",
        answers={204: None},
        errors=(NotFound, SessionEnded),
    ),
    Operation(
        "POST",
        f"{_SESSION}extend/",
        extend,
        "Give a session its full time again",
        "sessions",
        answers={200: {"application/json": SessionView}},
        errors=(NotFound, SessionEnded),
    ),
    Operation(
        "GET",
        f"{_SESSION}reference",
        reference,
        "Upload mode: the picture that the design is taken from",
        "sessions",
        answers={200: IMAGE, 304: None},
        errors=(NotFound, SessionEnded),
    ),
)
