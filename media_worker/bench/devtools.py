"""A Chromium of our own, and its page driven by the DevTools protocol (https://chromedevtools.github.io/devtools-protocol/).

A WebSocket with JSON is all it takes, so that an operator needs a browser and no driver for it.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse

from media_worker.bench.errors import BenchError

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")

FLAGS = (
    *("--headless=new", "--disable-gpu", "--no-first-run", "--no-default-browser-check", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--autoplay-policy=no-user-gesture-required"),
    *("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"),
    # a hidden window is throttled, and what is measured would be the throttling
    *("--disable-background-timer-throttling", "--disable-renderer-backgrounding"),
)
START_SECONDS = 30.0


class Page:
    """A page in the browser. Calls are made one after the other."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = count(1)

    async def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression; promises are awaited. Raises BenchError with what the page threw."""
        parameters = {"expression": expression, "awaitPromise": True, "returnByValue": True}
        answer = await self._call("Runtime.evaluate", parameters)
        if "exceptionDetails" in answer:
            thrown = answer["exceptionDetails"]
            words = str(thrown.get("exception", {}).get("description", thrown["text"]))
            raise BenchError(f"the browser's page failed: {words.splitlines()[0].removeprefix('Error: ')}")
        return answer["result"].get("value")

    async def _call(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        while True:  # events and whatever else comes before the answer are of no use here
            try:
                message = await self._socket.receive_json()
            except TypeError as error:  # aiohttp's word for a message that is no text, such as a close
                raise BenchError("Chromium went away; is there memory left?") from error
            if message.get("id") == number:
                if "error" in message:
                    raise BenchError(f"Chromium refused {method}: {message['error']['message']}")
                return dict(message["result"])


def find(browser: str | None) -> str:
    """The path of the browser that was named, or of the first that is installed. Raises BenchError."""
    found = shutil.which(browser) if browser else next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        missing = f"{browser} is no program that can be run" if browser else "no Chromium was found on PATH"
        raise BenchError(f"{missing}; install it (Debian: apt-get install chromium), or name one with --browser PATH")
    return found


@asynccontextmanager
async def page(browser: str, camera: Path, profile: Path, url: str, ready: str) -> AsyncIterator[Page]:
    """Opens `url` in a Chromium that has `camera`, an .mjpeg, for a camera, and waits until the JavaScript expression
    `ready` is true. `profile` is a folder that it makes. Raises BenchError."""
    process = await asyncio.create_subprocess_exec(
        *(browser, *FLAGS, *_sandbox(), f"--use-file-for-fake-video-capture={camera}"),
        *("--remote-debugging-port=0", f"--user-data-dir={profile}", url),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with ClientSession() as http:
            address = await _debugger(http, profile, process, url)
            async with http.ws_connect(address, max_msg_size=0) as socket:
                opened = Page(socket)
                await _until(opened, ready)
                yield opened
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def _until(opened: Page, ready: str) -> None:
    deadline = asyncio.get_running_loop().time() + START_SECONDS
    while not await opened.evaluate(f"Boolean({ready})"):
        if asyncio.get_running_loop().time() > deadline:
            raise BenchError("Chromium did not load the benchmark's page")
        await asyncio.sleep(0.05)


def _sandbox() -> tuple[str, ...]:
    """Chromium's sandbox refuses root, as whom containers and CI run."""
    return ("--no-sandbox",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()


async def _debugger(http: ClientSession, profile: Path, process: asyncio.subprocess.Process, url: str) -> str:
    """The WebSocket address of the page; Chromium writes the port that it chose into its profile."""
    deadline = asyncio.get_running_loop().time() + START_SECONDS
    while asyncio.get_running_loop().time() < deadline and process.returncode is None:
        await asyncio.sleep(0.05)
        with suppress(OSError, IndexError):
            port = (await asyncio.to_thread((profile / "DevToolsActivePort").read_text)).splitlines()[0]
            async with http.get(f"http://127.0.0.1:{port}/json/list") as response:
                targets = await response.json()
            for target in targets:
                if target["type"] == "page" and target["url"].startswith(url):
                    return str(target["webSocketDebuggerUrl"])
    raise BenchError("Chromium did not start; try it by hand, or name another with --browser PATH")
