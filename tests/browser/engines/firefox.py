"""Firefox over WebDriver BiDi (https://w3c.github.io/webdriver-bidi/), which it speaks itself, without a driver.

Debian has no geckodriver, and Playwright's BiDi needs commands that Firefox ESR 153 does not have.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import shutil
from asyncio.subprocess import DEVNULL, PIPE, create_subprocess_exec
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.browser.engines.engine import STEP_SECONDS, Engine, announced, stop

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")

PREFERENCES: dict[str, bool | int | str] = {
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "media.peerconnection.ice.loopback": True,
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    "media.autoplay.default": 0,
    # Nothing that calls home, and nothing in the way.
    "app.update.enabled": False,
    "browser.aboutwelcome.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "media.gmp-manager.url": "",
    "media.gmp-provider.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,",
    "toolkit.telemetry.reportingpolicy.firstRun": False,
}


class Firefox(Engine):
    """One tab. `faults` collects uncaught errors of its page."""

    def __init__(self, socket: ClientConnection) -> None:
        self.faults: list[str] = []
        self._socket = socket
        self._ids = itertools.count()
        self._context = ""

    async def open(self, width: int, height: int) -> None:
        await self._call("session.new", capabilities={})
        await self._call("session.subscribe", events=["log.entryAdded"])
        tree = await self._call("browsingContext.getTree")
        self._context = tree["contexts"][0]["context"]
        await self._call(
            "browsingContext.setViewport", context=self._context, viewport={"width": width, "height": height}
        )

    async def goto(self, url: str) -> None:
        await self._call("browsingContext.navigate", context=self._context, url=url, wait="complete")

    async def evaluate(self, expression: str) -> Any:
        result = await self._call(
            "script.evaluate",
            expression=f"(async () => JSON.stringify(await ({expression})))()",
            target={"context": self._context},
            awaitPromise=True,
        )
        assert result["type"] == "success", result["exceptionDetails"]["text"]
        return json.loads(result["result"].get("value", "null"))

    async def click(self, selector: str) -> None:
        await self.evaluate(f"document.querySelector({json.dumps(selector)}).scrollIntoView({{ block: 'nearest' }})")
        found = await self._call(
            "browsingContext.locateNodes", context=self._context, locator={"type": "css", "value": selector}
        )
        middle = {"type": "element", "element": {"sharedId": found["nodes"][0]["sharedId"]}}
        pointer = [
            {"type": "pointerMove", "x": 0, "y": 0, "origin": middle},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        actions = [{"type": "pointer", "id": "mouse", "actions": pointer}]
        await self._call("input.performActions", context=self._context, actions=actions)

    async def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Sends a command and waits for its answer; what happens in between is noted."""
        number = next(self._ids)
        await self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        async with asyncio.timeout(STEP_SECONDS):
            while (message := json.loads(await self._socket.recv())).get("id") != number:
                if message.get("method") == "log.entryAdded" and message["params"]["type"] == "javascript":
                    self.faults.append(message["params"]["text"])
        assert message["type"] == "success", f"{method}: {message.get('message')}"
        answer: dict[str, Any] = message["result"]
        return answer


@asynccontextmanager
async def firefox(profile: Path, width: int = 390, height: int = 844) -> AsyncIterator[Firefox]:
    """Firefox with its own fake camera and a new profile in `profile`."""
    assert FIREFOX
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in PREFERENCES.items()]
    (profile / "user.js").write_text("".join(lines))
    process = await create_subprocess_exec(
        *(FIREFOX, "--headless", "--no-remote", "--remote-debugging-port=0", "--profile", str(profile)),
        stdout=DEVNULL,
        stderr=PIPE,
        env={**os.environ, "MOZ_CRASHREPORTER_DISABLE": "1"},
    )
    try:
        address = await announced(process.stderr, r"WebDriver BiDi listening on (ws://\S+)")
        async with connect(f"{address}/session", max_size=2**26, ping_interval=None) as socket:
            page = Firefox(socket)
            await page.open(width, height)
            yield page
            assert not page.faults
    finally:
        await stop(process)
