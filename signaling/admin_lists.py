"""What an operator sees of sessions, results and errors, and ending a session.

    GET    /admin/overview/                → AdminOverview
    GET    /admin/sessions/                → [AdminSession]   those that are not over, newest first
    DELETE /admin/sessions/{session_id}/   → 204
    GET    /admin/results/                 → [AdminResult]    newest first
    GET    /admin/errors/                  → AdminErrors      of this process alone

Sessions and results are those of the database, so of all signaling processes that share it. For who shows the admin
token. Looking after workers is in `admin_api`, pictures are in `admin_pictures`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import web

from protocol.admin import (
    AdminDesign,
    AdminError,
    AdminErrors,
    AdminOverview,
    AdminProcess,
    AdminResult,
    AdminSession,
)
from protocol.api import SessionStatus
from protocol.errors import (
    Forbidden,
    InvalidFields,
    LacquerError,
    NotFound,
    RateLimited,
    RegistryUnavailable,
    SessionEnded,
    StoreUnavailable,
    Unauthorized,
    UnknownDesign,
)
from protocol.internal import SessionReport
from signaling import pagination, views
from signaling.admin_access import admin_only
from signaling.auth import TOKENS
from signaling.context import CONTEXT, Context
from signaling.health import VERSION
from signaling.operations import Operation
from signaling.recent_errors import RECENT_ERRORS, process_name
from signaling.sessions import Session
from signaling.settings import SETTINGS
from signaling.tables import Result

OVERVIEW, SESSIONS, RESULTS, ERRORS = "/admin/overview/", "/admin/sessions/", "/admin/results/", "/admin/errors/"
SESSION = f"{SESSIONS}{{session_id}}/"

REPORT_TIMEOUT = 1.0
"""Seconds for what workers say of their sessions now. A list must not wait for one that is dying."""

STARTED_AT = web.AppKey("started_at", float)


@admin_only
async def overview(request: web.Request) -> web.Response:
    counts = await request.app[CONTEXT].store.count_sessions()
    about = AdminProcess(name=process_name(), version=VERSION, started_at=_time(request.app[STARTED_AT]))
    return views.json_response(
        AdminOverview(
            process=about,
            created=counts[SessionStatus.CREATED],
            active=counts[SessionStatus.ACTIVE],
            thumbnails=request.app[SETTINGS].admin_thumbnails,
        )
    )


# --- sessions -------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class _Whereabouts:
    """Where a session is, and what its worker says of it now."""

    worker_id: str | None = None
    report: SessionReport | None = None


@admin_only
async def list_sessions(request: web.Request) -> web.Response:
    context, page = request.app[CONTEXT], pagination.asked_page(request)
    shown, more = pagination.cut(await context.store.live_sessions(context.clock(), page), page)
    found = await _whereabouts(context, shown)
    listed = [_session(request, session, found[session.session_id]) for session in shown]
    headers = pagination.link_header(request, page, shown[-1].session_id) if more else None
    return views.json_list(listed, headers=headers)


async def _whereabouts(context: Context, sessions: Sequence[Session]) -> dict[str, _Whereabouts]:
    ids = [session.session_id for session in sessions]
    urls = await asyncio.gather(*(_owner(context, session_id) for session_id in ids))
    names = {worker.url: worker.worker_id for worker in await context.router.workers()}
    reports = await _reports(context, {url for url in urls if url is not None})
    return {
        session_id: _Whereabouts(names.get(url) or None, reports.get((url, session_id))) if url else _Whereabouts()
        for session_id, url in zip(ids, urls, strict=True)
    }


async def _owner(context: Context, session_id: str) -> str | None:
    """None also where that cannot be known now: while Redis is away, the list shows what the database knows."""
    try:
        return await context.router.owner(session_id)
    except RegistryUnavailable:
        return None


async def _reports(context: Context, urls: Iterable[str]) -> dict[tuple[str, str], SessionReport]:
    """By worker and session. Workers that do not answer in time are left out: what is known without them is shown."""

    async def ask(url: str) -> list[tuple[str, SessionReport]]:
        try:
            async with asyncio.timeout(REPORT_TIMEOUT):
                return [(url, report) for report in await context.workers.reports(url)]
        except (LacquerError, TimeoutError):
            return []

    answers = await asyncio.gather(*map(ask, urls))
    return {(url, report.session_id): report for answer in answers for url, report in answer}


def _session(request: web.Request, it: Session, where: _Whereabouts) -> AdminSession:
    report = where.report
    now = it.reported(report.settings, report.statistics) if report else it
    return AdminSession(
        session_id=it.session_id,
        owner=request.app[TOKENS].pseudonym(it.owner),
        mode=it.mode,
        status=it.status_at(request.app[CONTEXT].clock()),
        design=_design(request, _worn(now)),
        worker=where.worker_id,
        created_at=_time(it.created_at),
        expires_at=_time(it.expires_at),
        connections=report.connections if report else None,
        nails=report.nails if report else None,
        confidence=report.confidence if report else None,
        statistics=now.total_statistics,
    )


def _worn(session: Session) -> int | None:
    return session.settings.design if session.settings.design is not None else session.post_id


def _design(request: web.Request, design_id: int | None) -> AdminDesign:
    if design_id is None:
        return AdminDesign(id=None, name="from a photo", colours=[])
    try:
        design = request.app[CONTEXT].collection.find(design_id)
    except UnknownDesign:
        return AdminDesign(id=design_id, name=f"design {design_id}", colours=[])
    return AdminDesign(id=design_id, name=design.name, colours=list(design.colours))


@admin_only
async def end_session(request: web.Request) -> web.Response:
    await request.app[CONTEXT].sessions.end(request.match_info["session_id"])
    return web.Response(status=204)


# --- results and errors ---------------------------------------------------------------------------------------------
@admin_only
async def list_results(request: web.Request) -> web.Response:
    page = pagination.asked_page(request)
    shown, more = pagination.cut(await request.app[CONTEXT].store.results.newest(page), page)
    listed = [_result(request, result) for result in shown]
    headers = pagination.link_header(request, page, shown[-1].result_id) if more else None
    return views.json_list(listed, headers=headers)


def _result(request: web.Request, it: Result) -> AdminResult:
    return AdminResult(
        result_id=it.result_id,
        session_id=it.session_id,
        owner=request.app[TOKENS].pseudonym(it.owner),
        design=_design(request, it.design_id),
        width=it.width,
        height=it.height,
        confidence_score=it.confidence_score,
        created_at=_time(it.created_at),
    )


@admin_only
async def list_errors(request: web.Request) -> web.Response:
    limit = pagination.asked_page(request).limit - 1
    names = {worker.url: worker.worker_id for worker in await request.app[CONTEXT].router.workers()}
    errors = [
        AdminError(
            level=trouble.level,
            event=trouble.event,
            code=trouble.code,
            kind=trouble.kind,
            session_id=trouble.session_id,
            worker=names.get(trouble.worker_url or "") or None,
            first_at=_time(times.first_at),
            last_at=_time(times.last_at),
            count=times.count,
        )
        for trouble, times in request.app[RECENT_ERRORS].newest(limit)
    ]
    return views.json_response(AdminErrors(process=process_name(), errors=errors))


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


_ADMIN = (Unauthorized, Forbidden, RateLimited)

OPERATIONS = (
    Operation(
        "GET",
        OVERVIEW,
        overview,
        "The process that answers, and how many sessions there are",
        "operators",
        answers={200: {"application/json": AdminOverview}},
        admin=True,
        errors=(*_ADMIN, StoreUnavailable),
    ),
    Operation(
        "GET",
        SESSIONS,
        list_sessions,
        "Sessions that are not over, newest first",
        "operators",
        query=pagination.QUERY,
        answers={200: {"application/json": list[AdminSession]}},
        headers=("Link",),
        admin=True,
        errors=(*_ADMIN, InvalidFields, StoreUnavailable),
    ),
    Operation(
        "DELETE",
        SESSION,
        end_session,
        "End anybody's session now",
        "operators",
        answers={204: None},
        admin=True,
        errors=(*_ADMIN, NotFound, SessionEnded, StoreUnavailable),
    ),
    Operation(
        "GET",
        RESULTS,
        list_results,
        "Kept pictures, newest first, without the pictures",
        "operators",
        query=pagination.QUERY,
        answers={200: {"application/json": list[AdminResult]}},
        headers=("Link",),
        admin=True,
        errors=(*_ADMIN, InvalidFields, StoreUnavailable),
    ),
    Operation(
        "GET",
        ERRORS,
        list_errors,
        "Warnings and errors of the process that answers, newest first",
        "operators",
        query={"limit": pagination.QUERY["limit"]},
        answers={200: {"application/json": AdminErrors}},
        admin=True,
        errors=(*_ADMIN, InvalidFields),
    ),
)
