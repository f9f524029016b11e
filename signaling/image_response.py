"""Pictures over HTTP: with an ETag, and never anything but a picture to the browser."""

from __future__ import annotations

import hashlib

from aiohttp import web

from signaling.images import inspect

PRIVATE = "private, max-age=3600, immutable"
"""A kept picture never changes under its id; only who knows the id may keep a copy."""

CHANGING = "private, no-cache"
"""It may look different the next time: browsers ask each time, and 304 is the usual answer."""

PUBLIC = "public, max-age=86400"


def image_response(
    request: web.Request, data: bytes, content_type: str | None = None, *, tag: str | None = None, cache: str = PRIVATE
) -> web.Response:
    """200 with the image, or 304 where the browser has it already. `tag` names these very bytes, or else their hash."""
    tag = tag or hashlib.sha256(data).hexdigest()[:32]
    headers = {"ETag": f'"{tag}"', "Cache-Control": cache}
    if any(known.value in (tag, "*") for known in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    headers |= {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'"}
    return web.Response(body=data, headers=headers, content_type=content_type or inspect(data).content_type)
