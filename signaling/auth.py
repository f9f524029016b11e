"""Who is asking. Lists show only the asker's own; any one resource opens to whoever knows its random id.

An owner is a string. It comes from one of:
- the cookie `__Host-lacquer_owner` (`lacquer_owner` over plain HTTP), a JWT we sign (aud "owner"), made up on the first
  visit;
- `Authorization: Bearer` with a JWT of the host application, signed with the same SECRET_KEY, or with a key of its
  identity provider (host_tokens.py): its `sub` is the owner;
- `Authorization: Bearer` with a session's token (aud "session"): the session's owner, but for that session alone.

Own designs are changed, and all is looked after (`/admin/…`), by who shows LACQUER_ADMIN_TOKEN as bearer token, and by
nobody else (admin_access.py).

LACQUER_OPEN=false lets only users of the host application start sessions (`check_may_create`), and makes up no owners.

A bearer token that does not verify is refused with 401, for someone meant to be somebody. A cookie that does not is
replaced: browsers keep old ones, and nobody chose to send it.
"""

from __future__ import annotations

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
from signaling.host_tokens import HostTokens
from signaling.sessions import Session
from signaling.settings import SETTINGS
from signaling.urls import ROOTS, base_url
from signaling.watch_ids import WatchIds

COOKIE = "lacquer_owner"
"""Over plain HTTP, where there is nothing better; over HTTPS only taken over, from before there was the other."""

HOST_COOKIE = "__Host-lacquer_owner"
"""Browsers let nobody set it but this very host over HTTPS: no other host of the site can make people somebody else,
and find their photos in its own list (RFC 6265bis §4.1.3.2)."""

COOKIES = (HOST_COOKIE, COOKIE)
COOKIE_LIFETIME = 365 * 24 * 3600

TOKEN_MARGIN = 600
"""Seconds for which a session's token outlives the session: to list and delete what it saved, by any clock."""

MAX_TOKEN_SIZE = 4096
"""Bytes; what is longer is not looked at."""

MIN_KEY_BYTES = 32
"""RFC 7518 §3.2: HS256 needs a key of 256 bits or more."""

HOST_AUDIENCE = "lacquer"

_OWNER, _SESSION = "owner", "session"

log = structlog.get_logger()


@dataclass(frozen=True)
class Caller:
    owner: str
    session_id: str | None = None
    """Set where the caller showed a session's token: it speaks for this session only."""
    host: bool = False
    """Whether a host application vouches for them."""


class Tokens:
    """Signs and reads JWTs of our key: our own, and those of a host application that shares it. HS256 and nothing
    else. `issuer` and `audience` are what a host application's tokens must say, where an operator named them."""

    def __init__(self, key: str, *, issuer: str | None = None, audience: str | None = None) -> None:
        raw = key.encode()
        if len(raw) < MIN_KEY_BYTES:
            log.warning("secret key short", bytes=len(raw), needed=MIN_KEY_BYTES)
        # HMAC pads a short key with zeros itself (RFC 2104 §2), so this changes no signature: it only tells PyJWT,
        # which would warn at every token, that the one warning above is enough.
        self._key = raw.ljust(MIN_KEY_BYTES, b"\0")
        self._issuer, self._audience = issuer, audience
        self.watch_ids = WatchIds(self._key)

    def for_session(self, session_id: str, owner: str, expires_at: float) -> str:
        """Valid for as long as the session, in Unix time, and a little longer."""
        return self._sign({"aud": _SESSION, "sub": owner, "sid": session_id}, expires_at + TOKEN_MARGIN)

    def for_cookie(self, owner: str) -> str:
        return self._sign({"aud": _OWNER, "sub": owner}, time.time() + COOKIE_LIFETIME)

    def read_bearer(self, token: str | bytes) -> Caller:
        """Raises Unauthorized."""
        claims = self._read(token)
        audience = claims.get("aud")
        if audience == _SESSION and isinstance(claims.get("sid"), str):
            return Caller(claims["sub"], claims["sid"])
        if audience == _OWNER:
            return Caller(claims["sub"])
        if not self._is_for_us(audience):
            raise Unauthorized("the token is meant for something else")
        if self._issuer is not None and claims.get("iss") != self._issuer:
            raise Unauthorized("the token is of another issuer")
        return Caller(claims["sub"], host=True)

    def _is_for_us(self, audience: object) -> bool:
        """Whether a host application's token is. It may go without an audience, where none was asked for."""
        if audience is None:
            return self._audience is None
        expected = self._audience or HOST_AUDIENCE
        return expected in audience if isinstance(audience, list) else expected == audience

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

    def _sign(self, claims: dict[str, Any], expires_at: float) -> str:
        return jwt.encode({**claims, "iat": int(time.time()), "exp": int(expires_at)}, self._key, "HS256")

    def _read(self, token: str | bytes) -> dict[str, Any]:
        options: jwt.types.Options = {"require": ["sub"], "verify_aud": False, "verify_iat": False}
        try:
            claims = jwt.decode(as_sent(token), self._key, algorithms=["HS256"], options=options)
        except jwt.InvalidTokenError as error:
            raise Unauthorized(f"the token is not valid: {error}") from error
        check_subject(claims["sub"])
        return claims


