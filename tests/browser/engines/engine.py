"""What tests ask of a browser that Playwright does not drive: one page, looked at with JavaScript, really clicked."""

from __future__ import annotations

import asyncio
import base64
import re
import time
from abc import ABC, abstractmethod
from asyncio.subprocess import Process
from typing import Any

import cv2
import numpy as np

from media_worker import images
from tests.browser.visits import SNAPSHOT, worn

STEP_SECONDS = 15.0
STOP_SECONDS = 10.0

SHOWN = "[document.body.dataset.state, document.querySelector('#message').innerText]"

DRESSED = f"""(() => {{
  const {{ nails, width }} = lacquer.lastMetadata;
  return {{ picture: ({SNAPSHOT})(), nails: nails.map(({{ polygon }}) => polygon), width }};
}})()"""
"""The picture, and where the server found nails in it, or in one of just before or after, in a frame of that width."""

PHOTO = """(() => {
  const image = document.querySelector("#photo-image");
  const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
  canvas.getContext("2d").drawImage(image, 0, 0);
  return canvas.convertToBlob().then((blob) => new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.readAsDataURL(blob);
  }));
})()"""
"""The photo that is shown, as a data: URL."""


class Engine(ABC):
    """One page of one browser. Its two kinds speak W3C protocols directly: a handful of commands each."""

    @abstractmethod
    async def goto(self, url: str) -> None:
        """Opens the address and waits until it has loaded."""

    @abstractmethod
    async def evaluate(self, expression: str) -> Any:
        """What a JavaScript expression gives, awaited if it is a promise. Raises AssertionError where it throws."""

    @abstractmethod
    async def click(self, selector: str) -> None:
        """Clicks in the middle of the first element that matches, as a person does."""

    async def until(self, expression: str, seconds: float = STEP_SECONDS) -> Any:
        """Waits for an expression to be truthy, and gives what it then is."""
        deadline = time.monotonic() + seconds
        while not (value := await self.evaluate(expression)):
            if time.monotonic() > deadline:
                shown = await self.evaluate(
                    "[document.body.dataset.state, document.querySelector('#message').innerText]"
                )
                raise AssertionError(f"waited {seconds} s for {expression}; the page is {shown}")
            await asyncio.sleep(0.05)
        return value

    async def live(self, url: str, button: str | None = None) -> None:
        """From an address to the first processed picture."""
        await self.goto(url)
        await self.until("document.querySelector('#strip [data-design=\"36\"]') !== null")
        if button:
            await self.click(button)
        await self.until("document.body.dataset.state === 'live'")

    async def snapshot(self) -> np.ndarray:
        """What #output shows: RGB, uint8 (H, W, 3)."""
        return decoded(await self.evaluate(f"({SNAPSHOT})()"))

    async def until_dressed(self, colour: np.ndarray) -> np.ndarray:
        """Waits until all five nails of the demo hand, and nothing else, wear this colour; gives the picture."""
        deadline = time.monotonic() + STEP_SECONDS
        while True:
            seen = await self.evaluate(DRESSED)
            picture = decoded(seen["picture"])
            inside, outside = nails_in(picture, seen["nails"], picture.shape[1] / seen["width"])
            shares = [worn(picture, nail, colour) for nail in inside if nail.any()]
            if len(shares) == 5 and min(shares) > 0.45 and worn(picture, outside, colour) < 0.02:
                return picture
            assert time.monotonic() < deadline, f"{picture.shape}: {np.round(shares, 2)} of the nails"
            await asyncio.sleep(0.05)

    async def photo_of(self, colour: np.ndarray) -> np.ndarray:
        """Takes photos until one shows nails of this colour (a busy server may lose sight of them), and gives it."""
        deadline = time.monotonic() + STEP_SECONDS
        while True:
            await self.click("#capture")
            await self.until(
                "document.querySelector('#photo').open && document.querySelector('#photo-image').naturalWidth"
            )
            photo = decoded(await self.evaluate(PHOTO))
            await self.click("#photo-close")
            if worn(photo, np.ones(photo.shape[:2], bool), colour) > 0.002:
                return photo
            assert time.monotonic() < deadline, f"no photo of {colour}"


def detail_with(name: str) -> str:
    """JavaScript that waits for this field of how pictures travel, and gives all of them."""
    detail = "Promise.resolve(lacquer.stats()).then(({ transport, detail }) => ({ transport, ...detail }))"
    return f"{detail}.then((detail) => detail.{name} && detail)"


def decoded(data_url: str) -> np.ndarray:
    """The picture of a data: URL, RGB."""
    return images.decode(base64.b64decode(data_url.split(",")[1]), max_pixels=10**7)


def nails_in(
    picture: np.ndarray, polygons: list[list[list[float]]], scale: float
) -> tuple[list[np.ndarray], np.ndarray]:
    """Masks, bool (H, W): of each nail without its rim, and of everything that is well away from all of them.

    The hand moves a few pixels between a picture and the newest metadata. A busy server sends a smaller picture:
    `scale` is its share of the frame in which the polygons are.
    """
    masks = [np.zeros(picture.shape[:2], np.uint8) for _ in polygons]
    for mask, polygon in zip(masks, polygons, strict=True):
        cv2.fillPoly(mask, [np.round(np.multiply(polygon, scale)).astype(np.int32)], 1)
    away = cv2.dilate(np.maximum.reduce(masks, initial=0) * np.ones_like(picture[..., 0]), np.ones((25, 25))) == 0
    return [cv2.erode(mask, np.ones((3, 3))) > 0 for mask in masks], away


async def announced(stream: asyncio.StreamReader | None, pattern: str) -> str:
    """What `pattern` captures in the first line of a program's output that matches."""
    assert stream is not None
    async with asyncio.timeout(STEP_SECONDS * 2):
        async for line in stream:
            if found := re.search(pattern, line.decode(errors="replace")):
                return found[1]
    raise AssertionError(f"the program ended without saying {pattern}")


async def stop(process: Process) -> None:
    """Ends a program that a test started; kills it where it does not listen."""
    if process.returncode is None:
        process.terminate()
    try:
        await asyncio.wait_for(process.communicate(), STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.communicate()
