"""Every state of the page as pictures, to look at: `python -m tests.browser.screenshots --out /tmp/screens`.

`--readme web/screenshot.webp` renders the one picture that the READMEs show instead. Starts its own server, with a
drawn hand as the camera. What goes wrong with servers and links goes wrong for real (`troubles.py`); with cameras, it
is brought about in the page. Beside the pictures lies one sheet for each size, to look at all of them at once.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from playwright.async_api import Browser, FilePayload, Page, Route, ViewportSize
from playwright.async_api import Error as PlaywrightError

from media_worker import drawn_hand, images
from protocol.messages import ImageFormat
from tests.browser import operating
from tests.browser.troubles import full, offline, phone_card, poor_link, reconnecting, unreachable
from tests.serving import chromium, lacquer_serve

SIZES = {
    "phone": (390, 844, 2.0, "en"),
    "small": (360, 640, 2.0, "en"),
    "sideways": (844, 390, 2.0, "en"),
    "tablet": (820, 1180, 1.0, "en"),
    "desktop": (1440, 900, 1.0, "en"),
    "phone-ar": (390, 844, 2.0, "ar"),
    "desktop-ar": (1440, 900, 1.0, "ar"),
}
"""Width and height in CSS pixels, the device's pixels for each, and the language that its browser asks for."""

USUAL_SIZES = ["phone", "small", "sideways", "desktop", "phone-ar"]
USUAL_SCENES = [
    "start",
    "permission",
    "live",
    "style",
    "photo",
    "clip",
    "upload",
    "saved",
    "details",
    "poor-link",
    "reconnecting",
    "unreachable",
    "full",
    "camera-refused",
    "offline",
    "ended",
    "phone-card",
]

WORN = ((179, 0, 27), (250, 246, 238))
"""Polish on the uploaded hand: a French manicure."""

Scene = Callable[[Page], Awaitable[None]]
"""Brings a page, not yet opened, into the state to be pictured."""

Trouble = Callable[[Page], AbstractAsyncContextManager[None]]
"""The same, with what has to last until the picture is taken."""

UPRIGHT = """(() => {
  const devices = navigator.mediaDevices;
  const open = devices.getUserMedia.bind(devices);
  devices.getUserMedia = () => open({ video: true });
})()"""
"""A phone turns a wish for 640x480 when it is held upright; Chromium's fake camera would crop instead."""

TORCH = """
  const capabilities = MediaStreamTrack.prototype.getCapabilities;
  MediaStreamTrack.prototype.getCapabilities = function () { return { ...capabilities.call(this), torch: true }; };
"""
"""A camera with a light beside it."""

BRIGHT_WALL = """
  navigator.mediaDevices.getUserMedia = async () => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 480, height: 640 });
    const context = canvas.getContext("2d");
    setInterval(() => {
      context.fillStyle = "#fffdf8";
      context.fillRect(0, 0, 480, 640);
    }, 33);
    return canvas.captureStream(30);
  };
"""
"""A camera that sees no hand, and the worst there is to read words over."""

REMEMBER = """(() => {
  const { RTCPeerConnection, fetch } = window;
  window.peers = [];
  window.RTCPeerConnection = class extends RTCPeerConnection { constructor(...a) { super(...a); peers.push(this); } };
  window.fetch = async (url, options) => {
    const response = await fetch(url, options);
    if (options?.method === "POST" && String(url).endsWith("/sessions/")) {
      response.clone().json().then((created) => (window.created = created));
    }
    return response;
  };
})()"""
"""Keeps the page's connections and session at hand, to break them."""


# --- ways into the states --------------------------------------------------------------------------------------------
async def _open(page: Page, query: str = "") -> None:
    await page.goto(f"/{query}")
    await page.wait_for_selector("#strip [data-design='36']", state="attached")
    await page.wait_for_load_state("networkidle")