def check_subject(subject: str) -> None:
    """Whether it can be an owner. Raises Unauthorized."""
    if not 0 < len(subject) <= 255:
        raise Unauthorized("the token's `sub` must have 1 to 255 characters")
    if "\0" in subject or any("\ud800" <= sign <= "\udfff" for sign in subject):
        raise Unauthorized("the token's `sub` holds what no database takes: NUL, or half of a surrogate pair")


TOKENS = web.AppKey("tokens", Tokens)
HOST_TOKENS = web.AppKey("host_tokens", HostTokens)
"""Where LACQUER_JWKS_URL is set."""
_CALLER = web.RequestKey("caller", Caller)
_HAND_OUT = web.RequestKey("hand_out", str)
"""The owner whose cookie goes with the answer."""
FOR_ADMINS: set[Handler] = set()
"""Handlers whose bearer token is no JWT: see admin_access.py."""


def caller(request: web.Request) -> Caller:
    """Who is asking; someone unknown becomes a new owner, and gets a cookie with the answer. Raises Unauthorized for
    them where sessions are for the host application's users alone."""
    someone = known_caller(request)
    if someone is None:
        _check_open(request)
        someone = request[_CALLER] = Caller(_somebody_new())
        request[_HAND_OUT] = someone.owner
    return someone


def new_sessions_owner(request: web.Request) -> str:
    """Of a session that is started now. A session's token speaks for that session alone, so who shows one is somebody
    new here: else whoever is handed one could fill its owner's list, and use up what its owner may do."""
    who = known_caller(request)
    return _somebody_new() if who is not None and who.session_id is not None else caller(request).owner


def _somebody_new() -> str:
    return f"anonymous:{uuid.uuid4()}"


def known_caller(request: web.Request) -> Caller | None:
    """Who is asking, where that is told by a token or a cookie."""
    if _CALLER not in request and (someone := _by_cookie(request)):
        request[_CALLER] = someone
    return request.get(_CALLER)


def _by_cookie(request: web.Request) -> Caller | None:
    tokens, secure = request.app[TOKENS], _is_secure(request)
    if secure and (someone := tokens.read_cookie(request.cookies.get(HOST_COOKIE, ""))):
        return someone
    someone = tokens.read_cookie(request.cookies.get(COOKIE, ""))
    if secure and someone:
        request[_HAND_OUT] = someone.owner  # under the better name
    return someone


def _is_secure(request: web.Request) -> bool:
    return base_url(request).startswith("https:")


def speaks_for(request: web.Request, session: Session) -> bool:
    """Whether the session is the caller's own, beyond knowing its id."""
    who = known_caller(request)
    return who is not None and who.owner == session.owner and who.session_id in (None, session.session_id)


def check_may_create(request: web.Request) -> None:
    """Whether the caller may start sessions. Raises Unauthorized."""
    if not (_CALLER in request and request[_CALLER].host):
        _check_open(request)


def _check_open(request: web.Request) -> None:
    if not request.app[SETTINGS].open:
        raise Unauthorized("this is for users of the host application alone: send its token, `Authorization: Bearer …`")


def require_speaker(request: web.Request, session: Session) -> None:
    """Lets pass who shows a bearer token that speaks for this session: its own, or its owner's.

    Raises Unauthorized without any, Forbidden with somebody else's.
    """
    if bearer(request) is None:
        raise Unauthorized("send the session's `token` as bearer token: `Authorization: Bearer …`")
    if not speaks_for(request, session):
        raise Forbidden("this token speaks for another session")


def bearer(request: web.Request) -> str | None:
    """The bearer token that is shown, if one is."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def as_sent(text: str | bytes) -> bytes:
    """A header's bytes: aiohttp hides those that are no UTF-8 in surrogates."""
    return text if isinstance(text, bytes) else text.encode(errors="surrogateescape")


@web.middleware
async def identify(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Reads a bearer token where one is sent, and hands out the cookie where `caller` made an owner up."""
    token = bearer(request)
    if token is not None and request.path.startswith(ROOTS) and request.match_info.handler not in FOR_ADMINS:
        request[_CALLER] = await _read_bearer(request, as_sent(token))
    response = await handler(request)
    if owner := request.get(_HAND_OUT):
        secure = _is_secure(request)
        response.set_cookie(
            HOST_COOKIE if secure else COOKIE,
            request.app[TOKENS].for_cookie(owner),
            max_age=COOKIE_LIFETIME,
            httponly=True,
            samesite="Lax",
            secure=secure,
        )
    return response


async def _read_bearer(request: web.Request, token: bytes) -> Caller:
    """Raises Unauthorized."""
    if len(token) > MAX_TOKEN_SIZE:
        raise Unauthorized(f"the token is longer than {MAX_TOKEN_SIZE} bytes")
    provider = request.app.get(HOST_TOKENS)
    if provider is None or not provider.reads(token):
        return request.app[TOKENS].read_bearer(token)
    claims = await provider.claims(token)
    check_subject(claims["sub"])
    return Caller(claims["sub"], host=True)
