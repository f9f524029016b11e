"""What a visit costs, measured in Chromium: `python -m tests.browser.budget` prints it beside what it may cost.

Its own server, a drawn hand as the camera, an empty cache, a phone's window. Time runs from the navigation. The main
thread's share is also split: what scripts, styles and layout take, and the rest, which in a Chromium without a GPU is
mostly drawing in software.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import CDPSession, Page

from media_worker import drawn_hand
from tests.serving import chromium, lacquer_serve

LIVE_SECONDS = 10.0

OBSERVE = """
  window.budget = { shift: 0, long: [], paint: null, shifted: [] };
  new PerformanceObserver((list) => {
    for (const { value, hadRecentInput, sources } of list.getEntries()) {
      if (hadRecentInput) continue;
      budget.shift += value;
      budget.shifted.push(...sources.map(({ node }) => node?.id || node?.className || node?.nodeName));
    }
  }).observe({ type: "layout-shift", buffered: true });
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) budget.long.push([startTime, duration]);
  }).observe({ type: "longtask", buffered: true });
"""


@dataclass(frozen=True)
class Budget:
    """What a visit costs, or may cost."""

    code_kb: float
    """Page, styles and modules as they come over the network, in units of 1000 bytes."""
    first_load_kb: float
    """With everything else that comes until the start screen stands: the list of designs, pictures in view."""
    first_paint: float
    """First contentful paint, seconds."""
    first_frame: float
    """The first processed frame, seconds from opening the page; the demo hand, asked for by the address."""
    first_frame_camera: float
    """The same with the camera, its button pressed once the page can be used."""
    shift: float
    """Cumulative layout shift, from opening the page through live."""
    longest_task: float
    """Seconds, while live."""
    busy: float
    """Share of the main thread, while live."""
    busy_scripts: float
    """The part of `busy` that runs scripts, resolves styles and lays out."""


ALLOWED = Budget(
    code_kb=150,
    first_load_kb=150,
    first_paint=0.8,
    first_frame=2.5,
    first_frame_camera=2.5,
    shift=0.0,
    longest_task=0.1,
    busy=0.2,
    busy_scripts=0.1,
)


async def measure(url: str, camera: Path, *, live_seconds: float = LIVE_SECONDS) -> Budget:
    """Two visits, each with a browser of its own, so nothing is cached."""
    async with chromium(None) as browser:
        page = await _page(await browser.new_page(viewport=PHONE, bypass_csp=True))
        await page.goto(f"{url}/?demo=1")
        first_frame = await _first_frame(page)
    async with chromium(camera) as browser:
        page = await _page(await browser.new_page(viewport=PHONE, bypass_csp=True))
        devtools = await page.context.new_cdp_session(page)
        received = await _received(devtools)
        await page.goto(url)
        await page.wait_for_selector("#strip [data-design]", state="attached")
        await page.wait_for_load_state("networkidle")
        load = dict(received)
        paint = await page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        pressed = await page.evaluate("performance.now()")
        ready = await page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
        await page.click("#start")
        first_frame_camera = await _first_frame(page) - (pressed - ready) / 1000
        await page.wait_for_timeout(1500)
        began = await page.evaluate("performance.now()")
        before = await _metrics(devtools)
        await page.wait_for_timeout(1000 * live_seconds)
        after = await _metrics(devtools)
        seen = await page.evaluate("budget")
    wall = after["Timestamp"] - before["Timestamp"]
    scripts = sum(after[name] - before[name] for name in ("ScriptDuration", "LayoutDuration", "RecalcStyleDuration"))
    return Budget(
        code_kb=sum(size for kind, size in load.items() if kind in ("Document", "Stylesheet", "Script")) / 1000,
        first_load_kb=sum(load.values()) / 1000,
        first_paint=paint / 1000,
        first_frame=first_frame,
        first_frame_camera=first_frame_camera,
        shift=seen["shift"],
        longest_task=max((duration for start, duration in seen["long"] if start > began), default=0) / 1000,
        busy=(after["TaskDuration"] - before["TaskDuration"]) / wall,
        busy_scripts=scripts / wall,
    )


PHONE: Any = {"width": 390, "height": 844}


async def _page(page: Page) -> Page:
    await page.add_init_script(OBSERVE)
    return page


async def _first_frame(page: Page) -> float:
    """Seconds from opening the page."""
    mark = "performance.getEntriesByName('lacquer-first-frame')[0]"
    await page.wait_for_function(mark, timeout=30_000)
    return float(await page.evaluate(f"{mark}.startTime")) / 1000


async def _received(devtools: CDPSession) -> Mapping[str, float]:
    """Bytes over the network by type of resource, headers included, counted from now on."""
    kinds: dict[str, str] = {}
    total: dict[str, float] = {}

    def finished(event: Any) -> None:
        kind = kinds.get(event["requestId"], "Other")
        total[kind] = total.get(kind, 0) + event["encodedDataLength"]

    devtools.on("Network.responseReceived", lambda event: kinds.update({event["requestId"]: event["type"]}))
    devtools.on("Network.loadingFinished", finished)
    await devtools.send("Network.enable")
    await devtools.send("Performance.enable")
    return total


async def _metrics(devtools: CDPSession) -> dict[str, float]:
    metrics = (await devtools.send("Performance.getMetrics"))["metrics"]
    return {metric["name"]: metric["value"] for metric in metrics}


async def _own_server() -> Budget:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        camera = folder / "hand.mjpeg"
        drawn_hand.write_mjpeg(camera)
        with lacquer_serve(folder, "--workers", "1") as served:
            return await measure(served.url, camera)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="the figures alone, as JSON")
    choice = parser.parse_args()
    measured = asyncio.run(_own_server())
    if choice.json:
        print(json.dumps(vars(measured)))
        return
    for name, value in vars(measured).items():
        allowed = getattr(ALLOWED, name)
        print(f"{name:20}{value:8.3f}  of {allowed:g}{'' if value <= allowed else '  <-- over'}")


if __name__ == "__main__":
    main()