async def _reach(page: Page, state: str, *, picture: bool = False) -> None:
    await page.wait_for_selector(f"body[data-state={state}]", timeout=20_000)
    if picture:
        await page.wait_for_function("lacquer.lastMetadata?.nails.length >= 4", timeout=20_000)
        await page.wait_for_timeout(1500)


async def start(page: Page) -> None:
    await _open(page)


async def permission(page: Page) -> None:
    await page.add_init_script("navigator.mediaDevices.getUserMedia = () => new Promise(() => {})")
    await _open(page)
    await page.click("#start")
    await _reach(page, "starting")
    await page.wait_for_timeout(500)


async def connecting(page: Page) -> None:
    await page.route("**/webrtc/", _never)
    await _open(page)
    await page.click("#start")
    await _reach(page, "connecting")
    await page.wait_for_timeout(800)


async def live(page: Page) -> None:
    await _open(page)
    await page.click("#start")
    await _reach(page, "live", picture=True)


def demo(design: int) -> Scene:
    async def scene(page: Page) -> None:
        await _open(page, f"?demo=1&postId={design}")
        await _reach(page, "live", picture=True)

    return scene


async def family(page: Page) -> None:
    await demo(36)(page)
    await page.click("#families [data-value=Gel]")


def searched(text: str) -> Scene:
    async def scene(page: Page) -> None:
        await demo(1)(page)
        if await page.is_visible("#search-open"):
            await page.click("#search-open")
        await page.fill("#search-text", text)
        await page.wait_for_timeout(1000)

    return scene


async def style(page: Page) -> None:
    await demo(5)(page)
    await page.click("#style-open")
    await page.click("#style-finish [data-value=chrome]")
    await page.click("#style-shape [data-value=almond]")
    await page.click("#style-length [data-value=long]")
    await page.wait_for_timeout(1000)


async def style_finger(page: Page) -> None:
    await demo(5)(page)
    await page.click("#style-open")
    await page.click("#style-fingers [data-value=ring]")
    await page.locator("#style-colours input").first.fill("#1f3fbf")
    await page.wait_for_timeout(1000)


async def tapped(page: Page) -> None:
    await live(page)
    width, height = await page.evaluate("[picture.clientWidth, picture.clientHeight]")
    frame = await page.evaluate("lacquer.lastMetadata")
    scale = max(width / frame["width"], height / frame["height"])
    nail = next(nail for nail in frame["nails"] if nail["finger"] == "middle")
    x, y = np.mean(nail["polygon"], axis=0)
    left, top = await page.evaluate("(({ left, top }) => [left, top])(picture.getBoundingClientRect())")
    await page.mouse.click(
        left + width / 2 - (x - frame["width"] / 2) * scale, top + height / 2 + (y - frame["height"] / 2) * scale
    )
    await page.click("#style-finish [data-value=chrome]")
    await page.locator("#style-colours input").first.fill("#c9a24b")
    await page.wait_for_timeout(1000)


async def details(page: Page) -> None:
    await page.add_init_script(TORCH)
    await live(page)
    await page.click("#details-open")
    await page.click("#details-quality [data-value=high]")
    await page.wait_for_timeout(4000)


async def compare(page: Page) -> None:
    await demo(1)(page)
    await page.click("#compare")
    await page.focus("#compare-range")
    await page.wait_for_timeout(1000)


async def upload(page: Page) -> None:
    await _open(page)
    photo = images.encode(drawn_hand.draw(drawn_hand.Scene(still=True, worn=WORN), 0).rgb, ImageFormat.JPEG)
    await page.set_input_files("#photo-file", FilePayload(name="manicure.jpg", mimeType="image/jpeg", buffer=photo))
    await page.wait_for_selector("#upload[data-step=found]", timeout=20_000)
    await page.wait_for_timeout(1500)


async def upload_failed(page: Page) -> None:
    await _open(page)
    text = FilePayload(name="manicure.heic", mimeType="image/heic", buffer=b"no picture")
    await page.set_input_files("#photo-file", text)
    await page.wait_for_selector("#upload[data-step=failed]")


