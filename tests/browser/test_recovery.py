"""What a person sees of failures: a picture that comes back by itself, or words that say why it looks different."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from playwright.async_api import Page

from tests.browser.visits import COBALT, live, until_worn, visit
from tests.serving import Served, lacquer_serve

pytestmark = pytest.mark.browser

BACK_WITHIN = 12.0
"""Seconds on a machine that is busy with other things, where 7 were seen; it is meant to be 4, and `make test-scale`
holds the parts apart to that."""

WITHOUT_UDP = ("--webrtc-ip-handling-policy=disable_non_proxied_udp",)
"""Chromium then gathers no candidates that reach a server here: as in a network that lets only TCP through."""


@pytest.fixture(scope="module", params=[1, 2])
def workers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("workers")
    with lacquer_serve(folder, "--workers", str(request.param), LACQUER_WORKER_CAPACITY="4") as served:
        yield served


async def test_a_killed_worker_is_back_within_seconds_in_the_same_session_and_design(
    workers: Served, camera: Path, nails: np.ndarray
) -> None:
    async with visit(workers, camera) as page:
        await live(page)
        await page.click("#strip [data-design='6']")
        await until_worn(page, nails, COBALT, seconds=5)
        session = await page.evaluate("lacquer.id")
        await page.evaluate("window.states = []; lacquer.on('state', ({ to }) => states.push(to))")
        serving = await _serving(workers)
        killed = time.monotonic()
        os.kill(serving.pid, signal.SIGKILL)
        await page.wait_for_function("states.at(-1) === 'live'", timeout=30_000, polling=20)
        await until_worn(page, nails, COBALT, seconds=10)
        took = time.monotonic() - killed
        print(f"picture back after {took:.2f} s with {len(workers.workers())} worker(s)")
        assert took < BACK_WITHIN
        assert await page.evaluate("[states, lacquer.id]") == [["reconnecting", "live"], session]


async def _serving(served: Served) -> psutil.Process:
    """The worker that has the stream: the one that works."""
    workers = served.workers()
    for worker in workers:
        worker.cpu_percent()
    await asyncio.sleep(1.0)
    return max(workers, key=lambda worker: worker.cpu_percent())


async def test_where_live_video_is_blocked_pictures_go_one_by_one_and_the_page_says_so(
    served: Served, camera: Path
) -> None:
    async with visit(served, camera, "", *WITHOUT_UDP) as page:
        started = time.monotonic()
        await live(page)
        took = time.monotonic() - started
        print(f"live on the WebSocket after {took:.1f} s")
        assert took < 12
        assert await page.evaluate("lacquer.stats().transport") == "websocket"
        assert await page.get_attribute("#message", "data-code") == "slow_path"
        assert "blocked" in await page.inner_text("#message")
        await page.click("#details-open")
        assert "WebSocket" in await page.inner_text("#details-numbers")


HIDE = """hidden => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
  document.dispatchEvent(new Event("visibilitychange"));
}"""

END_CAMERA = """() => {
  const [track] = document.querySelector("#preview").srcObject.getVideoTracks();
  track.stop();
  track.dispatchEvent(new Event("ended"));
}"""
"""As phones do to pages in the background; a page cannot end a track from outside."""


async def test_a_camera_that_ended_in_the_background_is_opened_again(served: Served, camera: Path) -> None:
    async with visit(served, camera) as page:
        await live(page)
        await page.evaluate(HIDE, True)
        await page.wait_for_selector("body[data-state=paused]")
        await page.evaluate(END_CAMERA)
        await page.evaluate(HIDE, False)
        await _moves_on(page)
        assert await page.evaluate("document.querySelector('#preview').srcObject.active")


async def test_a_camera_that_fails_while_live_goes_on_by_itself(served: Served, camera: Path) -> None:
    async with visit(served, camera, "?transport=websocket") as page:
        await live(page)
        await page.evaluate(END_CAMERA)
        await _moves_on(page)


async def _moves_on(page: Page) -> None:
    """New frames come back from the server."""
    await page.wait_for_function(
        """() => {
          window.first ??= lacquer.lastMetadata.frame_number;
          return lacquer.state === "live" && lacquer.lastMetadata.frame_number > window.first + 5;
        }""",
        timeout=8000,
    )
