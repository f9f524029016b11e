"""`/api/try-on/sessions/…`: make, show, list, extend and end sessions."""

from __future__ import annotations

from aiohttp import web

from protocol import wishes
from protocol.api import CreateExploreSession, Mode, SessionCreated, SessionExtended, SessionView
from protocol.errors import (
    AtCapacity,
    BadImage,
    BadRequest,
    InvalidFields,
    NotFound,
    RateLimited,
    RegistryUnavailable,
    SessionEnded,
    SilentPeer,
    StoreUnavailable,
    TooLarge,
    Unauthorized,
    UnknownDesign,
    UnknownNail,
    UnsupportedMediaType,
    VisionFailed,
    WorkerUnavailable,
)
from protocol.internal import View, Worn
from protocol.messages import Config
from signaling import pagination, rates, uploads, views
from signaling.auth import caller, check_may_create, new_sessions_owner
from signaling.context import CONTEXT, Context
from signaling.image_response import CHANGING, image_response
from signaling.nail_sets import nail_picture
from signaling.operations import BINARY, IMAGE, Operation, Schema
from signaling.results import keep_still
from signaling.sessions import Session
from signaling.uploads import REFERENCE_SIDE, SOURCE_SIDE, Form
from signaling.urls import API, session_url

REFERENCE, SOURCE = "nail_reference_image", "source_image"


async def create(request: web.Request) -> web.Response:
    kind = uploads.require_type(request, "application/json", "multipart/form-data")
    check_may_create(request)
    await rates.new_session(request)
    return await (_create_explore(request) if kind == "application/json" else _create_upload(request))


async def _create_explore(request: web.Request) -> web.Response:
    context = request.app[CONTEXT]
    body = await uploads.read_json(request)
    if body.get("mode") == "upload":
        raise InvalidFields(f"mode: upload mode is sent as multipart/form-data, with {REFERENCE}")
    wanted = uploads.parse(CreateExploreSession, body)
    design = context.collection.find(wanted.post_id)
    _check(context, wanted.config, own=context.collection.nail_count(design.id))
    await context.sessions.check_capacity()
    await rates.live_sessions(request)
    session = await context.sessions.create(new_sessions_owner(request), post_id=design.id, settings=wanted.config)
    return _created(request, await views.session_created(request, session, None))


async def _create_upload(request: web.Request) -> web.Response:
    """The person's picture itself is never kept: the nails in it are, until the session is over."""
    context = request.app[CONTEXT]
    await rates.upload(request)
    await rates.live_sessions(request)
    async with context.uploads.form(request, REFERENCE, SOURCE) as form:
        settings = _settings(form)
        reference = await context.uploads.picture(form.files[REFERENCE], REFERENCE_SIDE)
        source = await context.uploads.picture(form.files[SOURCE], SOURCE_SIDE) if SOURCE in form.files else None
    await context.sessions.check_capacity()
    nail_set = await context.workshop.take(reference.data)
    _check(context, settings, own=len(nail_set.nails))
    # The still comes first: where the worker refuses the picture, no session is left behind.
    worn = Worn(design_id=None, nail_set=nail_set, settings=settings)
    still = await context.workshop.wear(source.data, worn) if source else None
    session = await context.sessions.create(new_sessions_owner(request), nail_set=nail_set, settings=settings)
    kept = await keep_still(context, session, still) if still else None
    return _created(request, await views.session_created(request, session, kept))


def _settings(form: Form) -> Config:
    """Of a complete form for upload mode. Raises InvalidFields, BadRequest."""
    if form.fields.get("mode", "upload") != "upload":
        raise InvalidFields("mode: must be `upload` in a form; explore mode is sent as JSON")
    if REFERENCE not in form.files:
        raise InvalidFields(f"{REFERENCE}: missing")
    return _config(form.fields.get("config"))


def _config(text: str | None) -> Config:
    """Raises InvalidFields, BadRequest."""
    return uploads.parse(Config, uploads.parse_json_object(text, "config")) if text else Config()


def _check(context: Context, settings: Config, *, own: int) -> None:
    """Whether all exists that is asked for; `own` nails are those of the session itself. Raises UnknownDesign,
    UnknownNail."""

    def nail_count(design_id: int | None) -> int:
        return own if design_id is None else context.collection.nail_count(design_id)

    wishes.check(settings, settings, nail_count)


def _created(request: web.Request, view: SessionCreated) -> web.Response:
    return views.json_response(view, status=201, headers={"Location": session_url(request, view.session_id)})


async def show(request: web.Request) -> web.Response:
    session = await request.app[CONTEXT].sessions.find(request.match_info["session_id"])
    return views.json_response(await views.session(request, session))


async def list_own(request: web.Request) -> web.Response:
    page, who = pagination.asked_page(request), caller(request)
    found = await request.app[CONTEXT].store.sessions_of(who.owner, page, only=who.session_id)
    shown, more = pagination.cut(found, page)
    headers = pagination.link_header(request, page, shown[-1].session_id) if more else None
    return views.json_list([await views.session(request, session) for session in shown], headers=headers)


async def extend(request: web.Request) -> web.Response:
    session = await request.app[CONTEXT].sessions.extend(request.match_info["session_id"])
    return views.json_response(await views.session_extended(request, session))