async def no_hand(page: Page) -> None:
    await page.add_init_script(BRIGHT_WALL)
    await _open(page)
    await page.click("#start")
    await _reach(page, "live")
    await page.wait_for_function("document.querySelector('#hint').textContent", timeout=20_000)


async def paused(page: Page) -> None:
    await live(page)
    await page.click("#pause")
    await _reach(page, "paused")


async def photo(page: Page) -> None:
    await live(page)
    await page.click("#capture")
    await page.wait_for_selector("#photo[open]")
    await page.wait_for_timeout(500)


async def before_after(page: Page) -> None:
    await photo(page)
    await page.click("#photo-views [data-value=both]")
    await page.wait_for_timeout(800)


async def saved(page: Page) -> None:
    await live(page)
    for design in (5, 24, 59):
        await page.evaluate(f"document.querySelector('#strip [data-design=\"{design}\"]').click()")
        await page.wait_for_timeout(700)
        await page.click("#capture")
        async with page.expect_response("**/results/"):
            await page.click("#photo-save")
        await page.click("#photo-close")
    await page.click("#saved-open")
    await page.wait_for_selector("#saved-list [data-place='2']")
    await page.wait_for_timeout(1000)


async def saved_one(page: Page) -> None:
    await saved(page)
    await page.click("#saved-list [data-place='0']")
    await page.wait_for_timeout(800)


async def start_again(page: Page) -> None:
    await page.add_init_script("localStorage['lacquer.saved'] = 'true'")
    await start(page)


async def filming(page: Page) -> None:
    await live(page)
    await page.click("#mode")
    await page.click("#capture")
    await page.wait_for_timeout(3500)


async def clip(page: Page) -> None:
    await filming(page)
    await page.click("#capture")
    await page.wait_for_selector("#photo[open]")
    await page.wait_for_timeout(1000)


async def ended(page: Page) -> None:
    await page.add_init_script(REMEMBER)
    await live(page)
    await page.evaluate(
        """() => fetch(`/api/try-on/sessions/${created.session_id}/`, {
          method: "DELETE", headers: { Authorization: `Bearer ${created.token}` } })"""
    )
    await _reach(page, "ended")


async def replaced(page: Page) -> None:
    await page.add_init_script(REMEMBER)
    await live(page)
    # another page with the same session: an offer of its own takes it over
    await page.evaluate(
        """async () => {
          const pc = new RTCPeerConnection();
          pc.createDataChannel("tryon");
          pc.addTransceiver("video", { direction: "sendrecv" });
          await pc.setLocalDescription(await pc.createOffer());
          const headers = { Authorization: `Bearer ${created.token}`, "Content-Type": "application/sdp" };
          const answer = await fetch(created.webrtc_url, { method: "POST", headers, body: pc.localDescription.sdp });
          await pc.setRemoteDescription({ type: "answer", sdp: await answer.text() });
        }"""
    )
    await _reach(page, "ended")


def camera_error(name: str) -> Scene:
    async def scene(page: Page) -> None:
        refuse = f"Promise.reject(new DOMException('', '{name}'))"
        await page.add_init_script(f"navigator.mediaDevices.getUserMedia = () => {refuse}")
        await _open(page)
        await page.click("#start")
        await _reach(page, "failed")

    return scene


async def insecure(page: Page) -> None:
    await page.add_init_script("Object.defineProperty(window, 'isSecureContext', { value: false })")
    await _open(page)
    await page.click("#start")
    await _reach(page, "failed")


async def no_designs(page: Page) -> None:
    await page.route("**/designs/", lambda route: route.abort())
    await page.goto("/")
    await page.wait_for_selector("#message:not([hidden])")


async def _never(_route: Route) -> None:
    """An answer that does not come."""


