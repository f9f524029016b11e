"""Small pictures for an operator, where LACQUER_ADMIN_THUMBNAILS lets operators look at people.

    GET /admin/sessions/{session_id}/thumbnail   → the newest processed frame, at most 240 pixels long
    GET /admin/results/{result_id}/thumbnail     → a kept picture, as small

Made anew each time, and stored nowhere: not here, not by browsers. For who shows the admin token.
"""

from __future__ import annotations

from aiohttp import web

from protocol.errors import (
    BadImage,
    Forbidden,
    NoFrameYet,
    NotFound,
    RateLimited,
    RegistryUnavailable,
    SessionEnded,
    StoreUnavailable,
    Unauthorized,
    WorkerUnavailable,
)
from protocol.messages import ImageFormat
from signaling.admin_access import admin_only
from signaling.admin_lists import RESULTS, SESSION
from signaling.context import CONTEXT
from signaling.image_response import image_response
from signaling.operations import IMAGE, Operation
from signaling.sessions import is_id
from signaling.settings import SETTINGS

SIDE = 240
"""Pixels: enough to see whether a hand is painted, too few to keep a portrait."""


@admin_only
async def session_thumbnail(request: web.Request) -> web.Response:
    _check_allowed(request)
    context = request.app[CONTEXT]
    session = await context.sessions.find_live(request.match_info["session_id"])
    url = await context.router.owner(session.session_id)
    if url is None:
        raise NoFrameYet("nothing streams in this session")
    frame = await context.workers.newest_frame(url, session.session_id, ImageFormat.JPEG)
    return await _small(request, frame.image)


@admin_only
async def result_thumbnail(request: web.Request) -> web.Response:
    _check_allowed(request)
    context, result_id = request.app[CONTEXT], request.match_info["result_id"].lower()
    result = await context.store.results.get(result_id) if is_id(result_id) else None
    if result is None:
        raise NotFound(f"there is no result {result_id:.40}")
    return await _small(request, await context.blobs.get(result.blob))


def _check_allowed(request: web.Request) -> None:
    """Raises Forbidden."""
    if not request.app[SETTINGS].admin_thumbnails:
        raise Forbidden("pictures show people: operators see them only where LACQUER_ADMIN_THUMBNAILS=true is set")


async def _small(request: web.Request, image: bytes) -> web.Response:
    picture = await request.app[CONTEXT].uploads.picture(image, SIDE)
    return image_response(request, picture.data, picture.content_type, cache="no-store")


_ERRORS = (Unauthorized, Forbidden, RateLimited, NotFound, BadImage, StoreUnavailable)

OPERATIONS = (
    Operation(
        "GET",
        f"{SESSION}thumbnail",
        session_thumbnail,
        "A session's newest processed frame, small, where the operator may look at people",
        "operators",
        answers={200: IMAGE, 304: None},
        admin=True,
        errors=(*_ERRORS, SessionEnded, NoFrameYet, WorkerUnavailable, RegistryUnavailable),
    ),
    Operation(
        "GET",
        f"{RESULTS}{{result_id}}/thumbnail",
        result_thumbnail,
        "A kept picture, small, where the operator may look at people",
        "operators",
        answers={200: IMAGE, 304: None},
        admin=True,
        errors=_ERRORS,
    ),
)
