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

DRESSED = f"({{ picture: ({SNAPSHOT})(), nails: lacquer.lastMetadata.nails.map(({{ polygon }}) => polygon) }})"
"""The picture, and where the server found nails in it, or in one of just before or after."""


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
            inside, outside = nails_in(picture, seen["nails"])
            shares = [worn(picture, nail, colour) for nail in inside]
            if len(shares) == 5 and min(shares) > 0.45 and worn(picture, outside, colour) < 0.02:
                return picture
            assert time.monotonic() < deadline, f"{picture.shape}: {np.round(shares, 2)} of the nails"
            await asyncio.sleep(0.05)


def decoded(data_url: str) -> np.ndarray:
    """The picture of a data: URL, RGB."""
    return images.decode(base64.b64decode(data_url.split(",")[1]), max_pixels=10**7)


def nails_in(picture: np.ndarray, polygons: list[list[list[float]]]) -> tuple[list[np.ndarray], np.ndarray]:
    """Masks, bool (H, W): of each nail without its rim, and of everything that is well away from all of them.

    The hand moves a few pixels between a picture and the newest metadata.
    """
    masks = [np.zeros(picture.shape[:2], np.uint8) for _ in polygons]
    for mask, polygon in zip(masks, polygons, strict=True):
        cv2.fillPoly(mask, [np.round(polygon).astype(np.int32)], 1)
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