ONLY = {"phone-card": ("desktop", "desktop-ar")} | dict.fromkeys(operating.SCENES, ("small", "tablet", "desktop"))
"""Scenes that other sizes do not have."""

SCENES: dict[str, Scene | Trouble] = {
    "start": start,
    "permission": permission,
    "connecting": connecting,
    "live": live,
    "demo": demo(24),
    "family": family,
    "search": searched("nude"),
    "search-empty": searched("tartan"),
    "style": style,
    "style-finger": style_finger,
    "tapped": tapped,
    "details": details,
    "compare": compare,
    "upload": upload,
    "upload-failed": upload_failed,
    "no-hand": no_hand,
    "paused": paused,
    "photo": photo,
    "before-after": before_after,
    "saved": saved,
    "saved-one": saved_one,
    "start-again": start_again,
    "filming": filming,
    "clip": clip,
    "poor-link": poor_link,
    "reconnecting": reconnecting,
    "unreachable": unreachable,
    "full": full,
    "offline": offline,
    "phone-card": phone_card,
    "ended": ended,
    "replaced": replaced,
    "camera-refused": camera_error("NotAllowedError"),
    "camera-missing": camera_error("NotFoundError"),
    "camera-busy": camera_error("NotReadableError"),
    "insecure": insecure,
    "no-designs": no_designs,
    **operating.SCENES,
}


# --- taking the pictures ---------------------------------------------------------------------------------------------
async def take(browser: Browser, url: str, scene: Scene | Trouble, size: str, file: Path) -> None:
    """One state at one size, as a PNG."""
    width, height, scale, language = SIZES[size]
    viewport: ViewportSize = {"width": width, "height": height}
    context = await browser.new_context(
        base_url=url, viewport=viewport, device_scale_factor=scale, locale=language, bypass_csp=True
    )
    page = await context.new_page()
    if height > width:
        await page.add_init_script(UPRIGHT)
    try:
        async with _brought_about(scene(page)):
            await page.wait_for_timeout(500)
            await page.screenshot(path=file)
    finally:
        await context.close()


@asynccontextmanager
async def _brought_about(state: Awaitable[None] | AbstractAsyncContextManager[None]) -> AsyncIterator[None]:
    if isinstance(state, AbstractAsyncContextManager):
        async with state:
            yield
    else:
        await state
        yield


class Progress:
    """A bar on the terminal."""

    def __init__(self, total: int) -> None:
        self._done, self._total = 0, total

    def step(self, name: str) -> None:
        self._done += 1
        bar = "#" * (30 * self._done // self._total)
        print(f"\r[{bar:30}] {self._done}/{self._total} {name:40}", end="", flush=True)


async def take_all(url: str, scenes: list[str], sizes: list[str], out: Path, camera: Path | None) -> list[str]:
    """Two sizes at a time. Returns what did not come about, in words."""
    wanted = {size: [scene for scene in scenes if size in ONLY.get(scene, (size,))] for size in sizes}
    progress = Progress(sum(map(len, wanted.values())))
    at_once, failures = asyncio.Semaphore(2), list[str]()

    async def take_size(size: str) -> None:
        async with at_once, chromium(camera or _drawn_camera(size)) as browser:
            for scene in wanted[size]:
                try:
                    await take(browser, url, SCENES[scene], size, out / f"{scene}-{size}.png")
                except (PlaywrightError, AssertionError) as error:
                    failures.append(f"{scene} at {size}: {str(error).splitlines()[0]}")
                progress.step(f"{scene} · {size}")
            _contact_sheet(out, size, wanted[size])

    await asyncio.gather(*map(take_size, sizes))
    print()
    return failures


def _contact_sheet(out: Path, size: str, scenes: list[str], height: int = 560, in_row: int = 6) -> None:
    """All pictures of a size in one, each under its name: `all-SIZE.png`."""
    width = round(height * SIZES[size][0] / SIZES[size][1])
    if width > height:
        width, height, in_row = 640, round(640 * SIZES[size][1] / SIZES[size][0]), 4
    tiles = []
    for scene in scenes:
        picture = cv2.imread(str(out / f"{scene}-{size}.png"))
        tile = np.zeros((height + 30, width + 10, 3), np.uint8)
        if picture is not None:
            tile[30:, 10:] = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
        cv2.putText(tile, scene, (12, 21), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255), 1, cv2.LINE_AA)
        tiles.append(tile)
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % in_row)
    rows = [np.hstack(tiles[start : start + in_row]) for start in range(0, len(tiles), in_row)]
    cv2.imwrite(str(out / f"all-{size}.png"), np.vstack(rows))


