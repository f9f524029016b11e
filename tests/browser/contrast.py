"""Contrast of words over pictures and gradients, which axe-core leaves open: measured in what the browser painted."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import numpy as np
from playwright.async_api import Page

from media_worker import images

WORDS = """(selectors) => selectors.flatMap((selector) => {
  const element = document.querySelector(selector);
  const range = document.createRange();
  range.selectNodeContents(element);
  const { x, y, width, height } = range.getBoundingClientRect();
  const { color, fontSize, fontWeight } = getComputedStyle(element);
  const [left, top] = [Math.max(0, x), Math.max(0, y)];
  const [right, bottom] = [Math.min(innerWidth, x + width), Math.min(innerHeight, y + height)];
  if (right - left < 1 || bottom - top < 1) return [];
  const canvas = new OffscreenCanvas(1, 1).getContext("2d");
  canvas.fillStyle = color;
  canvas.fillRect(0, 0, 1, 1);
  const colour = [...canvas.getImageData(0, 0, 1, 1).data];
  const large = parseFloat(fontSize) >= (Number(fontWeight) >= 700 ? 18.66 : 24);
  return [{ selector, colour, large, box: [left, top, right, bottom] }];
})"""
"""Where the words of elements are, in the window, and in which colour, RGBA."""

HIDE_WORDS = """() => {
  const sheet = new CSSStyleSheet(); // the page's policy allows no inline style
  sheet.replaceSync(
    "* { color: transparent !important; -webkit-text-fill-color: transparent !important; transition: none !important }",
  );
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}"""
SHOW_WORDS = "() => { document.adoptedStyleSheets = document.adoptedStyleSheets.slice(0, -1); }"


@dataclass(frozen=True)
class Faint:
    """Words that are too hard to read."""

    selector: str
    contrast: float
    wanted: float


async def faint(page: Page, selectors: list[str]) -> list[Faint]:
    """Those of the elements whose words miss WCAG AA: 4.5:1, or 3:1 where they are large, at the worst tenth."""
    words = await page.evaluate(WORDS, selectors)
    await page.evaluate(HIDE_WORDS)
    screen = await page.screenshot(scale="css")
    await page.evaluate(SHOW_WORDS)
    return await asyncio.to_thread(_faint, words, screen)


def _faint(words: list[dict[str, Any]], screen: bytes) -> list[Faint]:
    picture = images.decode(screen, max_pixels=10**7)
    found = []
    for word in words:
        left, top, right, bottom = (round(edge) for edge in word["box"])
        behind = picture[top:bottom, left:right].reshape(-1, 3) / 255
        if behind.size == 0:
            continue
        contrast = float(np.percentile(contrasts(np.array(word["colour"]) / 255, behind), 10))
        wanted = 3.0 if word["large"] else 4.5
        if contrast < wanted:
            found.append(Faint(word["selector"], round(contrast, 2), wanted))
    return found


def contrasts(colour: np.ndarray, behind: np.ndarray) -> np.ndarray:
    """WCAG 2.2's contrast ratio of a colour, RGBA 0–1, over each of (N, 3) pixels, RGB 0–1."""
    over = luminance(colour[:3] * colour[3] + behind * (1 - colour[3]))
    under = luminance(behind)
    ratio: np.ndarray = (np.maximum(over, under) + 0.05) / (np.minimum(over, under) + 0.05)
    return ratio


def luminance(srgb: np.ndarray) -> np.ndarray:
    """Relative luminance, as WCAG 2.2 defines it, of (…, 3) sRGB 0–1."""
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    shares: np.ndarray = linear @ np.array([0.2126, 0.7152, 0.0722])
    return shares
