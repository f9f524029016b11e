"""What is for operators alone: who shows LACQUER_ADMIN_TOKEN as bearer token.

Whoever shows wrong ones is soon not listened to any more, right or wrong: else tokens could be tried all day. That is
counted by address, so operators elsewhere notice nothing.
"""

from __future__ import annotations

import functools
import hmac

from aiohttp import web
from aiohttp.typedefs import Handler

from protocol.errors import Forbidden, Unauthorized
from signaling import rates
from signaling.auth import FOR_ADMINS, as_sent, bearer
from signaling.settings import SETTINGS


def admin_only(handler: Handler) -> Handler:
    """The handler, for who shows the admin token. No cache keeps its answers.

    Raises Forbidden where there is none, Unauthorized without it, RateLimited after too many wrong ones.
    """

    @functools.wraps(handler)
    async def guarded(request: web.Request) -> web.StreamResponse:
        await _check(request)
        response = await handler(request)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    FOR_ADMINS.add(guarded)
    return guarded


async def _check(request: web.Request) -> None:
    expected, shown = request.app[SETTINGS].admin_token, bearer(request)
    if expected is None:
        raise Forbidden("this is switched off here: set LACQUER_ADMIN_TOKEN, and send it as bearer token")
    if shown is None:
        raise Unauthorized("send LACQUER_ADMIN_TOKEN as bearer token: `Authorization: Bearer …`")
    async with request.app[rates.RATES].guessing:
        await rates.may_be_admin(request)
        right = hmac.compare_digest(as_sent(shown), expected.encode())
        if not right:
            await rates.wrong_admin_token(request)
    if not right:
        raise Unauthorized("this is not LACQUER_ADMIN_TOKEN")
