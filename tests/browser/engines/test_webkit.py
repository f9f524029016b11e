"""The page in real WebKit, the engine of Safari and of every browser on iOS: layout, JavaScript, and the WebSocket.

WebKitGTK as Debian builds it has neither RTCPeerConnection nor a camera.
"""

from __future__ import annotations

import pytest

from tests.browser.engines.engine import detail_with
from tests.browser.engines.layouts import OVERFLOW, UNREACHABLE
from tests.browser.engines.webkit import BROWSER, DRIVER, SCREEN, webkit
from tests.browser.visits import COBALT, RED, TOO_SMALL
from tests.serving import Served

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        None in (BROWSER, DRIVER, SCREEN),
        reason="WebKit is missing; `make test` installs Debian's webkit2gtk-driver and xvfb",
    ),
]


QUIET = "document.querySelector('#message').hidden"
"""What was said of the way of the pictures is read, and its place is free again."""


async def test_pictures_over_the_websocket_as_jpeg(served: Served) -> None:
    async with webkit() as page:
        await page.live(f"{served.url}/?demo=1")
        await page.until_dressed(RED)
        detail = await page.until(detail_with("format"))
        assert (detail["transport"], detail["format"]) == ("websocket", "image/jpeg")
        assert await page.evaluate("document.querySelector('#message').dataset.code") == "slow_path", "and says so"
        await page.click("#strip [data-design='6']")
        await page.until_dressed(COBALT)
        assert (await page.photo_of(COBALT)).shape == (640, 480, 3)

        await page.click("#pause")
        await page.until("document.body.dataset.state === 'paused'")
        number = await page.evaluate("lacquer.lastMetadata.frame_number")
        await page.click("#pause")
        await page.until(f"document.body.dataset.state === 'live' && lacquer.lastMetadata.frame_number > {number} + 3")
        await page.until("document.querySelector('#message').hidden")
        await page.until(QUIET)
        await page.click("#details-open")
        await page.until("/JPEG[^]*WebSocket/.test(document.querySelector('#details-numbers').innerText)")


BRAND_BESIDE_STATE = """(() => {
  const [brand, state] = [".brand", "#state"].map((name) => document.querySelector(name).getBoundingClientRect());
  return brand.top < state.bottom && brand.bottom > state.top;
})()"""


@pytest.mark.parametrize("size", [(390, 844), (360, 640), (844, 390)])
async def test_everything_fits_and_can_be_reached(served: Served, size: tuple[int, int]) -> None:
    async def fits(where: str) -> None:
        assert await page.evaluate(OVERFLOW) <= 0, where
        assert await page.evaluate(UNREACHABLE) == [], where
        assert await page.evaluate(TOO_SMALL) == [], where

    async with webkit(*size) as page:
        await page.goto(f"{served.url}/?transport=websocket")  # chosen: no notice of it lies over the picture
        await page.until("document.querySelector('#strip [data-design=\"36\"]') !== null")
        assert await page.evaluate("[innerWidth, innerHeight]") == list(size)
        await fits("start")
        await page.click("#demo")
        await page.until("document.body.dataset.state === 'live'")
        assert await page.evaluate(BRAND_BESIDE_STATE)
        await page.until(QUIET)
        await fits("live")
        for opening, sheet in (("#style-open", "style"), ("#details-open", "details"), ("#capture", "photo")):
            await page.click(opening)
            await page.until(f"document.querySelector('#{sheet}').open")
            await fits(sheet)
            await page.click(f"#{sheet}-close")


async def test_what_webkit_lacks_is_not_offered(served: Served) -> None:
    """This build shares nothing and has no camera, and films where GStreamer lets it; it says so before
    anybody tries."""
    async with webkit() as page:
        await page.goto(served.url)
        await page.until("document.querySelector('#strip [data-design=\"36\"]') !== null")
        await page.click("#start")
        await page.until("document.body.dataset.state === 'failed'")
        assert (await page.evaluate("document.querySelector('#message').dataset.code")).startswith("camera_")
        await page.click("#demo")
        await page.until("document.body.dataset.state === 'live'")
        shown = "['#torch', '#share'].filter((name) => document.querySelector(name).checkVisibility())"
        assert await page.evaluate(shown) == []
        records = "import('/static/clip.js').then(({clipType}) => clipType() !== null)"
        films = "document.querySelector('#mode').checkVisibility()"
        assert await page.evaluate(films) == await page.evaluate(records)
