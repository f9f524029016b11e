"""Pictures over HTTP: with an ETag, and never anything but a picture to the browser."""

from __future__ import annotations

from aiohttp import web

from signaling.images import inspect

PRIVATE = "private, max-age=3600, immutable"
"""A kept picture never changes under its id; only who knows the id may keep a copy."""

PUBLIC = "public, max-age=86400"


def image_response(
    request: web.Request, data: bytes, content_type: str | None = None, *, tag: str, cache: str = PRIVATE
) -> web.Response:
    """200 with the image, or 304 where the browser has it already. `tag` names these very bytes."""
    headers = {"ETag": f'"{tag}"', "Cache-Control": cache}
    if any(known.value in (tag, "*") for known in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    headers |= {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'"}
    return web.Response(body=data, headers=headers, content_type=content_type or inspect(data).content_type)
