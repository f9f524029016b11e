"""One line for each request, at DEBUG: route patterns instead of paths, whose ids open things, and no query strings."""

from __future__ import annotations

import logging

import structlog
from aiohttp import web
from aiohttp.abc import AbstractAccessLogger

from signaling.operations import ROUTE
from signaling.rates import RATES
from signaling.settings import SETTINGS

log = structlog.get_logger(__name__)


class AccessLog(AbstractAccessLogger):
    """As aiohttp's AppRunner takes it. Its own shows addresses, whole request lines and referrers."""

    @property
    def enabled(self) -> bool:
        return logging.getLogger(__name__).isEnabledFor(logging.DEBUG)

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        fields = {"method": request.method, "route": request.get(ROUTE, "none"), "status": response.status}
        log.debug("request", **fields, ms=round(time * 1000), **_who(request))


def _who(request: web.BaseRequest) -> dict[str, str]:
    """Their address, where an operator wants it. What is no HTTP reaches no application, and shows none."""
    if not isinstance(request, web.Request) or ROUTE not in request or not request.app[SETTINGS].log_addresses:
        return {}
    return {"address": request.app[RATES].address(request)}
