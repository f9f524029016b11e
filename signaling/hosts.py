"""Under which names this server is asked for. A page elsewhere can make its own name lead to this machine (DNS
rebinding), and then read and write here as if it were ours; but the `Host` that browsers send gives it away.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler
from yarl import URL

from protocol.errors import BadRequest, Misdirected
from signaling.settings import ANY_HOST, Settings

LOCAL = ("localhost", "127.0.0.1", "::1")

FOR_MACHINES = ("/healthz", "/readyz", "/metrics")
"""Asked for by address, or by a name inside a cluster; they tell of no person, and change nothing."""

_HOST = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(:\d{1,5})?|\[(?P<v6>[0-9A-Fa-f:.]+)\](:\d{1,5})?")

NAMES = web.AppKey("host_names", frozenset[str])
"""Empty: any name is as good as another."""


def names(settings: Settings) -> frozenset[str]:
    """Those that are ours: named, or that of the public URL; this machine's own browsers always get in."""
    named = set(settings.allowed_hosts)
    if settings.public_url:
        named.add((URL(settings.public_url).host or "").lower())
    return frozenset() if not named or ANY_HOST in named else frozenset(named | set(LOCAL))


@web.middleware
async def check_host(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Raises Misdirected for other names, BadRequest for what is none; WebSockets are refused before the upgrade."""
    ours = request.app[NAMES]
    if ours and request.path not in FOR_MACHINES:
        refuse_others(request.headers.get(hdrs.HOST, ""), ours)
    return await handler(request)


def refuse_others(host: str, ours: Collection[str]) -> None:
    """Raises Misdirected, BadRequest."""
    name = host_name(host)
    if name is None:
        raise BadRequest(f"the Host header {host!r:.80} names no host")
    if name not in ours:
        raise Misdirected(f"{name:.200} is no name of this server: add it to LACQUER_ALLOWED_HOSTS")


def host_name(host: str) -> str | None:
    """`Nails.Example.:8000` → `nails.example`; an IPv6 address without its brackets. None for what is no host."""
    parts = _HOST.fullmatch(host)
    if parts is None:
        return None
    return (parts["name"] or parts["v6"]).lower().rstrip(".") or None
