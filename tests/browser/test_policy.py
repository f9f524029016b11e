"""One visit with everything a person can do, under the policy that the server really sends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import ConsoleMessage, FilePayload, Page

from media_worker import drawn_hand, images
from protocol.messages import ImageFormat
from tests.browser.shared import chromium
from tests.browser.visits import live
from tests.serving import Served

pytestmark = pytest.mark.browser

WATCH = """
  window.violations = [];
  addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI, sample }) =>
    violations.push([effectiveDirective, blockedURI, sample]));
"""


@asynccontextmanager
async def watched(served: Served, camera: Path, query: str = "") -> AsyncIterator[Page]:
    """A visit that ends with nothing refused, and nothing to read in the console."""
    said: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            said.append(message.text)

    async with chromium(camera) as browser:
        page = await browser.new_page(viewport={"width": 1440, "height": 900})
        page.on("console", note)
        page.on("pageerror", lambda error: said.append(str(error)))
        await page.add_init_script(WATCH)
        await page.goto(f"{served.url}/{query}")
        await page.wait_for_selector("#strip [data-design='36']", state="attached")
        yield page
        assert await page.evaluate("violations") == []
        assert said == []


async def test_nothing_that_the_page_does_is_refused(served: Served, camera: Path) -> None:
    async with watched(served, camera) as page:
        await live(page)
        await page.click("#strip [data-design='6']")
        await page.click("#style-open")
        await page.click("#style-finish [data-value=chrome]")
        await page.click("#style-close")
        await page.click("#compare")
        await page.click("#details-open")
        await page.click("#details-close")
        await page.click("#capture")
        await page.click("#photo-views [data-value=both]")
        await page.wait_for_selector("#photo-image[alt*=before]")
        await page.click("#photo-save")
        await page.click("#photo-close")
        await page.click("#mode")
        await page.click("#capture")
        await page.wait_for_timeout(800)
        await page.click("#capture")
        await page.wait_for_selector("#photo-clip:not([hidden])")
        await page.click("#photo-close")
        await page.click("#saved-open")
        await page.click("#saved-list [data-place='0']")
        await page.wait_for_selector("#saved-image[src]")
        await page.click("#saved-back")
        await page.click("#saved-close")
        await page.click("#stop")
        picture = images.encode(drawn_hand.draw(drawn_hand.Scene(still=True), 0).rgb, ImageFormat.JPEG)
        photo = FilePayload(name="manicure.jpg", mimeType="image/jpeg", buffer=picture)
        await page.set_input_files("#photo-file", photo)
        await page.wait_for_selector("#upload[data-step=found]", timeout=20_000)


async def test_nor_over_the_websocket(served: Served, camera: Path) -> None:
    async with watched(served, camera, "?transport=websocket&lang=ar") as page:
        await live(page, "#demo")
        await page.click("#capture")
        await page.wait_for_selector("#photo[open]")


async def test_markup_from_text_is_refused(served: Served, camera: Path) -> None:
    async with chromium(camera) as browser:
        page = await browser.new_page()
        await page.goto(served.url)
        add = "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=alert(1)>')"
        refused = await page.evaluate(f"() => {{ try {{ {add} }} catch (error) {{ return error.name }} }}")
        assert refused == "TypeError"
