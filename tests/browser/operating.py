"""The operator's page in its states, with real workers and people who stream: for screenshots and for tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Literal

from playwright.async_api import Page

from tests.browser.troubles import own_server
from tests.serving import Served

TOKEN = "a token of sixteen and more"
SETTINGS = {"LACQUER_ADMIN_TOKEN": TOKEN, "LACQUER_WORKER_CAPACITY": "4"}

Scheme = Literal["light", "dark"]
State = Callable[[Page], AbstractAsyncContextManager[None]]


async def sign_in(page: Page, url: str, token: str = TOKEN) -> None:
    await page.goto(f"{url}/admin")
    await page.fill("#token", token)
    await page.click("#sign-in [type=submit]")


async def board(page: Page, url: str) -> None:
    """Signed in, with its first look shown."""
    await sign_in(page, url)
    await page.wait_for_selector("#workers .worker")


async def try_on(page: Page, url: str, design: int) -> None:
    """Somebody who streams the demo hand."""
    await page.goto(f"{url}/?demo=1&postId={design}")
    await page.wait_for_selector("body[data-state=live]", timeout=20_000)


async def drain_first(page: Page) -> None:
    await page.click(".worker >> nth=0 >> button")
    await page.click("#confirm-yes")
    await page.wait_for_selector(".worker[data-state=draining]")


def scene(name: str, scheme: Scheme) -> State:
    """The state of this name, as the screenshots show it."""

    @asynccontextmanager
    async def state(page: Page) -> AsyncIterator[None]:
        await page.emulate_media(color_scheme=scheme)
        settings = {} if name == "no-token" else SETTINGS
        pictures = {"LACQUER_ADMIN_THUMBNAILS": "true"} if name == "draining" else {}
        async with own_server("--workers", "2", **settings, **pictures) as served:
            await _bring_about(name, page, served)
            yield

    return state


async def _bring_about(name: str, page: Page, served: Served) -> None:
    match name:
        case "no-token":
            await page.goto(f"{served.url}/admin")
            await page.wait_for_selector("#no-token:not([hidden])")
        case "sign-in":
            await page.goto(f"{served.url}/admin")
            await page.wait_for_selector("#sign-in:not([hidden])")
        case "wrong-token":
            await sign_in(page, served.url, "something else entirely")
            await page.wait_for_selector("#sign-in-problem:not(:empty)")
        case "empty":
            await board(page, served.url)
        case _:
            await _busy(page, served)
            if name == "draining":
                await drain_first(page)
                await page.wait_for_timeout(5000)


async def _busy(page: Page, served: Served) -> None:
    """Three people, one of whom has kept a picture; and a worker that has died and come back."""
    served.workers()[0].kill()
    for design in (1, 24, 36):
        person = await page.context.new_page()
        await try_on(person, served.url, design)
    await person.evaluate(
        """() => fetch("/api/try-on/results/", { method: "POST", headers: { "Content-Type": "application/json" },
             body: JSON.stringify({ session_id: lacquer.id }) })"""
    )
    await board(page, served.url)
    await page.bring_to_front()
    await page.wait_for_timeout(6000)


SCENES = {
    f"admin-{name}{'-dark' if scheme == 'dark' else ''}": scene(name, scheme)
    for name in ("sign-in", "wrong-token", "no-token", "empty", "busy", "draining")
    for scheme in ("light", "dark")
}
