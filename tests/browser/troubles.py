"""What goes wrong on the way to a server, brought about as it happens: a server that is full or gone, a poor link."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Page, Route

from tests.relay import Link, Relay
from tests.serving import Served, lacquer_serve

DESIGNS = "#strip [data-design='36']"
NAILS_SEEN = "lacquer.lastMetadata?.nails.length >= 4"
FAR = 0.22
"""Seconds one way: a long way, with a bad radio link at its end."""


@asynccontextmanager
async def own_server(*arguments: str, **environment: str) -> AsyncIterator[Served]:
    with tempfile.TemporaryDirectory() as folder:
        serving = lacquer_serve(Path(folder), "--workers", "1", *arguments, **environment)
        served = await asyncio.to_thread(serving.__enter__)
        try:
            yield served
        finally:
            await asyncio.to_thread(serving.__exit__, None, None, None)


@asynccontextmanager
async def full(page: Page) -> AsyncIterator[None]:
    """Its one place is taken by somebody else."""
    async with own_server(LACQUER_WORKER_CAPACITY="1") as served:
        other = await page.context.new_page()
        await other.goto(f"{served.url}/?demo=1")
        await other.wait_for_selector("body[data-state=live]", timeout=20_000)
        await _open(page, served.url)
        await page.click("#start")
        await page.wait_for_selector("body[data-state=failed]", timeout=20_000)
        yield


@asynccontextmanager
async def reconnecting(page: Page) -> AsyncIterator[None]:
    """The server stops while the picture is live."""
    async with own_server() as served:
        await _open(page, served.url)
        await page.click("#start")
        await page.wait_for_selector("body[data-state=live]", timeout=20_000)
        await page.wait_for_function(NAILS_SEEN, timeout=20_000)
        served.process.kill()
        await page.wait_for_selector("body[data-state=reconnecting]", timeout=20_000)
        await page.wait_for_selector("#countdown:not([hidden])", timeout=30_000)
        yield


@asynccontextmanager
async def unreachable(page: Page) -> AsyncIterator[None]:
    """The server goes between opening the page and starting."""
    async with own_server() as served:
        await _open(page, served.url)
        served.process.kill()
        await asyncio.to_thread(served.process.wait)
        await page.click("#start")
        await page.wait_for_selector("body[data-state=failed]", timeout=20_000)
        yield


@asynccontextmanager
async def offline(page: Page) -> AsyncIterator[None]:
    """A second visit, without a server."""
    async with own_server() as served:
        await _open(page, served.url)
        await page.evaluate("navigator.serviceWorker.ready.then(() => null)")
        served.process.kill()
        await asyncio.to_thread(served.process.wait)
        await page.reload()
        await page.wait_for_selector("#message:not([hidden])")
        yield


@asynccontextmanager
async def phone_card(page: Page) -> AsyncIterator[None]:
    async with own_server("--lan", "--host", "0.0.0.0") as served:
        await _open(page, served.url)
        await page.wait_for_selector(".phone-card")
        yield


@asynccontextmanager
async def poor_link(page: Page) -> AsyncIterator[None]:
    """Media goes a long way round, and one packet in eight never arrives."""
    up, down = (Link(loss=0.12, delay=FAR, jitter=0.05, seed=seed) for seed in (1, 2))
    async with Relay(up, down) as relay:
        await page.route("**/webrtc/", lambda route: _through(relay, route))
        await _open(page, "/")
        await page.click("#start")
        await page.wait_for_selector("#state[data-level=poor]", timeout=40_000)
        yield


async def _through(relay: Relay, route: Route) -> None:
    headers: dict[str, str] = {}

    async def offer(sdp: str) -> str:
        response = await route.fetch(post_data=sdp)
        headers.update(response.headers)
        return await response.text()

    answer = await relay.between(offer)(route.request.post_data or "")
    headers.pop("content-length", None)
    await route.fulfill(status=201, headers=headers, body=answer)


async def _open(page: Page, url: str) -> None:
    await page.goto(url)
    await page.wait_for_selector(DESIGNS, state="attached")
    await page.wait_for_load_state("networkidle")
