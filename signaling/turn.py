"""STUN and TURN servers as browsers are told of them, with credentials of their own that expire.

The same list is in a created session's `ice_servers`, at `GET /api/try-on/ice-servers/`, and in `Link` headers beside
an SDP answer (RFC 9725 §4.6), for WHIP clients that know nothing of our REST.
"""

from __future__ import annotations

import secrets

from aiohttp import web

from protocol.api import IceServer
from protocol.turn_credentials import credentials
from signaling.auth import caller
from signaling.context import CONTEXT
from signaling.settings import SETTINGS, Settings


def ice_servers(settings: Settings, who: str, now: float) -> list[IceServer]:
    """Those with an address only, then those that relay. `who` is a session's id, never a person's."""
    servers = [*settings.ice_servers]
    if settings.stun_urls:
        servers.append(IceServer(urls=list(settings.stun_urls), username=None, credential=None))
    if settings.turn_urls and settings.turn_secret:
        username, password = credentials(settings.turn_secret, who, now + settings.turn_credentials_lifetime)
        servers.append(IceServer(urls=list(settings.turn_urls), username=username, credential=password))
    return servers


def for_session(request: web.Request, session_id: str) -> list[IceServer]:
    return ice_servers(request.app[SETTINGS], session_id, request.app[CONTEXT].clock())


def for_caller(request: web.Request) -> list[IceServer]:
    """Of the session whose token is shown, or of a name made up for once."""
    return for_session(request, caller(request).session_id or secrets.token_hex(8))


def ice_links(request: web.Request, session_id: str) -> list[tuple[str, str]]:
    """The same as headers, one for each address."""
    return [("Link", _link(url, server)) for server in for_session(request, session_id) for url in server.urls]


def _link(url: str, server: IceServer) -> str:
    link = f'<{url}>; rel="ice-server"'
    if server.username is None or server.credential is None:
        return link
    quoted = (_quoted(server.username), _quoted(server.credential))
    return f'{link}; username="{quoted[0]}"; credential="{quoted[1]}"; credential-type="password"'


def _quoted(text: str) -> str:
    """As a quoted-string has it (RFC 9110 §5.6.4); static credentials may hold anything."""
    return text.replace("\\", "\\\\").replace('"', '\\"')