async def for_readme(url: str, file: Path) -> None:
    """The demo hand on a desktop and on a phone, side by side, with round corners."""
    with tempfile.TemporaryDirectory() as folder:
        async with chromium() as browser:
            for size, design in (("desktop", 24), ("phone", 5)):
                await take(browser, url, demo(design), size, Path(folder) / f"{size}.png")
        height, gap = SIZES["desktop"][1], 36
        desktop, phone = (_rounded(Path(folder) / f"{size}.png", height) for size in ("desktop", "phone"))
    picture = np.hstack([desktop, np.zeros((height, gap, 4), np.uint8), phone])
    cv2.imwrite(str(file), picture, [cv2.IMWRITE_WEBP_QUALITY, 86])


def _rounded(file: Path, height: int, radius: int = 40) -> NDArray[np.uint8]:
    """A picture at that height, BGRA."""
    picture = cv2.imread(str(file))
    assert picture is not None
    width = round(picture.shape[1] * height / picture.shape[0])
    mask = np.zeros((height, width), np.uint8)
    for x, y in ((x, y) for x in (radius, width - radius) for y in (radius, height - radius)):
        cv2.circle(mask, (x, y), radius, 255, -1, cv2.LINE_AA)
    mask[radius:-radius] = 255
    mask[:, radius:-radius] = 255
    small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    return np.dstack([small, mask]).astype(np.uint8, copy=False)


def _drawn_camera(size: str) -> Path:
    """A hand as the size's own camera would see it: upright on an upright phone."""
    width, height, _, _ = SIZES[size]
    path = Path(tempfile.gettempdir()) / f"lacquer-screenshots-{'upright' if height > width else 'wide'}.mjpeg"
    if not path.exists():
        picture = (480, 640) if height > width else (640, 480)
        drawn_hand.write_mjpeg(path, width=picture[0], height=picture[1])
    return path


@contextmanager
def _server(url: str | None) -> Iterator[str]:
    if url:
        yield url
        return
    with (
        tempfile.TemporaryDirectory() as folder,
        lacquer_serve(Path(folder), "--workers", "1", LACQUER_WORKER_CAPACITY="8") as served,
    ):
        yield served.url


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument("--out", type=Path, help="folder for the pictures")
    target.add_argument("--readme", type=Path, help="file for the READMEs' picture, .webp")
    parser.add_argument("--url", help="a server that runs already; by default one of our own")
    parser.add_argument("--camera", type=Path, help="an .mjpeg instead of the drawn hand")
    parser.add_argument("--scenes", nargs="+", choices=SCENES, default=USUAL_SCENES)
    parser.add_argument("--every-scene", action="store_true", help="also the less usual ones")
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=USUAL_SIZES)
    choice = parser.parse_args()
    with _server(choice.url) as url:
        if choice.readme:
            asyncio.run(for_readme(url, choice.readme))
            return
        choice.out.mkdir(parents=True, exist_ok=True)
        scenes = list(SCENES) if choice.every_scene else choice.scenes
        if failures := asyncio.run(take_all(url, scenes, choice.sizes, choice.out, choice.camera)):
            parser.exit(1, "\n".join(["did not come about:", *failures, ""]))


if __name__ == "__main__":
    main()
