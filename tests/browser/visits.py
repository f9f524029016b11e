"""What the browser tests share: a visit to the page, and looks at the picture it shows."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
from playwright.async_api import Page

from media_worker import images
from tests.browser.shared import chromium
from tests.serving import Served

RED, COBALT = np.array([0xB3, 0x00, 0x1B]), np.array([0x1F, 0x3F, 0xBF])

SNAPSHOT = """() => {
  const output = document.querySelector("#output");
  const canvas = document.createElement("canvas");
  canvas.width = output.videoWidth ?? output.width;
  canvas.height = output.videoHeight ?? output.height;
  canvas.getContext("2d").drawImage(output, 0, 0);
  return canvas.toDataURL("image/png");
}"""


TOO_SMALL = """[...document.querySelectorAll("button, a[href], input[type=color]")]
  .filter((element) => element.checkVisibility({ visibilityProperty: true }))
  .filter((element) => Math.min(...[element.offsetWidth, element.offsetHeight]) < 44)
  .map((element) => element.id || element.dataset.design || element.textContent)"""
"""Names of the visible buttons that are smaller than a thumb needs, 44 px."""


@asynccontextmanager
async def visit(served: Served, camera: Path | None, query: str = "", *flags: str) -> AsyncIterator[Page]:
    async with chromium(camera, *flags) as browser:
        # Playwright's `wait_for_function` evaluates text, which the page's policy forbids; test_policy.py goes without.
        page = await browser.new_page(viewport={"width": 390, "height": 844}, bypass_csp=True)
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        await page.goto(f"{served.url}/{query}")
        await page.wait_for_selector("#strip [data-design='36']", state="attached")
        yield page
        assert not faults


async def live(page: Page, button: str = "#start") -> None:
    await page.click(button)
    await page.wait_for_selector("body[data-state=live]", timeout=20_000)


async def snapshot(page: Page) -> np.ndarray:
    """What #output shows: RGB, uint8 (H, W, 3)."""
    data = await page.evaluate(SNAPSHOT)
    return images.decode(base64.b64decode(data.split(",")[1]), max_pixels=10**7)


def worn(picture: np.ndarray, nails: np.ndarray, colour: np.ndarray) -> float:
    """Share of the nails' pixels near `colour`."""
    return float((np.abs(picture[nails].astype(int) - colour).sum(axis=1) < 150).mean())


async def until_worn(page: Page, nails: np.ndarray, colour: np.ndarray, seconds: float) -> np.ndarray:
    deadline = time.monotonic() + seconds
    while True:
        picture = await snapshot(page)
        if picture.shape[:2] == nails.shape and worn(picture, nails, colour) > 0.45:
            return picture
        assert time.monotonic() < deadline, f"{picture.shape}, {worn(picture, nails, colour):.2f} of the nails"
        await asyncio.sleep(0.02)
