"""The icons of the installed page, drawn from `web/favicon.svg` by Chromium: `python -m tests.browser.icons`."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

from PIL import Image
from playwright.async_api import Page

from tests.serving import chromium

WEB = Path(__file__).parents[2] / "web"

ROUNDED, WHOLE = ' rx="8"', ""
"""Corners of the drawing's background. Systems that cut icons to a shape of their own (“maskable”, iOS) want the whole
square; the nail lies within the circle of 80 % that is never cut."""

ICONS = {
    "icon-192.png": (192, ROUNDED),
    "icon-512.png": (512, ROUNDED),
    "maskable-512.png": (512, WHOLE),
    "apple-touch-icon.png": (180, WHOLE),
}

COLOURS = 64


async def draw(page: Page, size: int, corners: str) -> bytes:
    """A PNG of that many colours, for it is a drawing."""
    svg = (WEB / "favicon.svg").read_text("utf-8").replace(ROUNDED, corners)
    await page.set_viewport_size({"width": size, "height": size})
    await page.set_content(f"<style>body {{ margin: 0 }} svg {{ display: block; width: {size}px }}</style>{svg}")
    pixels = Image.open(io.BytesIO(await page.screenshot(omit_background=True)))
    output = io.BytesIO()
    pixels.quantize(COLOURS, method=Image.Quantize.FASTOCTREE).save(output, "PNG", optimize=True)
    return output.getvalue()


async def draw_all() -> None:
    async with chromium() as browser:
        page = await browser.new_page()
        for name, (size, corners) in ICONS.items():
            png = await draw(page, size, corners)
            (WEB / "icons" / name).write_bytes(png)
            print(f"{name}  {len(png)} bytes")


if __name__ == "__main__":
    asyncio.run(draw_all())
