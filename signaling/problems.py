"""Every refusal as an RFC 9457 problem document with a code of `protocol.errors`."""

from __future__ import annotations

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from protocol import limits
from protocol.api import Problem
from protocol.errors import BadRequest, LacquerError, MethodNotAllowed, NotFound, RateLimited, TooLarge
from signaling.operations import ROUTE
from signaling.sessions import is_id
from signaling.settings import SETTINGS

MEDIA_TYPE = "application/problem+json"

CODE = web.ResponseKey("code", str)
"""In an answer that refuses: why. For whoever counts."""

log = structlog.get_logger()

_FROM_HTTP: dict[int, type[LacquerError]] = {403: NotFound, 404: NotFound, 405: MethodNotAllowed, 413: TooLarge}


def problem_response(error: LacquerError, *, retry_after: int = limits.RETRY_AFTER) -> web.Response:
    problem = Problem(title=error.title, status=error.status, detail=error.message, code=error.code)
    response = web.Response(status=error.status, body=problem.model_dump_json().encode(), content_type=MEDIA_TYPE)
    response[CODE] = error.code
    response.headers["Cache-Control"] = "no-store"  # caches may keep a 404 or a 410 (RFC 9110 §15.1) that soon is none
    if error.status in (429, 503) or error.retry_after:
        response.headers["Retry-After"] = str(error.retry_after or retry_after)
    if error.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, RateLimited) and error.quota:
        # https://www.ietf.org/archive/id/draft-ietf-httpapi-ratelimit-headers-10.html
        response.headers["RateLimit-Policy"] = f'"{error.limit}";q={error.quota};w={error.window}'
        response.headers["RateLimit"] = f'"{error.limit}";r=0;t={error.retry_after or retry_after}'
    return response


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns what handlers raise into answers. What nobody thought of is logged, and tells the client nothing."""
    try:
        return await handler(request)
    except LacquerError as error:
        return _answer(request, error)
    except web.HTTPException as refusal:
        return _from_http(request, refusal)
    except Exception:
        log.exception("request failed", method=request.method, route=request.get(ROUTE, "none"), **_session(request))
        return _answer(request, LacquerError())


def _session(request: web.Request) -> dict[str, str]:
    """Which session a line in the log is about. A path as it came would tell ids of results, too, which open them."""
    session_id = request.match_info.get("session_id", "")
    return {"session": session_id} if is_id(session_id) else {}


def _from_http(request: web.Request, refusal: web.HTTPException) -> web.Response:
    """aiohttp's own: no such route, wrong method, body too large."""
    if refusal.status < 400:
        raise refusal
    kind = _FROM_HTTP.get(refusal.status, BadRequest)
    response = _answer(request, kind(f"{request.method} {request.path:.200}: {refusal.reason}"))
    if "Allow" in refusal.headers:
        response.headers["Allow"] = refusal.headers["Allow"]
    return response


def _answer(request: web.Request, error: LacquerError) -> web.Response:
    return problem_response(error, retry_after=request.app[SETTINGS].retry_after)
