"""Pages of other origins: who may use the API from there (the CORS protocol of the Fetch standard).

    /api/… (and /whip/…, /whep/…) for the origins of LACQUER_ALLOWED_ORIGINS; without any, for our own page alone
    /ws/…       the same where some are named; else for everybody: clients in the wild connect from pages of any origin,
                and no cookie speaks for them, but a session's random id. Browsers do not ask here, so the socket checks
    /static/…   for everybody: the modules hold no secret, and how would a page tell what is wrong without them

Cookies are for our own page: a request of another that would change something is refused where it carries ours, and a
WebSocket is never opened by one. No answer ever carries Access-Control-Allow-Credentials: elsewhere the caller is known
by a bearer token, a session's own or one of the host application, which no other page can send.
"""

from __future__ import annotations

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from protocol.errors import Forbidden
from signaling.auth import COOKIES, bearer
from signaling.settings import ANY_ORIGIN, SETTINGS
from signaling.urls import ROOTS

METHODS = "GET, HEAD, POST, PATCH, DELETE"
REQUEST_HEADERS = "Authorization, Content-Type, If-Match"
EXPOSED_HEADERS = "Location, ETag, Link, Retry-After, RateLimit, RateLimit-Policy"
PREFLIGHT_LIFETIME = 7200
"""Seconds: Chromium keeps none for longer."""

_RESOURCE_POLICY = "Cross-Origin-Resource-Policy"


def add_cors(app: web.Application) -> None:
    """Marks every answer; preflights also need the middleware `preflights`."""
    app.on_response_prepare.append(_mark)


@web.middleware
async def preflights(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answers what browsers ask before a request of another origin. Raises Forbidden for origins not allowed."""
    if not is_preflight(request):
        return await handler(request)
    check_origin(request)
    # A route that takes OPTIONS says more: what may be posted there (RFC 9725 §4.2).
    known = request.match_info.http_exception is None
    response = await handler(request) if known else web.Response(status=204)
    headers = {
        hdrs.ACCESS_CONTROL_ALLOW_METHODS: METHODS,
        hdrs.ACCESS_CONTROL_ALLOW_HEADERS: REQUEST_HEADERS,
        hdrs.ACCESS_CONTROL_MAX_AGE: str(PREFLIGHT_LIFETIME),
    }
    response.set_status(204)
    response.headers.update(headers)
    return response


def check_origin(request: web.Request) -> None:
    """Lets pass our own page, allowed origins, and programs, which send no Origin. Raises Forbidden."""
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is None or _is_own(request, origin) or _allows(request, origin):
        return
    raise Forbidden(f"pages of {origin:.200} may not use this server: add that origin to LACQUER_ALLOWED_ORIGINS")


def check_socket(request: web.Request) -> None:
    """`check_origin`, where an operator has named origins. Raises Forbidden."""
    if request.app[SETTINGS].allowed_origins:
        check_origin(request)


@web.middleware
async def cookies_from_our_page(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A cookie speaks for our own page alone: browsers also send it for pages of other hosts of the same site, and old
    ones for all. Raises Forbidden where it would change something for such a page; a bearer token may."""
    changes = request.method not in (hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_OPTIONS)
    # Not any Authorization: where a proxy asks for a password, browsers send that by themselves, for every page.
    by_cookie = bearer(request) is None and any(name in request.cookies for name in COOKIES)
    if changes and by_cookie and _comes_from_elsewhere(request):
        raise Forbidden("a page elsewhere cannot act with this server's cookie: send a token, and no cookies")
    return await handler(request)


def _comes_from_elsewhere(request: web.Request) -> bool:
    """As the browser says; programs say nothing. Sec-Fetch-Site knows better where a proxy changed the Host."""
    if site := request.headers.get("Sec-Fetch-Site"):
        return site not in ("same-origin", "none")
    origin = request.headers.get(hdrs.ORIGIN)
    return origin is not None and not _is_own(request, origin)


def is_preflight(request: web.Request) -> bool:
    """Plain OPTIONS requests, such as WHIP's, are something else."""
    asks = hdrs.ORIGIN in request.headers and hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers
    return request.method == hdrs.METH_OPTIONS and asks and request.path.startswith(ROOTS)


def _is_own(request: web.Request, origin: str) -> bool:
    """A proxy that ends TLS changes our scheme, so the host decides."""
    return origin == request.app[SETTINGS].public_url or origin.partition("://")[2] == request.host.lower()


def _allows(request: web.Request, origin: str) -> bool:
    allowed = request.app[SETTINGS].allowed_origins
    return ANY_ORIGIN in allowed or origin.lower() in allowed


async def _mark(request: web.Request, response: web.StreamResponse) -> None:
    if request.path.startswith("/static/"):
        response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = "*"
        response.headers[_RESOURCE_POLICY] = "cross-origin"
    elif request.path.startswith(ROOTS) and request.app[SETTINGS].allowed_origins:
        _mark_api(request, response)


def _mark_api(request: web.Request, response: web.StreamResponse) -> None:
    headers = response.headers
    headers[_RESOURCE_POLICY] = "cross-origin"  # thumbnails, in pages that are isolated (COEP)
    if ANY_ORIGIN in request.app[SETTINGS].allowed_origins:
        headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = ANY_ORIGIN
    else:
        headers.add(hdrs.VARY, hdrs.ORIGIN)  # also without an Origin: caches keep this answer for requests with one
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is None or not _allows(request, origin):
            return
        headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
    headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = EXPOSED_HEADERS
