"""The page on a home screen: what browsers ask for before they install it, and a visit without a server."""

from __future__ import annotations

import asyncio
import io
import json
import shutil
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from PIL import Image
from playwright.async_api import Page

from signaling import pages
from signaling.pages import web_folder
from signaling.settings import SETTINGS, Settings
from tests.browser.shared import chromium
from tests.serving import Served, lacquer_serve

pytestmark = pytest.mark.browser

DESIGN = "#strip [data-design='36']"
INSTALLED = "() => navigator.serviceWorker.ready.then(({ active }) => active.state)"


async def visited(page: Page, url: str) -> None:
    await page.goto(url)
    await page.wait_for_selector(DESIGN, state="attached")
    assert await page.evaluate(INSTALLED) in ("activating", "activated")


async def test_chromium_would_install_it(served: Served) -> None:
    async with chromium() as browser:
        page = await browser.new_page()
        await visited(page, served.url)
        devtools = await page.context.new_cdp_session(page)
        manifest = await devtools.send("Page.getAppManifest")
        assert manifest["errors"] == []
        answer = await devtools.send("Page.getInstallabilityErrors")
        errors = [error["errorId"] for error in answer["installabilityErrors"]]
        assert errors == ["in-incognito"], "as the test itself is, and nothing else"


def test_every_picture_of_the_manifest_is_what_it_says(served: Served) -> None:
    def read(path: str) -> bytes:
        with urllib.request.urlopen(served.url + path) as response:
            body: bytes = response.read()
            return body

    manifest = json.loads(read("/static/manifest.webmanifest"))
    shortcuts = [icon for shortcut in manifest["shortcuts"] for icon in shortcut["icons"]]
    pictures = [*manifest["icons"], *shortcuts, *manifest.get("screenshots", [])]
    for picture in pictures:
        body = read(picture["src"])
        assert len(body) < 60_000
        if picture["sizes"] != "any":
            image = Image.open(io.BytesIO(body))
            assert "{}x{}".format(*image.size) == picture["sizes"]
            assert Image.MIME[image.format or ""] == picture["type"]
    assert {icon["purpose"] for icon in manifest["icons"]} == {"any", "maskable"}


async def test_without_a_server_the_page_opens_and_says_so(tmp_path: Path) -> None:
    async with chromium() as browser:
        page = await browser.new_page(viewport={"width": 390, "height": 844})
        with lacquer_serve(tmp_path, "--workers", "1") as served:
            await visited(page, served.url)
        await page.goto(f"{served.url}/?lang=de")
        await page.wait_for_selector("#message[data-code=server_unreachable]:not([hidden])")
        assert "Live-Anprobe braucht unseren Server" in await page.inner_text("#message")
        assert await page.inner_text("#message-action") == "Noch einmal versuchen"
        await page.reload()
        await page.wait_for_selector("#message[data-code=server_unreachable]:not([hidden])")
        with lacquer_serve(tmp_path, "--workers", "1", "--port", str(urlsplit(served.url).port)):
            await page.click("#message-action")
            await page.wait_for_selector(DESIGN, state="attached")
            assert not await page.is_visible("#message")
            await page.reload()
            await page.wait_for_selector(DESIGN, state="attached")
        (kept,) = await page.evaluate(KEPT)
        assert [path for path in kept if path != "/" and not path.startswith("/static/@")] == [], "code alone"


KEPT = """async () => {
  const caches_ = await Promise.all((await caches.keys()).map((name) => caches.open(name)));
  const requests = await Promise.all(caches_.map((cache) => cache.keys()));
  return requests.map((kept) => kept.map(({ url }) => new URL(url).pathname));
}"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The page's own files, to change them."""
    return shutil.copytree(web_folder(), tmp_path / "web")


async def test_another_version_shows_at_once_and_takes_nothing_from_an_open_page(folder: Path) -> None:
    app = web.Application()
    app[SETTINGS] = Settings()
    pages.add_pages(app, folder)
    async with TestServer(app) as server, chromium() as browser:
        context = await browser.new_context()
        old = await context.new_page()
        await old.goto(str(server.make_url("/")))
        await old.evaluate(INSTALLED)
        await old.reload()  # now the worker's
        module = await old.evaluate(
            "() => performance.getEntriesByType('resource').find(isWords).name".replace(
                "isWords", "({ name }) => name.endsWith('/strings/en.js')"
            )
        )
        await asyncio.to_thread(_deploy, folder)

        new = await context.new_page()
        await new.goto(str(server.make_url("/")))
        assert "Deployed" in await new.inner_text(".brand"), "from the network, not as it was kept"
        assert await new.evaluate(UPDATED) == "installed", "and waits until the old page is closed"
        late = module.replace("/en.js", "/de.js")  # by an open page, when somebody chooses another language
        assert await old.evaluate("(late) => import(late).then(({ DEPLOYED }) => DEPLOYED)", late) is None
        now = await new.evaluate("() => document.querySelector('[type=module]').src")
        late = now.replace("/main.js", "/strings/de.js")
        assert await new.evaluate("(late) => import(late).then(({ DEPLOYED }) => DEPLOYED)", late) is True


UPDATED = """() => navigator.serviceWorker.getRegistration().then(async (registration) => {
  await registration.update();
  const worker = registration.installing ?? registration.waiting;
  while (worker.state === "installing") await new Promise((done) => worker.addEventListener("statechange", done));
  return worker.state;
})"""


def _deploy(folder: Path) -> None:
    page, words = folder / "index.html", folder / "strings" / "de.js"
    text = page.read_text("utf-8")
    page.write_text(text.replace("          Lacquer\n", "          Deployed\n"), "utf-8")
    words.write_text(words.read_text("utf-8") + "\nexport const DEPLOYED = true;\n", "utf-8")
