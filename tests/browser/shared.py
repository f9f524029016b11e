"""Chromium as the tests share it: one process for each camera. Starting one costs as much as a short visit."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, Playwright, async_playwright

from tests import serving


class Chromiums:
    """Those of one Playwright, started when somebody asks for them first."""

    def __init__(self, playwright: Playwright, stack: AsyncExitStack) -> None:
        self._playwright, self._stack = playwright, stack
        self._running: dict[Path | None, Browser] = {}

    async def get(self, camera: Path | None) -> Browser:
        if camera not in self._running:
            launched = serving.launched(self._playwright, camera)
            self._running[camera] = await self._stack.enter_async_context(launched)
        return self._running[camera]


_open: list[Chromiums] = []
"""At most one."""


@asynccontextmanager
async def chromiums() -> AsyncIterator[None]:
    """While this is open, `chromium` shares, within the same event loop."""
    async with async_playwright() as playwright, AsyncExitStack() as stack:
        _open.append(Chromiums(playwright, stack))
        try:
            yield
        finally:
            _open.pop()


@asynccontextmanager
async def chromium(camera: Path | None = None, *flags: str) -> AsyncIterator[Browser]:
    """As `serving.chromium`, with a process that others had before, and have meanwhile. Every context, so every page
    of `new_page`, has storage, cookies and caches of its own; those that are opened here are closed in the end.

    `flags` are of a process, so who needs some gets one alone.
    """
    if flags:
        async with serving.chromium(camera, *flags) as alone:
            yield alone
        return
    (shared,) = _open
    browser = await shared.get(camera)
    others = browser.contexts
    try:
        yield browser
    finally:
        for context in browser.contexts:
            if context not in others:
                await context.close()
