"""A person with a page open: streams a small picture, and connects again by itself as the page does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from itertools import pairwise
from typing import Any

import aiohttp
import numpy as np

from tests.rtc_client import RtcClient

STILL_FRAMES = 2.5
"""Without a picture for so long, a viewer asks whether its connection is still held (protocol/README.md)."""

SESSIONS = "/api/try-on/sessions/"
FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag"}
SDP = {"Content-Type": "application/sdp"}


class Viewer:
    def __init__(
        self, http: aiohttp.ClientSession, signaling: Sequence[str], clip: list[np.ndarray], number: int, fps: float
    ) -> None:
        """Each request goes to another of the signaling processes in turn."""
        self.fps = fps
        self._http, self._signaling, self._clip = http, signaling, clip
        self._turn = number
        self.design = 2 + number
        self.session_id = ""
        self.back_after: list[float] = []
        """Seconds from noticing that the connection is lost until a processed frame was sent over the next one."""
        self.refusals: list[int] = []
        """What was answered to offers instead of 201."""
        self.lost: str = ""
        """Why it gave up, if it did."""
        self.client: RtcClient | None = None
        self._stack = AsyncExitStack()
        self._connection = "", ""
        """Its URL and its ETag."""

    async def __aenter__(self) -> Viewer:
        async with self._http.post(self._next() + SESSIONS, json={"mode": "explore", "post_id": 1}) as response:
            assert response.status == 201, await response.text()
            self.session_id = (await response.json())["session_id"]
        async with self._stack:
            await self._connect()
            assert self.client
            await self.client.until(lambda: self.client and self.client.of("ready"), 20)
            self.client.say(type="config", design=self.design)
            await self.client.until(lambda: self.client and self.client.pictures, 20)
            watching = asyncio.create_task(self._watch())
            self._stack.push_async_callback(_stop, watching)
            self._stack = self._stack.pop_all()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._stack.aclose()

    def _next(self) -> str:
        self._turn += 1
        return self._signaling[self._turn % len(self._signaling)]

    # --- connecting -------------------------------------------------------------------------------------------------
    async def _connect(self) -> None:
        self.client = await self._stack.enter_async_context(RtcClient(self._clip, codec="VP8", fps=self.fps))
        await self.client.connect(self._offer)

    async def _offer(self, sdp: str) -> str:
        path = f"{SESSIONS}{self.session_id}/webrtc/"
        while True:
            async with self._http.post(self._next() + path, data=sdp, headers=SDP) as response:
                if response.status == 201:
                    self._connection = response.headers["Location"], response.headers["ETag"]
                    return await response.text()
                self.refusals.append(response.status)
            await asyncio.sleep(0.25)

    def is_live(self) -> bool:
        """Whether a processed frame was sent to it over the newest connection. Its own decoder shows a frame only when
        the next one comes, which at these rates says nothing of the server."""
        return self.client is not None and any(told["sent_at"] for told in self.client.of("metadata"))

    async def is_held(self) -> bool:
        """Whether its connection is: a PATCH without candidates changes nothing."""
        url, tag = self._connection
        path = "/api" + url.partition("/api")[2]
        headers = {**FRAGMENT, "If-Match": tag}
        async with self._http.patch(self._next() + path, data=b"", headers=headers) as response:
            return response.status == 204

    # --- watching ---------------------------------------------------------------------------------------------------
    async def _watch(self) -> None:
        try:
            while True:
                await self._until_lost()
                noticed, old = time.monotonic(), self.client
                await self._connect()
                assert self.client
                await self.client.until(self.is_live, 15)
                self.back_after.append(time.monotonic() - noticed)
                if old:
                    await old.close()
        except (AssertionError, aiohttp.ClientError) as error:
            self.lost = repr(error)

    async def _until_lost(self) -> None:
        assert self.client
        seen, seen_at = len(self.client.pts), time.monotonic()
        while not self.client.of("draining"):
            await asyncio.sleep(0.05)
            if len(self.client.pts) != seen:
                seen, seen_at = len(self.client.pts), time.monotonic()
            elif time.monotonic() - seen_at > STILL_FRAMES / self.fps:
                with suppress(aiohttp.ClientError):
                    if not await self.is_held():
                        return
                seen_at = time.monotonic()

    # --- what it sees -----------------------------------------------------------------------------------------------
    @property
    def settings(self) -> dict[str, Any]:
        """As its worker told when it connected last."""
        assert self.client
        ready: list[dict[str, Any]] = self.client.of("ready")
        settings: dict[str, Any] = ready[-1]["settings"]
        return settings

    def frames_lost(self, since: int) -> int:
        """Frames that did not come back, of those after the first `since`."""
        assert self.client
        step = round(90000 / self.fps)
        return sum(round((b - a) / step) - 1 for a, b in pairwise(self.client.pts[since:]))


async def _stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
