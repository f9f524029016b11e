"""WebKitGTK's MiniBrowser over WebDriver (https://www.w3.org/TR/webdriver2/), on a screen of its own."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import time
from asyncio.subprocess import DEVNULL, PIPE, create_subprocess_exec
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from aiohttp import ClientConnectorError, ClientSession, ClientTimeout

from tests.browser.engines.engine import STEP_SECONDS, Engine, announced, stop

DRIVER, SCREEN = shutil.which("WebKitWebDriver"), shutil.which("Xvfb")
BROWSER = next(iter(sorted(Path("/usr/lib").glob("*/webkit2gtk-4*/MiniBrowser"), reverse=True)), None)

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""The key under which WebDriver names an element (§12.1 of the standard)."""

FEATURES = "toolbar=no,menubar=no,location=no"

OFFLINE = {"no_proxy": "*", "WEBKIT_DISABLE_DMABUF_RENDERER": "1", "LIBGL_ALWAYS_SOFTWARE": "1"}


class WebKit(Engine):
    """One window."""

    def __init__(self, http: ClientSession) -> None:
        self._http = http
        self._session = ""

    async def open(self, width: int, height: int) -> None:
        """Waits for the driver, which does not say when it listens, and has it open a window whose page is this large.

        MiniBrowser's own windows are as wide as their toolbar at least; those that a page opens have none.
        """
        deadline = time.monotonic() + STEP_SECONDS
        while not await self._answers():
            assert time.monotonic() < deadline, "WebKitWebDriver does not answer"
            await asyncio.sleep(0.05)
        arguments = ["--automation", "--javascript-can-open-windows-automatically=true"]
        options = {"binary": str(BROWSER), "args": arguments}
        capabilities = {"browserName": "MiniBrowser", "webkitgtk:browserOptions": options}
        answer = await self._call("POST", "/session", capabilities={"alwaysMatch": capabilities})
        self._session = f"/session/{answer['sessionId']}"
        (first,) = await self._call("GET", f"{self._session}/window/handles")
        await self.evaluate(f"void open('about:blank', '', '{FEATURES},width={width},height={height}')")
        (second,) = set(await self._call("GET", f"{self._session}/window/handles")) - {first}
        await self._call("POST", f"{self._session}/window", handle=second)

    async def goto(self, url: str) -> None:
        await self._call("POST", f"{self._session}/url", url=url)

    async def evaluate(self, expression: str) -> Any:
        script = f"""const done = arguments[0];
            (async () => JSON.stringify(await ({expression})))().then(
              (value) => done({{ value }}), (error) => done({{ error: String(error) }}));"""
        answer = await self._call("POST", f"{self._session}/execute/async", script=script, args=[])
        assert "error" not in answer, answer["error"]
        return json.loads(answer.get("value") or "null")

    async def click(self, selector: str) -> None:
        found = await self._call("POST", f"{self._session}/element", using="css selector", value=selector)
        await self._call("POST", f"{self._session}/element/{found[ELEMENT]}/click")

    async def close(self) -> None:
        await self._call("DELETE", self._session)

    async def _answers(self) -> bool:
        with suppress(ClientConnectorError):
            return bool((await self._call("GET", "/status"))["ready"])
        return False

    async def _call(self, verb: str, path: str, **parameters: Any) -> Any:
        body = parameters if verb == "POST" else None
        async with self._http.request(verb, path, json=body) as response:
            value = (await response.json())["value"]
            assert response.ok, f"{path}: {value}"
            return value


@asynccontextmanager
async def webkit(width: int = 390, height: int = 844) -> AsyncIterator[WebKit]:
    """MiniBrowser with a page of this size. It has no camera and no RTCPeerConnection."""
    assert DRIVER
    assert SCREEN
    screen = await create_subprocess_exec(
        *(SCREEN, "-displayfd", "1", "-screen", "0", "1600x1200x24", "-nolisten", "tcp"), stdout=PIPE, stderr=DEVNULL
    )
    try:
        display = await announced(screen.stdout, r"(\d+)")
        environment = {**os.environ, **OFFLINE, "DISPLAY": f":{display}"}
        port = free_port()
        driver = await create_subprocess_exec(DRIVER, f"--port={port}", stdout=DEVNULL, stderr=DEVNULL, env=environment)
        try:
            async with ClientSession(f"http://127.0.0.1:{port}", timeout=ClientTimeout(STEP_SECONDS * 2)) as http:
                page = WebKit(http)
                await page.open(width, height)
                yield page
                await page.close()
        finally:
            await stop(driver)
    finally:
        await stop(screen)


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
