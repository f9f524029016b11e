"""The page of web/README.md, served from another origin, as a shop would."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from playwright.async_api import Page

from tests.browser.shared import chromium
from tests.serving import Served, lacquer_serve

pytestmark = [pytest.mark.browser, pytest.mark.media]

README = Path(__file__).parents[2] / "web" / "README.md"
LIVE = "(id) => document.getElementById(id).state === 'live'"
WORN = "(design) => document.querySelector('#mirror').tryOn.settings.design === design"
GLOBALS = "Object.keys(window).sort()"


def snippet() -> str:
    """The copy-paste page."""
    found = re.search(r"```html\n(<!doctype html>.*?)```", README.read_text(), re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture(scope="module")
def embeddable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("embeddable")
    with lacquer_serve(folder, "--workers", "1", LACQUER_ALLOWED_ORIGINS="*", LACQUER_WORKER_CAPACITY="4") as served:
        yield served


@asynccontextmanager
async def shop(html: str, policy: str = "") -> AsyncIterator[str]:
    """A web server of somebody else: another port, and another name for this machine."""

    async def page(_request: web.Request) -> web.Response:
        headers = {"Content-Security-Policy": policy} if policy else None
        return web.Response(text=html, content_type="text/html", headers=headers)

    app = web.Application()
    app.router.add_get("/", page)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def status(served: Served, session_id: str) -> Any:
    async with aiohttp.ClientSession() as http, http.get(f"{served.url}/api/try-on/sessions/{session_id}/") as answer:
        return (await answer.json())["status"]


async def ended(served: Served, session_id: str) -> None:
    deadline = time.monotonic() + 5
    while await status(served, session_id) != "ended":
        assert time.monotonic() < deadline, "its session lives on"
        await asyncio.sleep(0.1)


async def start(page: Page, element: str) -> None:
    await page.evaluate("(id) => void document.getElementById(id).start({ source: 'demo' })", element)
    await page.wait_for_function(LIVE, arg=element, timeout=20_000)


async def test_the_page_of_the_readme_works_from_another_origin(embeddable: Served) -> None:
    html = snippet().replace("https://tryon.example", embeddable.url)
    async with shop(html) as address, chromium() as browser:
        page = await browser.new_page(viewport={"width": 390, "height": 844})
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        await page.goto(address)
        await page.wait_for_selector("#mirror .strip [role=radio], #mirror [data-design='20']", timeout=10_000)
        before = await page.evaluate(GLOBALS)
        await start(page, "mirror")

        await page.click("#cobalt")
        await page.wait_for_function(WORN, arg=6)
        await page.wait_for_function("document.querySelector('#mirror').tryOn.stats().fps !== null")
        photo = await page.evaluate(
            "document.querySelector('#mirror').capture().then(({ width, height }) => [width, height])"
        )
        assert photo == [480, 640]

        await page.evaluate(
            "document.body.append(Object.assign(document.createElement('nail-try-on'), { id: 'other' }))"
        )
        await start(page, "other")
        first, second = await page.evaluate("[...document.querySelectorAll('nail-try-on')].map((one) => one.sessionId)")
        assert first != second
        await page.evaluate("document.querySelector('#other').remove()")
        await ended(embeddable, second)
        assert await page.evaluate(LIVE, "mirror"), "the one beside it goes on"

        assert await page.evaluate(GLOBALS) == before
        assert await page.evaluate("[localStorage.length, document.adoptedStyleSheets.length]") == [0, 0]
        assert await page.evaluate("document.documentElement.lang") == "en"
        assert not faults
        await page.evaluate("document.querySelector('#mirror').remove()")
        await ended(embeddable, first)


async def test_an_origin_that_is_not_allowed_is_told_which_setting_lets_it_in(served: Served) -> None:
    html = snippet().replace("https://tryon.example", served.url)
    async with shop(html) as address, chromium() as browser:
        page = await browser.new_page(viewport={"width": 390, "height": 844})
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        await page.goto(address)
        await page.wait_for_selector("#mirror")
        await page.evaluate("document.querySelector('#mirror').start({ source: 'demo' }).catch(() => {})")
        await page.wait_for_function("document.querySelector('#mirror').state === 'failed'", timeout=10_000)
        assert any("LACQUER_ALLOWED_ORIGINS" in line for line in said), said


STRICT = (
    "default-src 'none'; script-src {url}; connect-src {url} {socket}; img-src {url}; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
"""No inline style or script, no picture made on the spot, no HTML from text."""

SMALL = """[...document.querySelector("nail-try-on").shadowRoot.querySelectorAll("button, a")]
  .filter((element) => element.checkVisibility() && Math.min(element.offsetWidth, element.offsetHeight) < 44)
  .map((element) => element.className)"""


async def test_a_strict_policy_and_a_small_phone_are_enough(embeddable: Served) -> None:
    url = embeddable.url
    html = f"""<!doctype html><html dir="rtl" lang="ar"><meta charset="utf-8">
      <nail-try-on source="demo" controls></nail-try-on>
      <script type="module" src="{url}/static/nail-try-on.js"></script>"""
    policy = STRICT.format(url=url, socket=url.replace("http", "ws"))
    async with shop(html, policy) as address, chromium() as browser:
        page = await browser.new_page(viewport={"width": 320, "height": 640})
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        await page.goto(address)
        await page.wait_for_selector("nail-try-on [data-design='1'] img.loaded", timeout=10_000)
        assert await page.evaluate(SMALL) == []
        await page.click("nail-try-on [data-design='6']")
        assert await page.get_attribute("nail-try-on", "design") == "6"
        await page.click("nail-try-on .primary")
        await page.wait_for_selector("nail-try-on .frame[data-state=live]", timeout=20_000)
        assert await page.evaluate(SMALL) == []
        await page.click("nail-try-on .shutter")
        await page.wait_for_selector("nail-try-on .photo:not([hidden])")
        assert await page.evaluate(SMALL) == []
        await page.keyboard.press("Escape")
        await page.wait_for_selector("nail-try-on .shutter:focus")
        assert await page.evaluate("document.documentElement.scrollWidth") <= 320
        await page.click("nail-try-on .stop")
        await page.wait_for_selector("nail-try-on .frame[data-state=idle]")
        refused = [line for line in said if "Content Security Policy" in line or "Trusted" in line or "Error" in line]
        assert not refused, refused


async def test_it_speaks_the_language_of_the_page(embeddable: Served) -> None:
    html = snippet().replace("https://tryon.example", embeddable.url).replace('lang="en"', 'lang="de"')
    async with shop(html) as address, chromium() as browser:
        page = await browser.new_page(viewport={"width": 390, "height": 844})
        await page.goto(address)
        await page.wait_for_selector("#mirror >> text=Kamera starten")
