"""What a person chooses on the page, in real Chromium: families, style, comparing, a photo of a manicure."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import numpy as np
import pytest
from aiohttp import ClientSession
from playwright.async_api import FilePayload, Page

from media_worker import drawn_hand, images
from protocol.messages import ImageFormat
from tests.browser.visits import COBALT, RED, TOO_SMALL, live, snapshot, until_worn, visit, worn
from tests.serving import Served

pytestmark = pytest.mark.browser


async def shown_designs(page: Page) -> list[str]:
    ids: list[str] = await page.eval_on_selector_all(
        "#strip [data-design]", "all => all.map((it) => it.dataset.design)"
    )
    return ids


async def test_families_filter_the_strip_and_keep_what_is_worn(served: Served) -> None:
    async with visit(served, None, "?postId=1") as page, ClientSession() as http:
        async with http.get(f"{served.url}/api/try-on/designs/") as response:
            designs = await response.json()
        families = list(dict.fromkeys(design["family"] for design in designs))
        assert await shown_designs(page) == [str(design["id"]) for design in designs]
        last = [str(design["id"]) for design in designs if design["family"] == families[-1]]
        await page.evaluate("document.querySelector('#families [role=radio]:last-child').click()")
        assert await shown_designs(page) == ["1", *last], "the one that is worn, then the family"
        await page.evaluate("document.querySelector('#strip [role=radio]:last-child').click()")
        assert await page.evaluate("lacquer.settings.design") == int(last[-1])
        await page.set_viewport_size({"width": 1440, "height": 900})  # there, designs are chosen before the camera runs
        await page.focus("#families [aria-checked=true]")
        await page.keyboard.press("ArrowRight")  # from the last on to the first: everything
        assert len(await shown_designs(page)) == len(designs)
        assert await page.evaluate("document.activeElement.dataset.value") == "all"
        assert await page.get_attribute(f"[data-design='{last[-1]}']", "aria-checked") == "true"


async def test_search_finds_by_colour_and_what_was_worn_is_kept_for_the_next_visit(served: Served) -> None:
    async with visit(served, None, "?postId=1") as page:
        await live(page, "#demo")
        await page.click("#search-open")
        assert await page.evaluate("document.activeElement.id") == "search-text"
        assert await page.evaluate(TOO_SMALL) == []
        await page.keyboard.type("Cobalt")
        assert await shown_designs(page) == ["6"]
        assert await page.inner_text("#found") == "1 design"
        await page.click("#strip [data-design='6']")
        await page.fill("#search-text", "tartan")
        assert await shown_designs(page) == []
        assert "No design matches “tartan”" in await page.inner_text("#found")
        await page.keyboard.press("Escape")
        assert await page.evaluate("document.activeElement.id") == "search-open"
        assert len(await shown_designs(page)) > 100

        await page.reload()
        await page.wait_for_selector("#strip [data-design='36']", state="attached")
        await page.evaluate("document.querySelector('#families [data-value=recent]').click()")
        assert await shown_designs(page) == ["6", "1"]


async def until(page: Page, expression: str) -> None:
    await page.wait_for_function(expression, timeout=5000)


async def test_style_is_worn_at_once_on_all_fingers_or_one(served: Served, camera: Path, nails: np.ndarray) -> None:
    async with visit(served, camera) as page:
        await live(page)
        await until_worn(page, nails, RED, seconds=5)
        await page.click("#style-open")
        assert await page.evaluate("document.activeElement.closest('#style') !== null")
        assert await page.evaluate(TOO_SMALL) == []
        await page.locator("#style-colours input").first.fill("#1f3fbf")
        short = await until_worn(page, nails, COBALT, seconds=2)

        await page.click("#style-shape [data-value=square]")
        await page.click("#style-length [data-value=long]")
        await page.wait_for_function("lacquer.settings.shape === 'square' && lacquer.settings.length === 'long'")
        await until_more(page, nails, COBALT, 3 * around(short, nails, COBALT) + 200)

        await page.click("#style-fingers [data-value=thumb]")
        await page.locator("#style-colours input").first.fill("#b3001b")
        await page.wait_for_function("lacquer.settings.fingers.thumb?.colours?.[0] === '#b3001b'")
        assert await page.evaluate("lacquer.settings.colours") == ["#1f3fbf"], "the others keep theirs"

        await page.click("#style-reset")
        await until_worn(page, nails, RED, seconds=2)
        assert await page.evaluate("lacquer.settings.fingers") == {}
        await page.keyboard.press("Escape")
        assert await page.evaluate("document.activeElement.id") == "style-open"


async def test_a_touched_nail_is_chosen_for(served: Served, camera: Path) -> None:
    async with visit(served, camera) as page:
        await live(page)
        await page.wait_for_function("lacquer.lastMetadata?.nails.length === 5", timeout=10_000)
        touched = await page.evaluate(MIRRORED_NAIL)
        await page.mouse.click(touched["x"], touched["y"])
        await page.wait_for_selector("#style[open]")
        assert await page.get_attribute("#style-fingers [aria-checked=true]", "data-value") == touched["finger"]
        await page.click("#style-finish [data-value=chrome]")
        assert list(await page.evaluate("lacquer.settings.fingers")) == [touched["finger"]]

        await page.click("#style-close")
        await page.evaluate(NAMELESS)
        await page.mouse.click(touched["x"], touched["y"])
        assert "whole hand" in await page.inner_text("#hint")
        assert not await page.is_visible("#style")


NAMELESS = """() => {
  const nails = lacquer.lastMetadata.nails.map((nail) => ({ ...nail, finger: null }));
  const seen = { ...lacquer.lastMetadata, nails };
  Object.defineProperty(lacquer, "lastMetadata", { get: () => seen, set: () => {} });
}"""
"""From now on as in a close-up: nails, but nobody knows whose."""

MIRRORED_NAIL = """() => {
  const { clientWidth: w, clientHeight: h } = document.querySelector("#picture");
  const { width, height, nails } = lacquer.lastMetadata;
  const scale = Math.max(w / width, h / height);
  const seen = nails.map(({ finger, polygon }) => {
    const [x, y] = [0, 1].map((axis) => polygon.reduce((sum, at) => sum + at[axis], 0) / polygon.length);
    return { finger, x: w / 2 - (x - width / 2) * scale, y: h / 2 + (y - height / 2) * scale };
  });
  return seen.find(({ x, y }) => x > 30 && x < w - 30 && y > 100 && y < h / 2);
}"""
"""Whose nail is in the picture's upper half on the screen, and where: a front camera shows mirrored."""


