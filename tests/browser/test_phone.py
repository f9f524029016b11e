"""A phone in the same room: `lacquer serve --lan` in real Chromium, at this machine's own address."""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page, ViewportSize

from signaling.addresses import LanUnavailable, lan_addresses
from tests.browser.shared import chromium
from tests.browser.visits import RED, live, until_worn, visit
from tests.serving import Served, lacquer_serve

pytestmark = pytest.mark.browser

DESKTOP = ViewportSize(width=1280, height=720)
DESIGNS = "#strip [data-design='36']"


@dataclass
class LanServed(Served):
    """A running `lacquer serve --lan`."""

    phone: Served
    """The same as phones see it."""
    trust: str
    """Chromium's flag to take this certificate, and no other, for good: what a person does with two taps."""


@pytest.fixture(scope="module")
def lan_served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanServed]:
    try:
        address = lan_addresses()[0]
    except LanUnavailable as error:
        pytest.skip(f"needs an address besides loopback: {error}")
    folder = tmp_path_factory.mktemp("lan")
    with lacquer_serve(folder, "--lan", "--host", "0.0.0.0", "--workers", "1") as served:
        told = re.search(rf"https://{re.escape(address)}:\d+", (folder / "serve.log").read_text())
        assert told
        trust = f"--ignore-certificate-errors-spki-list={spki(folder / 'data' / 'lan' / 'certificate.pem')}"
        yield LanServed(served.url, served.process, Served(told[0], served.process), trust)


def spki(certificate: Path) -> str:
    """SHA-256 of the public key, in base64."""
    key = x509.load_pem_x509_certificate(certificate.read_bytes()).public_key()
    digest = Hash(SHA256())
    digest.update(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    return base64.b64encode(digest.finalize()).decode()


@asynccontextmanager
async def desktop(url: str) -> AsyncIterator[Page]:
    """A browser on this machine, in a window of a small laptop. Nothing may be wrong in its console."""
    async with chromium() as browser:
        page = await browser.new_page(viewport=DESKTOP, bypass_csp=True)
        faults: list[str] = []
        page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        await page.goto(url)
        await page.wait_for_selector(DESIGNS, state="attached")
        yield page
        assert not faults


async def test_a_phone_gets_its_camera_and_polish(lan_served: LanServed, camera: Path, nails: np.ndarray) -> None:
    async with visit(lan_served.phone, camera, "", lan_served.trust) as page:
        assert await page.evaluate("isSecureContext"), "or there is no camera"
        await live(page)
        await until_worn(page, nails, RED, seconds=5)
        assert await page.evaluate("lacquer.stats().transport") == "webrtc"
        (cookie,) = await page.context.cookies()
        assert (cookie["name"], cookie["secure"], cookie["sameSite"]) == ("__Host-lacquer_owner", True, "Lax")
        assert await page.locator(".phone-card").count() == 0, "a phone needs no other phone"


async def test_a_phone_without_webrtc_gets_pictures(lan_served: LanServed, camera: Path, nails: np.ndarray) -> None:
    async with visit(lan_served.phone, camera, "?transport=websocket", lan_served.trust) as page:
        await live(page)
        await until_worn(page, nails, RED, seconds=5)


async def test_the_desktop_shows_what_a_phone_scans(lan_served: LanServed) -> None:
    async with desktop(lan_served.url) as page:
        card = page.locator(".phone-card")
        await card.wait_for()
        assert lan_served.phone.url in await card.inner_text()
        picture = card.get_by_role("img", name=f"QR code that opens {lan_served.phone.url}")
        assert await picture.evaluate("image => image.decode().then(() => image.clientWidth)") == 140
        shot = cv2.imdecode(np.frombuffer(await picture.screenshot(), np.uint8), cv2.IMREAD_GRAYSCALE)
        assert shot is not None
        text, _, _ = cv2.QRCodeDetector().detectAndDecode(cv2.resize(shot, None, fx=4, fy=4))
        assert text == lan_served.phone.url
        await page.click("text=The phone warns you")
        assert await card.get_by_text("nobody vouches").is_visible()


async def test_the_card_covers_nothing_and_goes_for_good(lan_served: LanServed) -> None:
    async with desktop(lan_served.url) as page:
        card = page.locator(".phone-card")
        await card.wait_for()
        edge = await card.evaluate("card => card.getBoundingClientRect().right")
        for other in ("#start", "#demo", "h1", "#strip"):
            box = await page.locator(other).bounding_box()
            assert box is not None and box["x"] >= edge, other
        await page.click("#demo")
        await page.wait_for_selector("body[data-state=live]", timeout=20_000)
        assert not await card.is_visible(), "not over a live picture"
        await page.click("#stop")
        await card.get_by_role("button").click()
        assert await card.count() == 0
        assert await page.evaluate("document.activeElement.id") == "start"
        async with page.expect_response("**/api/try-on/designs/"):
            await page.reload()
        await page.wait_for_selector(DESIGNS, state="attached")
        assert await card.count() == 0


async def test_without_lan_a_desktop_shows_no_card(served: Served) -> None:
    async with desktop(served.url) as page:
        await page.wait_for_function("performance.getEntriesByName(location.origin + '/api/lan').length > 0")
        assert await page.locator(".phone-card").count() == 0


async def test_the_one_thing_that_a_browser_warns_of_is_who_made_the_certificate(lan_served: LanServed) -> None:
    """Not the address, the dates or the key: nothing that a browser would let nobody pass for."""
    async with chromium() as browser:
        page = await browser.new_page(bypass_csp=True)
        with pytest.raises(PlaywrightError, match="ERR_CERT_AUTHORITY_INVALID"):
            await page.goto(lan_served.phone.url)
