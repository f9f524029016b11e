"""The page in real WebKit, the engine of Safari and of every browser on iOS: layout, JavaScript, and the WebSocket.

WebKitGTK as Debian builds it has neither RTCPeerConnection nor a camera.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.browser.engines.engine import decoded
from tests.browser.engines.layouts import OVERFLOW, UNREACHABLE
from tests.browser.engines.test_firefox import DETAIL, PHOTO
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


async def test_pictures_over_the_websocket_as_jpeg(served: Served) -> None:
    async with webkit() as page:
        await page.live(f"{served.url}/?demo=1")
        assert (await page.until_dressed(RED)).shape == (640, 480, 3)
        detail = await page.until(f"{DETAIL}.then((detail) => detail.format && detail)")
        assert (detail["transport"], detail["format"]) == ("websocket", "image/jpeg")
        await page.click("#details-open")
        await page.until("document.querySelector('#details-numbers').innerText.includes('JPEG · WebSocket')")
        await page.click("#details-close")

        await page.click("#strip [data-design='6']")
        await page.until_dressed(COBALT)
        await page.click("#capture")
        await page.until("document.querySelector('#photo-image').naturalWidth")
        photo = decoded(await page.evaluate(PHOTO))
        assert photo.shape == (640, 480, 3)
        assert (np.abs(photo.astype(int) - COBALT).sum(axis=2) < 150).sum() > 500
        await page.click("#photo-close")

        await page.click("#pause")
        await page.until("document.body.dataset.state === 'paused'")
        number = await page.evaluate("lacquer.lastMetadata.frame_number")
        await page.click("#pause")
        await page.until(f"document.body.dataset.state === 'live' && lacquer.lastMetadata.frame_number > {number} + 3")


@pytest.mark.parametrize("size", [(390, 844), (360, 640), (844, 390)])
async def test_everything_fits_and_can_be_reached(served: Served, size: tuple[int, int]) -> None:
    async def fits(where: str) -> None:
        assert await page.evaluate(OVERFLOW) <= 0, where
        assert await page.evaluate(UNREACHABLE) == [], where
        assert await page.evaluate(TOO_SMALL) == [], where

    async with webkit(*size) as page:
        await page.goto(served.url)
        await page.until("document.querySelector('#strip [data-design=\"36\"]') !== null")
        assert await page.evaluate("[innerWidth, innerHeight]") == list(size)
        await fits("start")
        await page.click("#demo")
        await page.until("document.body.dataset.state === 'live'")
        await fits("live")
        for opening, sheet in (("#style-open", "style"), ("#details-open", "details"), ("#capture", "photo")):
            await page.click(opening)
            await page.until(f"document.querySelector('#{sheet}').open")
            await fits(sheet)
            await page.click(f"#{sheet}-close")
