from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from media_worker import drawn_hand
from tests.browser import operating
from tests.browser.shared import chromiums
from tests.conftest import nothing_left
from tests.serving import Served, lacquer_serve

SCENE = drawn_hand.Scene(still=True)


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """All tests here run on one event loop, as they share what is bound to it: browsers."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent) and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session", autouse=True)
async def _browsers() -> AsyncIterator[None]:
    async with chromiums():
        yield


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def nothing_is_left_behind(_browsers: None) -> AsyncIterator[None]:
    async with nothing_left():
        yield


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for all tests that do not need their own; each test has its own session on it."""
    settings = {"LACQUER_WORKER_CAPACITY": "16", "LACQUER_ADMIN_TOKEN": operating.TOKEN}
    with lacquer_serve(tmp_path_factory.mktemp("served"), "--workers", "1", **settings) as served:
        yield served


@pytest.fixture(scope="session")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A still drawn hand as Chromium's camera: still, so that every frame's nails are where `nails` says."""
    path = tmp_path_factory.mktemp("camera") / "hand.mjpeg"
    drawn_hand.write_mjpeg(path, seconds=1, scene=SCENE)
    return path


@pytest.fixture(scope="session")
def nails() -> np.ndarray:
    """Where the drawn nails are: bool (480, 640)."""
    return drawn_hand.draw(SCENE, 0).mask() > 0