def around(picture: np.ndarray, nails: np.ndarray, colour: np.ndarray) -> int:
    """Pixels near `colour` that are not on the nails themselves."""
    return int(worn(picture, ~nails, colour) * (~nails).sum())


async def until_more(page: Page, nails: np.ndarray, colour: np.ndarray, pixels: int) -> None:
    """Until more polish than that lies beyond the nails: extensions."""
    deadline = time.monotonic() + 3
    while (found := around(await snapshot(page), nails, colour)) < pixels:
        assert time.monotonic() < deadline, f"{found} pixels of polish beyond the nails, of {pixels}"
        await asyncio.sleep(0.05)


async def test_compare_leaves_bare_what_lies_on_its_side_of_the_handle(
    served: Served, camera: Path, nails: np.ndarray
) -> None:
    async with visit(served, camera) as page:
        await live(page)
        await until_worn(page, nails, RED, seconds=5)
        await page.click("#compare")
        middle = await page.evaluate("document.querySelector('#picture').clientWidth / 2")
        await page.mouse.move(middle, 300)
        await page.mouse.down()
        for step in range(10):  # a drag: the newest place counts, whatever was throttled
            await page.mouse.move(middle + 3 * step, 300)
        await page.mouse.up()
        share = float(await page.evaluate("lacquer.settings.compare"))
        assert 0.3 < share < 0.5, "right of the middle in a mirror is left of it in the frame"
        bare = nails & (np.arange(nails.shape[1]) < share * nails.shape[1] - 8)
        painted = nails & (np.arange(nails.shape[1]) > share * nails.shape[1] + 8)
        await until_worn(page, painted, RED, seconds=3)
        await until_bare(page, bare, RED)
        assert await reds(page, middle + 60, 390) < 20, "on the screen, the bare side is where the handle says"
        assert await reds(page, 0, middle) > 100

        await page.focus("#compare-range")
        await page.keyboard.press("End")
        await until(page, "() => lacquer.settings.compare < 0.4")
        assert "% without polish" in (await page.get_attribute("#compare-range", "aria-valuetext") or "")
        await page.click("#compare")
        await until(page, "() => lacquer.settings.compare === null")
        await until_worn(page, bare, RED, seconds=3)


