"""Sessions, designs and results as the REST API shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from aiohttp import web
from pydantic import BaseModel, TypeAdapter

from protocol import designs
from protocol.api import DesignView, ResultView, SessionCreated, SessionView
from protocol.designs import Design
from signaling import urls
from signaling.auth import TOKENS
from signaling.context import CONTEXT
from signaling.sessions import Session
from signaling.settings import SETTINGS
from signaling.store import Result


def json_response(model: BaseModel, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    body = model.model_dump_json().encode()
    return web.Response(body=body, status=status, headers=headers, content_type="application/json")


def json_list(models: Sequence[BaseModel], *, headers: Mapping[str, str] | None = None) -> web.Response:
    body = TypeAdapter(Sequence[BaseModel]).dump_json(models, serialize_as_any=True)
    return web.Response(body=body, headers=headers, content_type="application/json")


def design(request: web.Request, entry: Design) -> DesignView:
    return DesignView.of(entry, urls.thumbnail_url(request, entry.id))


def session(request: web.Request, it: Session) -> SessionView:
    return SessionView(
        session_id=it.session_id,
        mode=it.mode,
        post_id=it.post_id,
        status=it.status_at(request.app[CONTEXT].clock()),
        created_at=_time(it.created_at),
        expires_at=_time(it.expires_at),
        webrtc_url=urls.webrtc_url(request, it.session_id),
        ws_url=urls.ws_url(request, it.session_id),
        ice_servers=request.app[SETTINGS].ice_servers,
        design=_own_design(request, it) if it.post_id is None else _catalogue_design(request, it.post_id),
        statistics=it.total_statistics,
    )


def session_created(request: web.Request, it: Session, still: Result | None) -> SessionCreated:
    return SessionCreated(
        **dict(session(request, it)),
        token=request.app[TOKENS].for_session(it.session_id, it.owner),
        result=None if still is None else result(request, still, it),
    )


def result(request: web.Request, it: Result, of: Session | None) -> ResultView:
    """`of` is the result's session; an upload's design is gone from view once its session has ended."""
    return ResultView(
        result_id=it.result_id,
        session_id=it.session_id,
        design=_worn_design(request, it, of),
        image_url=f"{urls.result_url(request, it.result_id)}image",
        width=it.width,
        height=it.height,
        confidence_score=it.confidence_score,
        metadata=it.metadata,
        created_at=_time(it.created_at),
    )


def _worn_design(request: web.Request, it: Result, of: Session | None) -> DesignView | None:
    if it.design_id is not None:
        return _catalogue_design(request, it.design_id)
    return _own_design(request, of) if of is not None and of.reference is not None else None


def _catalogue_design(request: web.Request, design_id: int) -> DesignView:
    entry = designs.catalogue().get(design_id)
    if entry is not None:
        return design(request, entry)
    return _bare_design(design_id, f"Design {design_id}", "retired", urls.thumbnail_url(request, design_id))


def _own_design(request: web.Request, it: Session) -> DesignView:
    """Upload mode: what the person brought, shown by the picture it was taken from."""
    return _bare_design(None, "Your design", "upload", urls.reference_url(request, it.session_id))


def _bare_design(design_id: int | None, name: str, family: str, thumbnail_url: str) -> DesignView:
    return DesignView(
        id=design_id, name=name, family=family, pattern=None, finish=None, colours=[], thumbnail_url=thumbnail_url
    )


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
