from __future__ import annotations

import numpy as np
import pytest
from aiohttp import ClientSession

from media_worker.bench.errors import BenchError
from media_worker.bench.hub import Hub, Sessions


async def upper(sdp: str) -> str:
    if sdp == "bad":
        raise BenchError("the server refused a stream (503): full")
    return sdp.upper()


async def test_the_page_and_its_offers_have_one_origin() -> None:
    async with Hub(upper).serve() as url, ClientSession() as http:
        page = await (await http.get(url)).text()
        assert '<script src="bench.js">' in page
        assert "window.bench" in await (await http.get(f"{url}bench.js")).text()
        assert await (await http.post(f"{url}offer", data="v=0")).text() == "V=0"
        refused = await http.post(f"{url}offer", data="bad")
        assert (refused.status, await refused.text()) == (502, "the server refused a stream (503): full")


async def test_pictures_are_taken_as_a_canvas_gives_them() -> None:
    hub = Hub(upper)
    rgba = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
    async with hub.serve() as url, ClientSession() as http:
        await http.post(f"{url}picture/sent?width=3&height=2", data=rgba.tobytes())
    assert np.array_equal(hub.pictures["sent"][0], rgba[..., :3])


async def test_a_server_that_is_not_there_is_said() -> None:
    async with Sessions("http://127.0.0.1:9") as sessions:
        with pytest.raises(BenchError, match=r"http://127\.0\.0\.1:9 cannot be reached"):
            await sessions.offer("v=0")
