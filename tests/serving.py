"""Starts the product as a user does, `lacquer serve`, and a real Chromium to look at it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from playwright.async_api import Browser, Playwright, async_playwright

CHROMIUM = shutil.which("chromium")
CHROMIUM_FLAGS = [
    "--no-sandbox",  # as root, in CI
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]
UNLIMITED = {
    f"LACQUER_RATE_{name}": "0"
    for name in (
        "SESSIONS_PER_ADDRESS",
        "SESSIONS_PER_OWNER",
        "LIVE_SESSIONS",
        "UPLOADS",
        "RESULTS",
        "ICE_SERVERS",
        "OFFERS",
        "PREVIEWS",
        "ADMIN_TOKENS",
        "SOCKETS",
        "CONNECTIONS",
    )
}
"""Environment for tests that do by themselves what a hundred people do."""

START_SECONDS = 60.0
STOP_SECONDS = 20.0


@dataclass
class Served:
    """A running `lacquer serve`."""

    url: str
    process: subprocess.Popen[bytes]

    def workers(self) -> list[psutil.Process]:
        """Its media worker processes."""
        children: list[psutil.Process] = psutil.Process(self.process.pid).children()
        return children


@contextmanager
def lacquer_serve(folder: Path, *arguments: str, prefix: Sequence[str] = (), **environment: str) -> Iterator[Served]:
    """`lacquer serve` on a free port, with its data in `folder`, until the block ends. `prefix` is put before it."""
    log = folder / "serve.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*prefix, sys.executable, "-m", "signaling.cli", "serve", "--port", "0", "--host", "127.0.0.1", *arguments],
            stdout=output,
            stderr=output,
            env={**os.environ, "LACQUER_DATA_DIR": str(folder / "data"), **environment},
        )
    try:
        yield Served(_address(process, log), process)
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    """The address that it prints once it is ready."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if found := re.search(r"ready: (http://\S+)", log.read_text()):
            return found[1]
        time.sleep(0.05)
    raise AssertionError(f"lacquer serve did not come up:\n{log.read_text()}")


@asynccontextmanager
async def chromium(camera: Path | None = None, *flags: str) -> AsyncIterator[Browser]:
    """Debian's Chromium, headless, in a process of its own. `camera` is an .mjpeg that it plays as its camera,
    permission given."""
    async with async_playwright() as playwright, launched(playwright, camera, *flags) as browser:
        yield browser


@asynccontextmanager
async def launched(playwright: Playwright, camera: Path | None = None, *flags: str) -> AsyncIterator[Browser]:
    """The same, of a Playwright that runs."""
    assert CHROMIUM, "Chromium is missing; run `make test`, which installs it"
    fake = [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={camera}",
    ]
    browser = await playwright.chromium.launch(
        executable_path=CHROMIUM, args=[*CHROMIUM_FLAGS, *(fake if camera else []), *flags]
    )
    try:
        yield browser
    finally:
        await browser.close()
