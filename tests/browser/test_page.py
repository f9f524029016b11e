"""The page in real Chromium, against a real `lacquer serve`, with a drawn hand in the camera."""

from __future__ import annotations

import asyncio
import base64
import time
from pathlib import Path

import numpy as np
import pytest
from aiohttp import ClientSession
from playwright.async_api import Page

from media_worker import drawn_hand, images
from protocol.messages import ImageFormat
from tests.browser.conftest import SCENE
from tests.browser.visits import COBALT, RED, TOO_SMALL, live, snapshot, until_worn, visit, worn
from tests.serving import Served, lacquer_serve

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("codec", ["h264", "vp8"])
async def test_polish_appears_on_the_nails_at_full_size(
    served: Served, camera: Path, nails: np.ndarray, codec: str
) -> None:
    async with visit(served, camera, f"?codec={codec}") as page:
        await live(page)
        shown = time.monotonic()
        picture = await until_worn(page, nails, RED, seconds=3)
        assert picture.shape == (480, 640, 3)
        assert time.monotonic() - shown < 3
        assert worn(picture, ~nails, RED) < 0.02, "polish is on nails, not on the rest of the picture"
        used = await page.wait_for_function("lacquer.stats().detail.codec")
        assert codec in (await used.json_value()).lower()


async def test_design_change_shows_within_half_a_second(served: Served, camera: Path, nails: np.ndarray) -> None:
    async with visit(served, camera) as page:
        await live(page)
        await until_worn(page, nails, RED, seconds=5)
        y, x = (int(np.median(axis)) for axis in np.nonzero(_one_nail(nails)))
        delay = await page.evaluate(
            """([x, y]) => new Promise((resolve, reject) => {
              const output = document.querySelector("#output");
              const context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
              const began = performance.now();
              const look = () => {
                context.drawImage(output, x, y, 1, 1, 0, 0, 1, 1);
                const [red, , blue] = context.getImageData(0, 0, 1, 1).data;
                if (blue > red + 40) resolve(performance.now() - began);
                else if (performance.now() - began > 5000) reject(new Error(`still ${red}, ${blue}`));
                else output.requestVideoFrameCallback(look);
              };
              document.querySelector("#strip [data-design='6']").click();
              look();
            })""",
            [x, y],
        )
        assert delay < 500
        await until_worn(page, nails, COBALT, seconds=1)


def _one_nail(nails: np.ndarray) -> np.ndarray:
    """The leftmost nail that is far from the others: the thumb's."""
    columns = np.nonzero(nails.any(axis=0))[0]
    first_gap = columns[np.nonzero(np.diff(columns) > 3)[0][0]]
    thumb: np.ndarray = nails & (np.arange(nails.shape[1]) <= first_gap)
    return thumb


async def test_capture_downloads_the_processed_picture(
    served: Served, camera: Path, nails: np.ndarray, tmp_path: Path
) -> None:
    async with visit(served, camera) as page:
        await live(page)
        await until_worn(page, nails, RED, seconds=5)
        await page.click("#capture")
        async with page.expect_download() as download:
            await page.click("[download]")
        file = await download.value
        assert file.suggested_filename.startswith("lacquer-classic-red-")
        await file.save_as(tmp_path / "photo")
        photo = images.decode((tmp_path / "photo").read_bytes(), max_pixels=10**7)
        assert photo.shape == (480, 640, 3)
        assert worn(photo, nails, RED) > 0.45


async def test_before_and_after_in_one_picture(served: Served, camera: Path, nails: np.ndarray, tmp_path: Path) -> None:
    async with visit(served, camera) as page:
        await live(page)
        await until_worn(page, nails, RED, seconds=5)
        await page.click("#capture")
        await page.click("#photo-views [data-value=both]")
        await page.wait_for_selector("#photo-image[alt*=before]")
        assert await page.evaluate(TOO_SMALL) == []
        async with page.expect_download() as download:
            await page.click("[download]")
        file = await download.value
        assert file.suggested_filename.startswith("lacquer-before-after-classic-red-")
        await file.save_as(tmp_path / "both")
        both = images.decode((tmp_path / "both").read_bytes(), max_pixels=10**7)
        assert both.shape == (480, 1284, 3)
        assert worn(both[:, :640], nails, RED) < 0.02, "the camera's frame"
        assert worn(both[:, -640:], nails, RED) > 0.45, "as the page shows it, but for the mirror"