async def end(request: web.Request) -> web.Response:
    await request.app[CONTEXT].sessions.end(request.match_info["session_id"])
    return web.Response(status=204)


async def thumbnail(request: web.Request) -> web.Response:
    return await _drawn(request, View.FINGER)


async def preview(request: web.Request) -> web.Response:
    return await _drawn(request, View.HAND)


async def _drawn(request: web.Request, view: View) -> web.Response:
    """What an upload session wears, as it is set now, with the changes that the query's `config` tries out."""
    context = request.app[CONTEXT]
    await rates.preview(request)  # also where it is in memory: its worker is asked what is worn
    session = await context.sessions.refresh(await _uploaded(request))  # it may have changed since the last sweep
    worn = _trying(context, await context.sessions.worn(session), _config(request.query.get("config")))
    drawn = await context.workshop.preview(worn, view)
    return image_response(request, drawn.image, drawn.content_type, cache=CHANGING)


def _trying(context: Context, worn: Worn, change: Config) -> Worn:
    """Raises UnknownDesign, UnknownNail."""
    settings = wishes.changed(worn.settings, change)
    if change.model_fields_set:
        _check(context, settings, own=len(worn.nail_set.nails) if worn.nail_set else 0)
    return worn.model_copy(update={"settings": settings})


async def nail(request: web.Request) -> web.Response:
    session = await _uploaded(request)
    nail_set = await request.app[CONTEXT].sessions.nail_set(session)
    return image_response(request, nail_picture(nail_set, request.match_info["nail"]), "image/png")


async def _uploaded(request: web.Request) -> Session:
    """Raises NotFound, SessionEnded."""
    session = await request.app[CONTEXT].sessions.find_live(request.match_info["session_id"])
    if session.mode is not Mode.UPLOAD:
        raise NotFound("this session shows a design of the catalogue")
    return session


_CREATE_FORM = {
    "type": "object",
    "required": ["mode", REFERENCE],
    "properties": {
        "mode": {"const": "upload"},
        REFERENCE: BINARY,
        SOURCE: BINARY,
        "config": {"type": "string", "description": "A JSON object: what to wear differently from the start."},
    },
}
_TRIED: dict[str, Schema] = {
    "config": {"type": "string", "description": "A JSON object: what to try on, while the session keeps its settings."}
}
_DRAWING = (
    BadRequest,
    NotFound,
    UnknownDesign,
    UnknownNail,
    SessionEnded,
    InvalidFields,
    RateLimited,
    AtCapacity,
    StoreUnavailable,
    WorkerUnavailable,
)
_SESSIONS, _SESSION = f"{API}/sessions/", f"{API}/sessions/{{session_id}}/"
_DESIGN = f"{_SESSION}design/"

OPERATIONS = (
    Operation(
        "POST",
        _SESSIONS,
        create,
        "Start a try-on: a design by its id, or nails from a picture",
        "sessions",
        takes={"application/json": CreateExploreSession, "multipart/form-data": _CREATE_FORM},
        answers={201: {"application/json": SessionCreated}},
        headers=("Location",),
        errors=(
            BadRequest,
            Unauthorized,
            UnknownDesign,
            UnknownNail,
            SilentPeer,
            TooLarge,
            UnsupportedMediaType,
            InvalidFields,
            BadImage,
            VisionFailed,
            RateLimited,
            AtCapacity,
            StoreUnavailable,
            WorkerUnavailable,
            RegistryUnavailable,
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
        errors=(Unauthorized, InvalidFields, StoreUnavailable),
    ),
    Operation(
        "GET",
        _SESSION,
        show,
        "One session, with its statistics",
        "sessions",
        answers={200: {"application/json": SessionView}},
        errors=(NotFound, StoreUnavailable),
    ),
    Operation(
        "DELETE",
        _SESSION,
        end,
        "End a session now",
        "sessions",
        answers={204: None},
        errors=(NotFound, SessionEnded, StoreUnavailable),
    ),
    Operation(
        "POST",
        f"{_SESSION}extend/",
        extend,
        "Give a session its full time again",
        "sessions",
        answers={200: {"application/json": SessionExtended}},
        errors=(NotFound, SessionEnded, StoreUnavailable),
    ),
    Operation(
        "GET",
        f"{_DESIGN}thumbnail",
        thumbnail,
        "Upload mode: a finger that wears the person's own design",
        "sessions",
        query=_TRIED,
        answers={200: IMAGE, 304: None},
        errors=_DRAWING,
    ),
    Operation(
        "GET",
        f"{_DESIGN}preview",
        preview,
        "Upload mode: a hand that wears the person's own design, as it is set now",
        "sessions",
        query=_TRIED,
        answers={200: IMAGE, 304: None},
        errors=_DRAWING,
    ),
    Operation(
        "GET",
        f"{_DESIGN}nails/{{nail}}",
        nail,
        "Upload mode: one nail of the person's picture, flat and in neutral light",
        "sessions",
        answers={200: IMAGE, 304: None},
        errors=(NotFound, UnknownNail, SessionEnded, StoreUnavailable),
    ),
)