async def until_bare(page: Page, nails: np.ndarray, colour: np.ndarray) -> None:
    deadline = time.monotonic() + 3
    while worn(await snapshot(page), nails, colour) > 0.02:
        assert time.monotonic() < deadline, "polish where none should be"
        await asyncio.sleep(0.05)


async def reds(page: Page, left: float, right: float) -> int:
    """Pixels of red polish that the screen shows between two columns, above the strip and below the state."""
    png = await page.screenshot(clip={"x": left, "y": 80, "width": right - left, "height": 420})
    return int((np.abs(images.decode(png, max_pixels=10**7).astype(int) - RED).sum(axis=2) < 120).sum())


def photo_of_a_manicure() -> FilePayload:
    drawing = drawn_hand.draw(drawn_hand.Scene(still=True, worn=((0x1F, 0x3F, 0xBF),)), 0)
    jpeg = images.encode(drawing.rgb, ImageFormat.JPEG)
    return {"name": "manicure.jpg", "mimeType": "image/jpeg", "buffer": jpeg}


async def test_photo_of_a_manicure_is_shown_reassigned_and_worn(
    served: Served, camera: Path, nails: np.ndarray
) -> None:
    async with visit(served, camera) as page:
        await page.set_input_files("#photo-file", photo_of_a_manicure())
        await page.wait_for_selector("#upload[data-step=found]", timeout=20_000)
        assert await page.inner_text("#upload-title") == "We found 5 nails"
        assert await page.locator("#upload-nails button").count() == 5
        assert await page.evaluate(TOO_SMALL) == []
        await page.wait_for_function("document.querySelector('#upload-preview').naturalWidth > 0")

        await page.click("#upload-fingers [data-value=pinky]")
        await page.click("#upload-nails [data-nail='0']")
        assert await page.get_attribute("#upload-fingers [data-value=pinky]", "data-nail") == "0"
        assert "pinky" in (await page.get_attribute("#upload-preview", "src") or ""), "the drawn hand wears it, too"
        await page.wait_for_function("document.querySelector('#upload-preview').naturalWidth > 0")
        await page.click("#upload-live")
        await page.wait_for_selector("body[data-state=live]", timeout=20_000)
        await until_worn(page, nails, COBALT, seconds=5)
        assert await page.evaluate("[lacquer.settings.design, lacquer.settings.fingers.pinky.nail]") == [None, 0]

        assert (await shown_designs(page))[0] == "own"
        await page.click("#strip [data-design='1']")
        await until_worn(page, nails, RED, seconds=2)
        assert await page.evaluate("lacquer.settings.fingers") == {}, "a design of the catalogue has no nails"
        await page.click("#families [data-value=yours]")
        await page.click("#strip [data-design=own]")
        await until_worn(page, nails, COBALT, seconds=2)
        assert await page.evaluate("lacquer.settings.fingers.pinky.nail") == 0
        assert not await page.is_visible("#message")


async def test_what_is_no_picture_is_said_with_a_way_on(served: Served) -> None:
    async with visit(served, None) as page:
        text: FilePayload = {"name": "manicure.heic", "mimeType": "image/heic", "buffer": b"no picture"}
        await page.set_input_files("#photo-file", text)
        await page.wait_for_selector("#upload[data-step=failed]")
        assert await page.get_attribute("#upload", "data-code") == "bad_image"
        assert await page.is_visible("#upload-another")
        await page.click("#upload-close")
        assert await page.is_visible("#start")
