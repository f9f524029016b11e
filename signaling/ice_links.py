"""ICE servers as `Link` headers (RFC 9725 §4.6), for clients that know nothing of our REST."""

from __future__ import annotations

from collections.abc import Iterable

from protocol.api import IceServer


def ice_links(servers: Iterable[IceServer]) -> list[str]:
    """The values of one `Link` header for each address."""
    return [_link(url, server) for server in servers for url in server.urls]


def _link(url: str, server: IceServer) -> str:
    link = f'<{url}>; rel="ice-server"'
    if server.username is None or server.credential is None:
        return link
    user, secret = _quoted(server.username), _quoted(server.credential)
    return f'{link}; username={user}; credential={secret}; credential-type="password"'


def _quoted(text: str) -> str:
    """As a quoted-string (RFC 9110 §5.6.4)."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
