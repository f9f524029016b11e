"""Who is asking. Lists show only the asker's own; any one resource opens to whoever knows its random id.

An owner is a string. It comes from one of:
- the cookie `lacquer_owner`, a JWT we sign (aud "owner"), made up on the first visit;
- `Authorization: Bearer` with a JWT of the host application, signed with the same SECRET_KEY: its `sub` is the owner;
- `Authorization: Bearer` with a session's token (aud "session"): the session's owner, but for that session alone.

Own designs are changed, and all is looked after (`/admin/…`), by who shows LACQUER_ADMIN_TOKEN as bearer token, and by
nobody else.

A bearer token that does not verify is refused with 401, for someone meant to be somebody. A cookie that does not is
replaced: browsers keep old ones, and nobody chose to send it.
"""

from __future__ import annotations

import functools
import hmac
import time
import uuid
from dataclasses import dataclass
from typing import Any

import jwt
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from protocol.errors import Forbidden, Unauthorized
from signaling.sessions import Session
from signaling.settings import SETTINGS
from signaling.urls import ROOTS, base_url
from signaling.watch_ids import WatchIds

COOKIE = "lacquer_owner"
COOKIE_LIFETIME = 365 * 24 * 3600
TOKEN_LIFETIME = 24 * 3600
"""Seconds: far over a session's half hour, so that extensions need no new token."""

MIN_KEY_BYTES = 32
"""RFC 7518 §3.2: HS256 needs a key of 256 bits or more."""

_OWNER, _SESSION, _HOST = "owner", "session", "lacquer"

log = structlog.get_logger()


@dataclass(frozen=True)
class Caller:
    owner: str
    session_id: str | None = None
    """Set where the caller showed a session's token: it speaks for this session only."""


class Tokens:
    """Signs and reads our JWTs."""

    def __init__(self, key: str) -> None:
        raw = key.encode()
        if len(raw) < MIN_KEY_BYTES:
            log.warning("secret key short", bytes=len(raw), needed=MIN_KEY_BYTES)
        # HMAC pads a short key with zeros itself (RFC 2104 §2), so this changes no signature: it only tells PyJWT,
        # which would warn at every token, that the one warning above is enough.
        self._key = raw.ljust(MIN_KEY_BYTES, b"\0")
        self.watch_ids = WatchIds(self._key)

    def for_session(self, session_id: str, owner: str) -> str:
        return self._sign({"aud": _SESSION, "sub": owner, "sid": session_id}, TOKEN_LIFETIME)

    def for_cookie(self, owner: str) -> str:
        return self._sign({"aud": _OWNER, "sub": owner}, COOKIE_LIFETIME)

    def read_bearer(self, token: str) -> Caller:
        """Raises Unauthorized."""
        claims = self._read(token)
        audience = claims.get("aud", _HOST)
        if audience == _SESSION and isinstance(claims.get("sid"), str):
            return Caller(claims["sub"], claims["sid"])
        if audience in (_HOST, _OWNER):
            return Caller(claims["sub"])
        raise Unauthorized("the token is meant for something else")

    def read_cookie(self, token: str) -> Caller | None:
        """None where the cookie is of no use. Only aud "owner" counts: a session's token stays bound to its session."""
        try:
            claims = self._read(token)
        except Unauthorized:
            return None
        return Caller(claims["sub"]) if claims.get("aud") == _OWNER else None

    def pseudonym(self, owner: str) -> str:
        """Tells owners apart for who looks after the service, and says nothing of who they are."""
        return hmac.new(self._key, b"pseudonym " + owner.encode(errors="surrogateescape"), "sha256").hexdigest()[:10]

    def _sign(self, claims: dict[str, Any], lifetime: int) -> str:
        now = int(time.time())
        return jwt.encode({**claims, "iat": now, "exp": now + lifetime}, self._key, "HS256")

    def _read(self, token: str) -> dict[str, Any]:
        options: jwt.types.Options = {"require": ["sub"], "verify_aud": False, "verify_iat": False}
        try:
            claims = jwt.decode(_as_sent(token), self._key, algorithms=["HS256"], options=options)
        except jwt.InvalidTokenError as error:
            raise Unauthorized(f"the token is not valid: {error}") from error
        if not 0 < len(claims["sub"]) <= 255:
            raise Unauthorized("the token's `sub` must have 1 to 255 characters")
        if "\0" in claims["sub"] or any("\ud800" <= sign <= "\udfff" for sign in claims["sub"]):
            raise Unauthorized("the token's `sub` holds what no database takes: NUL, or half of a surrogate pair")
        return claims


TOKENS = web.AppKey("tokens", Tokens)
_CALLER = web.RequestKey("caller", Caller)
_NEW_OWNER = web.RequestKey("new_owner", str)
_FOR_ADMINS: set[Handler] = set()
"""Handlers whose bearer token is no JWT."""


def caller(request: web.Request) -> Caller:
    """Who is asking; someone unknown becomes a new owner, and gets a cookie with the answer."""
    if _CALLER in request:
        return request[_CALLER]
    someone = request.app[TOKENS].read_cookie(request.cookies.get(COOKIE, ""))
    if someone is None:
        someone = Caller(f"anonymous:{uuid.uuid4()}")
        request[_NEW_OWNER] = someone.owner
    request[_CALLER] = someone
    return someone


def require_speaker(request: web.Request, session: Session) -> None:
    """Lets pass who shows a bearer token that speaks for this session: its own, or its owner's.

    Raises Unauthorized without any, Forbidden with somebody else's.
    """
    if _bearer(request) is None:
        raise Unauthorized("send the session's `token` as bearer token: `Authorization: Bearer …`")
    who = caller(request)
    if who.owner != session.owner or who.session_id not in (None, session.session_id):
        raise Forbidden("this token speaks for another session")


def admin_only(handler: Handler) -> Handler:
    """The handler, for who shows the admin token. Raises Forbidden where there is none, Unauthorized without it."""

    @functools.wraps(handler)
    async def guarded(request: web.Request) -> web.StreamResponse:
        _check_admin(request.app[SETTINGS].admin_token, _bearer(request))
        return await handler(request)

    _FOR_ADMINS.add(guarded)
    return guarded


def _check_admin(expected: str | None, shown: str | None) -> None:
    if expected is None:
        raise Forbidden("this is switched off here: set LACQUER_ADMIN_TOKEN, and send it as bearer token")
    if shown is None or not hmac.compare_digest(_as_sent(shown), expected.encode()):
        raise Unauthorized("send LACQUER_ADMIN_TOKEN as bearer token: `Authorization: Bearer …`")


def _bearer(request: web.Request) -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _as_sent(text: str) -> bytes:
    """A header's bytes: aiohttp hides those that are no UTF-8 in surrogates."""
    return text.encode(errors="surrogateescape")


@web.middleware
async def identify(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Reads a bearer token where one is sent, and hands out the cookie where `caller` made an owner up."""
    token = _bearer(request)
    if token is not None and request.path.startswith(ROOTS) and request.match_info.handler not in _FOR_ADMINS:
        request[_CALLER] = request.app[TOKENS].read_bearer(token)
    response = await handler(request)
    if owner := request.get(_NEW_OWNER):
        response.set_cookie(
            COOKIE,
            request.app[TOKENS].for_cookie(owner),
            max_age=COOKIE_LIFETIME,
            httponly=True,
            samesite="Lax",
            secure=base_url(request).startswith("https:"),
        )
    return response
