"""What the page talks to: serves it, passes its offers on to the server under test, takes the pictures it grabbed.

One origin for all, so that a server needs no CORS for being measured, and every server meets the very same page.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from importlib.resources import files
from typing import Any, Self

import numpy as np
from aiohttp import ClientError, ClientResponse, ClientSession, web

from media_worker.bench.errors import BenchError
from media_worker.vision.arrays import Pixels

Offer = Callable[[str], Awaitable[str]]
"""Takes an SDP offer to a server and brings the answer back. Raises BenchError."""

_FILES = files("media_worker.bench") / "page"
PAGE, SCRIPT = ((_FILES / name).read_text("utf-8") for name in ("index.html", "bench.js"))

SDP = {"Content-Type": "application/sdp"}


class Sessions:
    """Sessions of a Lacquer, one an offer; they end with the block."""

    def __init__(self, url: str, design: int = 1) -> None:
        self._url, self._design = url.rstrip("/"), design
        self._http = ClientSession()
        self._open: list[dict[str, Any]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        for session in self._open:
            url = f"{self._url}/api/try-on/sessions/{session['session_id']}/"
            with suppress(ClientError):  # a server that is gone has no sessions either
                async with self._http.delete(url, headers=_bearer(session)):
                    pass
        await self._http.close()

    async def offer(self, sdp: str) -> str:
        wanted = {"mode": "explore", "post_id": self._design}
        try:
            async with self._http.post(f"{self._url}/api/try-on/sessions/", json=wanted) as response:
                session = json.loads(await _accepted(response))
            self._open.append(session)
            headers = {**SDP, **_bearer(session)}
            async with self._http.post(session["webrtc_url"], data=sdp, headers=headers) as response:
                return await _accepted(response)
        except ClientError as error:
            raise BenchError(f"{self._url} cannot be reached: {error}") from error


async def echo_offer(url: str, sdp: str) -> str:
    """An offer to the stock echo."""
    async with ClientSession() as http, http.post(f"{url}/offer", data=sdp, headers=SDP) as response:
        return await _accepted(response)


class Hub:
    """The page's server. `pictures` holds what was grabbed: "sent" and "returned", pair by pair."""

    def __init__(self, offer: Offer) -> None:
        self.pictures: dict[str, list[Pixels]] = defaultdict(list)
        self._offer = offer

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[str]:
        """On a free port of loopback, which browsers trust with a camera; yields its address."""
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_get("/", _page)
        app.router.add_get("/bench.js", _script)
        app.router.add_post("/offer", self._answer)
        app.router.add_post("/picture/{name}", self._take)
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
        finally:
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        try:
            return web.Response(text=await self._offer(await request.text()))
        except BenchError as error:
            return web.Response(status=502, text=str(error))

    async def _take(self, request: web.Request) -> web.Response:
        """RGBA as a canvas gives it; alpha says nothing of a video."""
        width, height = int(request.query["width"]), int(request.query["height"])
        rgba = np.frombuffer(await request.read(), np.uint8).reshape(height, width, 4)
        self.pictures[request.match_info["name"]].append(np.ascontiguousarray(rgba[..., :3]))
        return web.Response(text="")


async def _page(request: web.Request) -> web.Response:
    return web.Response(text=PAGE, content_type="text/html")


async def _script(request: web.Request) -> web.Response:
    return web.Response(text=SCRIPT, content_type="text/javascript")


async def _accepted(response: ClientResponse) -> str:
    """The body. Raises BenchError with the server's own words."""
    text = await response.text()
    if not response.ok:
        raise BenchError(f"the server refused a stream ({response.status}): {text:.300}")
    return text


def _bearer(session: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {session['token']}"}
