"""What no log may show, taken out of a line that is about to be written. Pure.

The last line of defence: no code of ours logs a token, a picture, an SDP or a client's address. But errors of libraries
carry what they choked on, and somebody will write the wrong line one day.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from ipaddress import ip_address
from typing import Any

HIDDEN = "[hidden]"

SECRET_KEYS = frozenset(
    (
        *("token", "access_token", "secret", "password", "credential", "credentials", "authorization"),
        *("cookie", "cookies", "sdp", "offer", "answer"),
    )
)
"""Names of log fields whose values never show, whatever they look like."""

_BREAK = r"(?:(?:\\{1,2}r)?\\{1,2}n|\r?\n)"
"""A line's end, as it is or as `repr` and JSON write it."""

_REST = r"[^\r\n\\\"']*"
"""What follows in the same line."""

_ODD_BYTE = r"(?:\\{1,2}x|\\u00)[0-9a-fA-F]{2}"
_PLAIN_BYTES = r"[^\\\"'\s]{0,24}(?:\\{1,2}[nrt\\'\"][^\\\"'\s]{0,24})*"

_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    # A session description, as a whole or in single lines (RFC 8866).
    (re.compile(rf"v=0{_BREAK}(?:[a-z]={_REST}(?:{_BREAK}|(?=[\"'])|$))+"), "[sdp]"),
    (re.compile(rf"\b[ac]=(?:IN |candidate|remote-candidates|ice-ufrag|ice-pwd|fingerprint|crypto){_REST}"), "[sdp]"),
    (re.compile(rf"\bcandidate:{_REST}"), "[sdp]"),
    # JWTs (RFC 7519), credentials in headers, and in what is written like a query string or a JSON object.
    (re.compile(r"\beyJ[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*){0,4}"), HIDDEN),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9+/._~=-]{6,}"), rf"\1 {HIDDEN}"),
    (
        re.compile(
            r"(?i)(\b\w*(?:token|secret|password|credential|api_key|lacquer_owner)[\"']?\s*[=:]\s*[\"']?)"
            r"[^\s\"'&,;})\]]{6,}"
        ),
        rf"\1{HIDDEN}",
    ),
    # Pictures: bytes as `repr` and JSON write them, and base64.
    (re.compile(rf"(?:{_ODD_BYTE}{_PLAIN_BYTES}){{4,}}"), "[bytes]"),
    (re.compile(r"[A-Za-z0-9+/_-]{200,}={0,2}"), "[data]"),
)

_MDNS = re.compile(r"\b[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}\.local\b")
_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]*\w)")
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:])")
_OURS = ("://", "://[")
"""Before the address of one of our own services: which worker does not answer is what operators read logs for."""


def redact(text: str, *, addresses: bool = False) -> str:
    """The text without secrets and pictures; `addresses` keeps the addresses in it."""
    for pattern, instead in _RULES:
        text = pattern.sub(instead, text)
    if addresses:
        return text
    text = _MDNS.sub("[address]", text)
    return _IPV6.sub(_without_address, _IPV4.sub(_without_address, text))


def _without_address(match: re.Match[str]) -> str:
    """This machine's own are kept, and what only looks like an address: a time, a version."""
    try:
        address = ip_address(match[0])
    except ValueError:
        return match[0]
    ours = address.is_loopback or address.is_unspecified or match.string[: match.start()].endswith(_OURS)
    return match[0] if ours else "[address]"


def hide_fields(fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Of one event: fields that are secret by name, and bytes that are no text."""
    for name, value in fields.items():
        if name.lower() in SECRET_KEYS:
            fields[name] = HIDDEN
        elif isinstance(value, (bytes, bytearray, memoryview)):
            fields[name] = _plain(bytes(value))
        elif isinstance(value, Mapping):
            fields[name] = hide_fields(dict(value))
    return fields


def _plain(data: bytes) -> str:
    """Text that came as bytes stays; `redact` looks at it with the rest."""
    text = data.decode("ascii", errors="replace")
    return text if text.isascii() and text.replace("\n", "").replace("\r", "").isprintable() else f"[{len(data)} bytes]"
