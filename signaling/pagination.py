"""Lists: bare arrays, newest first, `?limit=` and `?before=<id>`, and where the next part is in `Link` (RFC 8288)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from aiohttp import web

from protocol.errors import InvalidFields
from signaling.operations import Schema
from signaling.paging import Page
from signaling.sessions import is_id
from signaling.urls import base_url

DEFAULT_LIMIT = 50
MAX_LIMIT = 200

QUERY: Mapping[str, Schema] = {
    "limit": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
    "before": {"type": "string", "format": "uuid", "description": "Only what is older than this entry."},
}

Entry = TypeVar("Entry")


def asked_page(request: web.Request) -> Page:
    """One entry more than is shown, to know whether there is more. Raises InvalidFields."""
    text = request.query.get("limit", str(DEFAULT_LIMIT))
    # isdecimal takes other scripts' digits too, and so does int; a sign, a space or nothing is refused.
    if not text.isdecimal() or len(text) > 3 or not 1 <= int(text) <= MAX_LIMIT:
        raise InvalidFields(f"limit: must be a whole number from 1 to {MAX_LIMIT}")
    before = request.query.get("before")
    if before is not None and not is_id(before):
        raise InvalidFields("before: is no id")
    return Page(limit=int(text) + 1, before=before and before.lower())


def cut(entries: list[Entry] | None, page: Page) -> tuple[list[Entry], bool]:
    """(the entries to show, whether there are more). Raises InvalidFields where `before` was not found."""
    if entries is None:
        raise InvalidFields("before: no entry of this list has this id")
    return entries[: page.limit - 1], len(entries) == page.limit


def link_header(request: web.Request, page: Page, last_id: str) -> dict[str, str]:
    query = f"limit={page.limit - 1}&before={last_id}"
    return {"Link": f'<{base_url(request)}{request.path}?{query}>; rel="next"'}
