"""The page in real Firefox: WebRTC with VP8, and the WebSocket. Its own fake camera is a wall that changes colour."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.browser.engines.engine import detail_with
from tests.browser.engines.firefox import FIREFOX, firefox
from tests.browser.visits import COBALT, RED
from tests.serving import Served

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(FIREFOX is None, reason="Firefox is missing; `make test` installs Debian's firefox-esr"),
]

DRAWN_WALL = """import("/static/demo-hand.js").then(({ painter }) => {
  const context = new OffscreenCanvas(480, 640).getContext("2d");
  painter(480, 640)(context, 0);
  return [...context.getImageData(40, 40, 1, 1).data.slice(0, 3)];
})"""


async def test_vp8_both_ways_then_another_design_a_photo_and_a_pause(served: Served, tmp_path: Path) -> None:
    async with firefox(tmp_path) as page:
        await page.live(f"{served.url}/?demo=1")
        picture = cv2.resize(await page.until_dressed(RED), (480, 640))
        drawn = await page.evaluate(DRAWN_WALL)
        assert np.abs(picture[38:43, 38:43].mean(axis=(0, 1)) - drawn).max() < 8, "VP8 of profile 1 keeps colours"
        detail = await page.until(detail_with("codec"))
        assert (detail["transport"], detail["codec"]) == ("webrtc", "video/VP8")

        await page.click("#strip [data-design='6']")
        await page.until_dressed(COBALT)
        assert (await page.photo_of(COBALT)).shape == (640, 480, 3)

        await page.click("#pause")
        await page.until("document.body.dataset.state === 'paused'")
        frozen = await page.snapshot()
        assert np.array_equal(await page.snapshot(), frozen)
        number = await page.evaluate("lacquer.lastMetadata.frame_number")
        await page.click("#pause")
        await page.until(f"document.body.dataset.state === 'live' && lacquer.lastMetadata.frame_number > {number} + 3")


async def test_fake_camera_comes_back_as_it_is(served: Served, tmp_path: Path) -> None:
    async with firefox(tmp_path) as page:
        await page.live(served.url, "#start")
        await page.until("lacquer.lastMetadata !== null")
        picture = await page.snapshot()
        assert picture.shape == (480, 640, 3)
        assert picture[100:].std(axis=(0, 1)).max() < 3, "one colour"
        assert picture[:15].std() > 10, "and a bar code at the top"


async def test_websocket(served: Served, tmp_path: Path) -> None:
    async with firefox(tmp_path) as page:
        await page.live(f"{served.url}/?demo=1&transport=websocket")
        await page.until_dressed(RED)
        detail = await page.until(detail_with("format"))
        assert (detail["transport"], detail["format"]) == ("websocket", "image/webp")
        await page.click("#strip [data-design='6']")
        await page.until_dressed(COBALT)
