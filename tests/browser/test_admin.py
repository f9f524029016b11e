"""The operator's page in a browser: the way in, what it shows of somebody who streams, and draining."""

from __future__ import annotations

import re

import aiohttp
import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import expect

from tests.browser.operating import TOKEN, drain_first, sign_in, try_on
from tests.browser.shared import chromium
from tests.browser.test_accessibility import PHONE, complaints
from tests.serving import Served

pytestmark = pytest.mark.browser

LONG = 30_000
"""Milliseconds, for what is there within one or two seconds on a machine that does nothing else."""

HOMELESS = re.compile(r"[1-9]\d* without a place")
"""Who left in other tests just now may still be counted."""


async def test_an_operator_drains_a_worker_and_sees_what_becomes_of_its_people(served: Served) -> None:
    wrong, faults = list[str](), list[str]()
    async with chromium() as browser:
        page = await browser.new_page(viewport=PHONE, color_scheme="dark")
        page.on("pageerror", lambda error: faults.append(str(error)))
        await page.add_init_script(AXE_SCRIPT)
        await sign_in(page, served.url, "something else entirely")
        await expect(page.locator("#sign-in-problem")).to_have_text(
            "This is not the admin token of this server.", timeout=LONG
        )
        wrong += await complaints(page, "wrong token")
        await page.fill("#token", TOKEN)
        await page.keyboard.press("Enter")

        person = await browser.new_page()
        await try_on(person, served.url, 1)
        row = page.locator(f"[data-key='{await person.evaluate('lacquer.id')}']")
        await page.bring_to_front()
        await expect(row).to_contain_text("connected", timeout=LONG)
        await expect(row).to_contain_text("Classic Red", timeout=LONG)
        try:
            await drain_first(page)
            await expect(page.locator(".worker .outcome")).to_contain_text(HOMELESS, timeout=LONG)
            await person.wait_for_selector("body:not([data-state=live])")
            wrong += await complaints(page, "drained, dark")
            await page.emulate_media(color_scheme="light")
            await page.wait_for_timeout(350)  # colours fade
            wrong += await complaints(page, "drained, light")
            await page.click(".of-actions button >> nth=0")
            wrong += await complaints(page, "asking")
            await page.click("#confirm-yes")
            await expect(page.locator("#banner")).to_contain_text("has ended", timeout=LONG)
        finally:
            await let_in_again(served)
        kept = await page.evaluate("document.cookie + location.href + JSON.stringify(localStorage)")
        assert kept == f"{served.url}/admin{{}}"
    assert (wrong, faults) == ([], [])


async def let_in_again(served: Served) -> None:
    """The server is there for other tests, too."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with aiohttp.ClientSession(served.url, headers=headers) as http:
        for worker in await (await http.get("/admin/workers/")).json():
            (await http.delete(f"/admin/workers/{worker['id']}/drain")).raise_for_status()