async def test_clips_are_filmed_by_switch_by_hold_and_until_the_end(served: Served) -> None:
    async with visit(served, None) as page:
        await live(page, "#demo")
        await page.click("#mode")
        await page.click("#capture")
        assert await page.get_attribute("#capture", "aria-label") == "End the clip"
        await page.wait_for_function(FILMED, arg=0.25)
        await page.click("#capture")
        assert await clip_shown(page) == ["Your clip", 480, 640]
        async with page.expect_download() as download:
            await page.click("[download]")
        assert (await download.value).suggested_filename.rsplit(".", 1)[1] in ("mp4", "webm")
        await page.click("#photo-close")

        await page.click("#mode")
        await page.hover("#capture")
        await page.mouse.down()
        await page.wait_for_function(FILMED, arg=0.15)
        await page.mouse.up()
        assert await clip_shown(page) == ["Your clip", 480, 640]
        await page.keyboard.press("Escape")

        await page.mouse.down()
        await page.wait_for_function(FILMED, arg=0.15)
        await page.evaluate("lacquer.stop()")
        assert await clip_shown(page) == ["Your clip", 480, 640], "what there was until the end"
        await page.mouse.up()
        assert await page.get_attribute("#capture", "data-mode") == "photo"


async def test_saved_photos_are_listed_opened_and_deleted(served: Served) -> None:
    async with visit(served, None) as page, ClientSession() as http:
        await live(page, "#demo")
        assert not await page.is_visible("#saved-open"), "there is nothing yet"
        await page.click("#capture")
        await page.wait_for_selector("#photo[open]")
        assert "on our server until you delete it" in await page.inner_text("#photo-note")
        await page.click("#photo-save")
        await page.wait_for_function("document.querySelector('#photo-save').textContent === 'Saved'")
        await page.click("#photo-close")
        await page.click("#stop")
        await page.reload()
        await page.click("#saved-start")
        await page.click("#saved-list [data-place='0']")
        assert "Classic Red" in await page.inner_text("#saved-text")
        await page.wait_for_function("document.querySelector('#saved-image').naturalWidth === 480")
        address = await page.get_attribute("#saved-download", "href")
        assert address
        assert await page.evaluate(TOO_SMALL) == []
        await page.click("#saved-delete")
        await page.click("#saved-delete >> text=for good")
        await page.wait_for_selector("#saved[data-view=list]")
        assert "Nothing is saved" in await page.inner_text("#saved-text")
        async with http.get(address) as response:
            assert response.status == 404
        await page.keyboard.press("Escape")
        assert not await page.is_visible("#saved-start")


FILMED = "share => Number(document.querySelector('#capture').style.getPropertyValue('--done')) > share"
"""Of six seconds."""


async def clip_shown(page: Page) -> list[object]:
    await page.wait_for_selector("#photo[open]")
    await page.wait_for_function("document.querySelector('#photo-clip').videoWidth > 0")
    shown: list[object] = await page.evaluate(
        """(({ videoWidth, videoHeight }) => [
          document.querySelector("#photo-title").textContent, videoWidth, videoHeight,
        ])(document.querySelector("#photo-clip"))"""
    )
    return shown


async def test_pause_stops_the_work_and_play_goes_on(served: Served, camera: Path) -> None:
    async with visit(served, camera) as page:
        await live(page)
        await page.click("#pause")
        await page.wait_for_selector("body[data-state=paused]")
        await asyncio.sleep(0.5)
        before = await page.evaluate("lacquer.lastMetadata.frame_number")
        await asyncio.sleep(1)
        assert await page.evaluate("lacquer.lastMetadata.frame_number") == before
        await page.click("#pause")
        await page.wait_for_selector("body[data-state=live]")
        await page.wait_for_function("before => lacquer.lastMetadata.frame_number > before", arg=before)


WATCH = """
  window.shift = 0;
  new PerformanceObserver((list) => {
    for (const { value, hadRecentInput } of list.getEntries()) shift += hadRecentInput ? 0 : value;
  }).observe({ type: "layout-shift", buffered: true });
"""


