"""Sessions, designs and results as the REST API shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from aiohttp import web
from pydantic import BaseModel, TypeAdapter

from protocol.api import DesignView, NailSetView, ResultView, SessionCreated, SessionExtended, SessionView
from protocol.designs import Design
from protocol.errors import NotFound, SessionEnded, UnknownDesign
from signaling import turn, urls
from signaling.auth import TOKENS, speaks_for
from signaling.context import CONTEXT
from signaling.sessions import LIVE, Session
from signaling.tables import Result

NO_STORE = {"Cache-Control": "no-store"}
"""Most answers are somebody's own: they hold tokens, credentials and what a person did. No cache keeps them, unless a
handler says otherwise."""

FOR_ALL = {"Cache-Control": "no-cache"}
"""Answers that are the same for everybody, as long as they are new."""


def json_response(model: BaseModel, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    body = model.model_dump_json().encode()
    return web.Response(body=body, status=status, headers=_kept_by_nobody(headers), content_type="application/json")


def json_list(models: Sequence[BaseModel], *, headers: Mapping[str, str] | None = None) -> web.Response:
    body = TypeAdapter(Sequence[BaseModel]).dump_json(models, serialize_as_any=True)
    return web.Response(body=body, headers=_kept_by_nobody(headers), content_type="application/json")


def _kept_by_nobody(headers: Mapping[str, str] | None) -> dict[str, str]:
    return NO_STORE | dict(headers or {})


def design(request: web.Request, entry: Design) -> DesignView:
    own = request.app[CONTEXT].collection.own(entry.id)
    shown = entry.model_dump(mode="json") | ({"pattern": None} if own and own.nail_set else {})
    return DesignView(**shown, own=own is not None, thumbnail_url=_thumbnail_url(request, entry.id))


async def design_in_full(request: web.Request, entry: Design) -> DesignView:
    """With the nails, where it was taken from a picture."""
    collection, view = request.app[CONTEXT].collection, design(request, entry)
    own = collection.own(entry.id)
    nail_set = await collection.nail_set(own) if own else None
    if nail_set is None:
        return view
    shown = NailSetView.of(nail_set, urls.design_url(request, entry.id))
    return view.model_copy(update={"nail_set": shown})


async def session(request: web.Request, it: Session) -> SessionView:
    """One that is over can be looked at, but opens no relay any more."""
    status = it.status_at(request.app[CONTEXT].clock())
    return SessionView(
        session_id=it.session_id,
        mode=it.mode,
        post_id=it.post_id,
        status=status,
        created_at=_time(it.created_at),
        expires_at=_time(it.expires_at),
        webrtc_url=urls.webrtc_url(request, it.session_id),
        ws_url=urls.ws_url(request, it.session_id),
        ice_servers=turn.for_session(request, it.session_id) if status in LIVE else [],
        design=await _uploaded(request, it) if it.post_id is None else _by_id(request, it.post_id),
        settings=it.settings,
        statistics=it.total_statistics,
    )


async def session_extended(request: web.Request, it: Session) -> SessionExtended:
    """Whoever knows the id may extend; only who is known as its owner, or shows its token, is given a new one."""
    token = _token(request, it) if speaks_for(request, it) else None
    return SessionExtended(**dict(await session(request, it)), token=token)


def _token(request: web.Request, it: Session) -> str:
    return request.app[TOKENS].for_session(it.session_id, it.owner, it.expires_at)


async def session_created(request: web.Request, it: Session, still: Result | None) -> SessionCreated:
    return SessionCreated(
        **dict(await session(request, it)),
        token=_token(request, it),
        whip_url=urls.whip_url(request, it.session_id),
        whep_url=urls.whep_url(request, it.session_id),
        watch_url=urls.whep_url(request, request.app[TOKENS].watch_ids.of(it.session_id)),
        result=None if still is None else await result(request, still, it),
    )


async def result(request: web.Request, it: Result, of: Session | None) -> ResultView:
    """`of` is the result's session; an upload's design is gone from view once its session has ended."""
    return ResultView(
        result_id=it.result_id,
        session_id=it.session_id,
        design=await _worn_design(request, it, of),
        image_url=f"{urls.result_url(request, it.result_id)}image",
        width=it.width,
        height=it.height,
        confidence_score=it.confidence_score,
        metadata=it.metadata,
        created_at=_time(it.created_at),
    )


async def _worn_design(request: web.Request, it: Result, of: Session | None) -> DesignView | None:
    if it.design_id is not None:
        return _by_id(request, it.design_id)
    return await _uploaded(request, of) if of is not None and of.nail_set is not None else None


def _by_id(request: web.Request, design_id: int) -> DesignView:
    try:
        return design(request, request.app[CONTEXT].collection.find(design_id))
    except UnknownDesign:
        return _bare(design_id, f"Design {design_id}", "retired", _thumbnail_url(request, design_id))


async def _uploaded(request: web.Request, it: Session) -> DesignView:
    """Upload mode: the nails of the person's own picture; without them once the session is over."""
    base = urls.session_design_url(request, it.session_id)
    view = _bare(None, "Your design", "upload", f"{base}thumbnail")
    try:
        nail_set = await request.app[CONTEXT].sessions.nail_set(it)
    except (NotFound, SessionEnded):
        return view
    return view.model_copy(update={"finish": nail_set.finish, "nail_set": NailSetView.of(nail_set, base)})


def _bare(design_id: int | None, name: str, family: str, thumbnail_url: str) -> DesignView:
    return DesignView(
        id=design_id, name=name, family=family, pattern=None, finish=None, colours=[], thumbnail_url=thumbnail_url
    )


def _thumbnail_url(request: web.Request, design_id: int) -> str:
    return f"{urls.design_url(request, design_id)}thumbnail"


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
