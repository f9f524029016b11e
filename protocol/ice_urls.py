"""Addresses of STUN and TURN servers as people write them (RFC 7064, RFC 7065). Pure text in, text out.

    stun:HOST[:PORT]     stuns:HOST[:PORT]
    turn:HOST[:PORT][?transport=udp|tcp]     turns:HOST[:PORT][?transport=tcp]

`turns:` speaks TLS, so it runs over TCP. An IPv6 address stands in brackets.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

STUN, TURN = ("stun", "stuns"), ("turn", "turns")

_URL = re.compile(
    r"(?P<scheme>[A-Za-z]+):(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:(?P<port>\d{1,5}))?(\?(?P<query>.*))?"
)
_TRANSPORT = re.compile(r"transport=(udp|tcp)")


@dataclass(frozen=True)
class IceUrl:
    scheme: str
    host: str
    port: int
    transport: str
    """`udp` or `tcp`: between the client and this server."""


def parse(url: str, schemes: Sequence[str] = STUN + TURN) -> IceUrl:
    """Raises ValueError with a sentence for people."""
    parts = _URL.fullmatch(url)
    example = f"{schemes[0]}:{schemes[0]}.example.org:3478"
    if parts is None or parts["scheme"].lower() not in schemes:
        raise ValueError(f"{url!r:.80} is no address of such a server: write {' or '.join(schemes)}, as in {example}")
    scheme, port = parts["scheme"].lower(), int(parts["port"] or 0)
    if parts["port"] and not 0 < port < 65536:
        raise ValueError(f"{url!r:.80}: a port is a number from 1 to 65535")
    return IceUrl(
        scheme=scheme,
        host=parts["host"],
        port=port or (5349 if scheme.endswith("s") else 3478),
        transport=_transport(url, scheme, parts["query"]),
    )


def _transport(url: str, scheme: str, query: str | None) -> str:
    secure = scheme.endswith("s")
    if query is None:
        return "tcp" if secure else "udp"
    asked = _TRANSPORT.fullmatch(query)
    if scheme in STUN or asked is None:
        raise ValueError(f"{url!r:.80}: only ?transport=udp and ?transport=tcp may follow, and only after turn:")
    if secure and asked[1] == "udp":
        raise ValueError(f"{url!r:.80}: turns: is TLS, which runs over TCP; DTLS is not taken by browsers")
    return asked[1]


def parse_list(text: str | Sequence[str], schemes: Sequence[str]) -> tuple[str, ...]:
    """Addresses separated by commas, each of them checked. Raises ValueError."""
    parts = text.split(",") if isinstance(text, str) else text
    urls = tuple(stripped for part in parts if (stripped := part.strip()))
    for url in urls:
        parse(url, schemes)
    return urls