async def test_by_keyboard(served: Served, camera: Path) -> None:
    async with visit(served, camera) as page:
        await page.add_init_script(WATCH)
        await page.goto(served.url)
        await page.wait_for_selector("#strip [data-design='36']", state="attached")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("body[data-state=live]", timeout=20_000)
        await page.focus("#strip [aria-checked=true]")
        for _ in range(9):
            await page.keyboard.press("ArrowRight")
        tenth = await page.get_attribute("#strip > :nth-child(10)", "aria-label")
        assert tenth and tenth.split(",")[0] in await page.inner_text("#wearing")
        await page.wait_for_function(CENTRED)
        assert await page.evaluate(TOO_SMALL) == [], "44 px for a thumb"
        await page.focus("#capture")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("#photo[open]")
        await page.keyboard.press("Escape")
        assert await page.evaluate("document.activeElement.id") == "capture"
        assert await page.evaluate("shift") < 0.02


CENTRED = """() => {
  const middle = (element) => element.getBoundingClientRect().x + element.getBoundingClientRect().width / 2;
  const strip = document.querySelector("#strip");
  return Math.abs(middle(strip.querySelector("[aria-checked=true]")) - middle(strip)) < 2;
}"""


async def test_websocket_path_works(served: Served, camera: Path, nails: np.ndarray) -> None:
    async with visit(served, camera, "?transport=websocket") as page:
        await live(page)
        picture = await until_worn(page, nails, RED, seconds=5)
        assert picture.shape == (480, 640, 3)
        await page.click("#strip [data-design='6']")
        await until_worn(page, nails, COBALT, seconds=2)


async def test_demo_hand_needs_no_camera_and_keeps_its_colours(served: Served) -> None:
    async with visit(served, None) as page:
        await live(page, "#demo")
        await page.wait_for_function("lacquer.lastMetadata?.nails.length >= 4", timeout=10_000)
        drawn = await page.evaluate(
            """async () => {
              const { painter } = await import("/static/demo-hand.js");
              const context = new OffscreenCanvas(480, 640).getContext("2d");
              painter(480, 640)(context, 0);
              return [...context.getImageData(40, 40, 1, 1).data.slice(0, 3)];
            }"""
        )
        wall = (await snapshot(page))[38:43, 38:43].mean(axis=(0, 1))
        assert np.abs(wall - drawn).max() < 6, "not brightened on the way (full range against video range)"


DEVICE = """
  window.locks = [];
  window.lights = [];
  navigator.wakeLock.request = async () => {
    const lock = Object.assign(new EventTarget(), { held: true });
    lock.release = async () => (lock.held = false);
    locks.push(lock);
    return lock;
  };
  Object.assign(MediaStreamTrack.prototype, {
    getCapabilities: () => ({ torch: true }),
    applyConstraints: async ({ advanced: [{ torch }] }) => void lights.push(torch),
  });
"""
"""A phone: its screen can be kept on, its camera has a light. Chromium without a screen has neither."""


async def test_quality_and_details_and_what_a_phone_can_do(served: Served) -> None:
    async with visit(served, None) as page:
        await page.add_init_script(DEVICE)
        await page.reload()
        await page.wait_for_selector("#strip [data-design='36']", state="attached")
        await live(page, "#demo")
        assert await page.evaluate("locks.map(({ held }) => held)") == [True]
        await page.click("#torch")
        await page.wait_for_selector("#torch[aria-pressed=true]")
        assert await page.evaluate("lights") == [True]
        await page.click("#full-screen")
        await page.wait_for_function("document.fullscreenElement !== null")
        await page.click("#full-screen")
        await page.wait_for_function("document.fullscreenElement === null")

        await page.click("#details-open")
        assert await page.evaluate(TOO_SMALL) == []
        await page.click("#details-quality [data-value=saver]")
        assert await page.evaluate("lacquer.settings.quality") == "saver"
        latency = "document.querySelector('#details-numbers dd').textContent"
        await page.wait_for_function(f"/^\\d+ ms$/.test({latency})", timeout=10_000)
        assert 5 < int((await page.evaluate(latency)).split()[0]) < 2000, "glass to glass, in milliseconds"
        await page.wait_for_function(
            "document.querySelector('#details-numbers').innerText.includes('360 × 480')", timeout=10_000
        )
        assert await page.evaluate("document.querySelector('#output').videoWidth") <= 360, "the video is smaller, too"
        await page.keyboard.press("Escape")
        assert await page.evaluate("document.activeElement.id") == "details-open"
        assert not await page.is_visible("#message"), "the server knows the quality"
        await page.click("#pause")
        await page.wait_for_function("!locks.some(({ held }) => held)")


