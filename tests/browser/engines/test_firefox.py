"""The page in real Firefox: WebRTC with VP8, and the WebSocket. Its own fake camera is a wall that changes colour."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.browser.engines.engine import decoded
from tests.browser.engines.firefox import FIREFOX, firefox
from tests.browser.visits import COBALT, RED
from tests.serving import Served

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(FIREFOX is None, reason="Firefox is missing; `make test` installs Debian's firefox-esr"),
]

DETAIL = "Promise.resolve(lacquer.stats()).then(({ transport, detail }) => ({ transport, ...detail }))"

DRAWN_WALL = """import("/static/demo-hand.js").then(({ painter }) => {
  const context = new OffscreenCanvas(480, 640).getContext("2d");
  painter(480, 640)(context, 0);
  return [...context.getImageData(40, 40, 1, 1).data.slice(0, 3)];
})"""

PHOTO = """(() => {
  const image = document.querySelector("#photo-image");
  const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
  canvas.getContext("2d").drawImage(image, 0, 0);
  return canvas.convertToBlob().then((blob) => new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.readAsDataURL(blob);
  }));
})()"""
"""The photo that is shown, as a data: URL."""


async def test_vp8_both_ways_then_another_design_a_photo_and_a_pause(served: Served, tmp_path: Path) -> None:
    async with firefox(tmp_path) as page:
        await page.live(f"{served.url}/?demo=1")
        picture = await page.until_dressed(RED)
        assert picture.shape == (640, 480, 3)
        drawn = await page.evaluate(DRAWN_WALL)
        assert np.abs(picture[38:43, 38:43].mean(axis=(0, 1)) - drawn).max() < 6, "VP8 of profile 1 keeps colours"
        detail = await page.until(f"{DETAIL}.then((detail) => detail.codec && detail)")
        assert (detail["transport"], detail["codec"]) == ("webrtc", "video/VP8")
        assert detail["inbound"]["framesDropped"] <= detail["inbound"]["framesDecoded"] / 4

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
        assert (await page.until_dressed(RED)).shape == (640, 480, 3)
        detail = await page.until(f"{DETAIL}.then((detail) => detail.format && detail)")
        assert (detail["transport"], detail["format"]) == ("websocket", "image/webp")
        await page.click("#strip [data-design='6']")
        await page.until_dressed(COBALT)
