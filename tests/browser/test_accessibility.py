"""WCAG 2.2 A and AA in every state of the page, by axe-core; contrast over pictures by what is painted."""

from __future__ import annotations

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import FilePayload, Page, ViewportSize

from media_worker import drawn_hand, images
from protocol.messages import ImageFormat
from tests.browser.contrast import faint
from tests.browser.shared import chromium
from tests.serving import Served

pytestmark = pytest.mark.browser

LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
LOOK = """async (levels) => {
  const found = await axe.run({ runOnly: levels, resultTypes: ["violations", "incomplete"] });
  const short = ({ id, help, nodes }) => ({ id, help, targets: nodes.map(({ target }) => target) });
  return { wrong: found.violations.map(short), undecided: found.incomplete.map(short) };
}"""
"""Little comes back: Playwright reads what does on the event loop."""

LOGOTYPE = ".brand"
"""The name over the picture: WCAG 1.4.3 asks no contrast of it. Its shadow carries it."""

PHONE, DESKTOP = ViewportSize(width=390, height=844), ViewportSize(width=1280, height=800)

MANICURE = FilePayload(
    name="manicure.jpg",
    mimeType="image/jpeg",
    buffer=images.encode(
        drawn_hand.draw(drawn_hand.Scene(still=True, worn=((179, 0, 27), (250, 246, 238))), 0).rgb, ImageFormat.JPEG
    ),
)


async def complaints(page: Page, where: str) -> list[str]:
    """What is wrong in the page as it is now."""
    found = await page.evaluate(LOOK, LEVELS)
    wrong = [
        f"{where}: {rule['id']} ({rule['help']}): {target}" for rule in found["wrong"] for target in rule["targets"]
    ]
    undecided = [
        target[0]
        for rule in found["undecided"]
        for target in rule["targets"]
        if rule["id"] == "color-contrast" and target != [LOGOTYPE]
    ]
    return wrong + [f"{where}: {words}" for words in await faint(page, undecided)]


async def test_faint_words_over_a_gradient_are_found() -> None:
    async with chromium() as browser:
        page = await browser.new_page(viewport=PHONE)
        await page.set_content(
            """<body style="background: linear-gradient(#777, #888); font-size: 16px">
            <p id="faint" style="color: #ccc">Hard to read</p> <p id="plain" style="color: #000">Easy to read</p>"""
        )
        assert [words.selector for words in await faint(page, ["#faint", "#plain"])] == ["#faint"]


@pytest.mark.parametrize(
    ("size", "language"), [(PHONE, "en"), (DESKTOP, "en"), (PHONE, "ar")], ids=["phone", "desktop", "arabic"]
)
async def test_no_state_has_a_barrier(served: Served, size: ViewportSize, language: str) -> None:
    wrong: list[str] = []

    async def look(where: str) -> None:
        await page.evaluate("Promise.all(document.getAnimations().map(({ finished }) => finished.catch(() => {})))")
        wrong.extend(await complaints(page, where))

    async def sheet(opening: str, name: str) -> None:
        await page.click(opening)
        await page.wait_for_selector(f"#{name}[open]")
        await look(name)

    async with chromium() as browser:
        page = await browser.new_page(viewport=size)
        await page.add_init_script(AXE_SCRIPT)
        await page.goto(f"{served.url}/?lang={language}")
        await page.wait_for_selector("#strip [data-design='36']", state="attached")
        await look("start")
        await page.click("#start")
        await page.wait_for_selector("#message:not([hidden])")
        await look("no camera")
        await page.set_input_files("#photo-file", MANICURE)
        await page.wait_for_selector("#upload[data-step=found]")
        await look("upload")
        await page.keyboard.press("Escape")
        await page.click("#demo")
        await page.wait_for_selector("body[data-state=live]")
        await page.wait_for_function("lacquer.lastMetadata?.nails.length >= 4")
        await look("live")
        if await page.is_visible("#search-open"):
            await page.click("#search-open")
        await page.fill("#search-text", "nude")
        await look("search")
        await page.fill("#search-text", "tartan")
        await look("nothing found")
        await page.fill("#search-text", "")
        await page.keyboard.press("Escape")
        await sheet("#style-open", "style")
        await page.click("#style-close")
        await sheet("#details-open", "details")
        await page.click("#details-close")
        await sheet("#capture", "photo")
        await page.click("#photo-save")
        await page.wait_for_selector("#photo-save[aria-disabled=true]")
        await look("photo saved")
        await page.click("#photo-close")
        await sheet("#saved-open", "saved")
        await page.click("#saved-list [data-place='0']")
        await look("saved photo")
        await page.keyboard.press("Escape")
        await page.click("#pause")
        await page.wait_for_selector("body[data-state=paused]")
        await look("paused")
    assert wrong == []