async def test_closed_tab_frees_the_slot(served: Served, camera: Path) -> None:
    async with visit(served, camera) as page, ClientSession() as http:
        await until_free(http, served, 16)  # browsers of earlier tests were killed: those take 10 s to be missed
        await live(page)
        await until_free(http, served, 15)
        await page.close(run_before_unload=True)
        closed = time.monotonic()
        await until_free(http, served, 16)
        assert time.monotonic() - closed < 4, "`pagehide` says goodbye; nobody waits for silence"


async def until_free(http: ClientSession, served: Served, slots: int) -> None:
    deadline = time.monotonic() + 15
    while True:
        async with http.get(f"{served.url}/readyz") as response:
            free = (await response.json())["free_slots"]
        if free == slots:
            return
        assert time.monotonic() < deadline, f"{free} slots are free, {slots} should be"
        await asyncio.sleep(0.1)


async def message_code(page: Page, button: str = "#start") -> str | None:
    await page.click(button)
    await page.wait_for_selector("#message:not([hidden])")
    assert len(await page.inner_text("#message")) > 20, "words for people"
    return await page.get_attribute("#message", "data-code")


async def test_no_camera_is_said(served: Served) -> None:
    async with visit(served, None) as page:
        assert await message_code(page) == "camera_missing"
        assert await page.is_visible("#demo"), "there is another way"


async def test_refused_permission_is_said(served: Served) -> None:
    async with visit(served, None, "", "--use-fake-device-for-media-stream", "--deny-permission-prompts") as page:
        assert await message_code(page) == "camera_denied"


async def test_insecure_origin_is_said(served: Served) -> None:
    port = served.url.rsplit(":", 1)[1]
    elsewhere = Served(f"http://nails.example:{port}", served.process)
    async with visit(elsewhere, None, "", "--host-resolver-rules=MAP nails.example 127.0.0.1") as page:
        assert await message_code(page) == "insecure_origin"
        assert not await page.is_visible("#start"), "pressing it again would only say the same"


async def test_full_server_is_said(tmp_path: Path, camera: Path) -> None:
    with lacquer_serve(tmp_path, "--workers", "1", LACQUER_WORKER_CAPACITY="1") as served:
        async with visit(served, camera) as first, visit(served, camera) as second:
            await live(first)
            assert await message_code(second) == "at_capacity"
            assert not await second.is_visible("#demo"), "the demo hand needs a place as well"
            assert await first.evaluate("lacquer.state") == "live", "the one inside keeps the place"


async def test_the_small_client_of_the_protocol_document_works_as_printed(served: Served, nails: np.ndarray) -> None:
    document = await asyncio.to_thread((ROOT / "protocol" / "README.md").read_text, "utf-8")
    client = document.split("```js\n")[1].split("```")[0]
    jpeg = base64.b64encode(images.encode(drawn_hand.draw(SCENE, 0).rgb, ImageFormat.JPEG)).decode()
    async with visit(served, None) as page:
        answer = await page.evaluate(
            f"""async (jpeg) => {{
              const picture = await (await fetch("data:image/jpeg;base64," + jpeg)).blob();
              const {{ promise, resolve }} = Promise.withResolvers();
              const show = async (blob, header) => {{
                const bytes = new Uint8Array(await blob.arrayBuffer());
                resolve({{ header, base64: btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")) }});
              }};
              {client}
              return promise;
            }}""",
            jpeg,
        )
    assert answer["header"]["frame_number"] == 1
    picture = images.decode(base64.b64decode(answer["base64"]), max_pixels=10**6)
    assert worn(picture, nails, RED) > 0.45
