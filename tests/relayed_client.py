"""A client in a network of its own, as a process: connects by each way that it is told, all at once, and tells how many
pictures came back.

    python -m tests.relayed_client URL SECONDS udp tcp tls direct

It takes sessions and TURN servers as a page does, and prints a line of JSON: {way: pictures a second, or null without a
connection}.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

import aiohttp
import numpy as np
from aiortc import RTCConfiguration, RTCIceServer

from tests.rtc_client import RtcClient

ENDINGS = {"udp": "?transport=udp", "tcp": "?transport=tcp"}
SIZE = (240, 320, 3)
CONNECT_SECONDS = 15.0
GIVE_UP_SECONDS = 3.0
"""For who has no relay, and so waits in vain."""


def server(session: dict[str, Any], way: str) -> list[RTCIceServer]:
    """Of those that the session names, the one URL of this way, as aiortc takes a single one."""
    relay = next(each for each in session["ice_servers"] if each.get("username"))
    of_way = [
        url
        for url in relay["urls"]
        if (
            url.startswith("turns:")
            if way == "tls"
            else url.startswith("turn:") and url.endswith(ENDINGS.get(way, "-"))
        )
    ]
    return [RTCIceServer(urls=url, username=relay["username"], credential=relay["credential"]) for url in of_way]


async def watch(http: aiohttp.ClientSession, url: str, way: str, seconds: float) -> float | None:
    async with http.post(f"{url}/api/try-on/sessions/", json={"mode": "explore", "post_id": 1}) as response:
        session = await response.json()

    async def offer(sdp: str) -> str:
        headers = {"Content-Type": "application/sdp", "Authorization": f"Bearer {session['token']}"}
        async with http.post(session["webrtc_url"], data=sdp, headers=headers) as response:
            assert response.status == 201, await response.text()
            return await response.text()

    pictures = [np.full(SIZE, level, np.uint8) for level in range(60, 180, 8)]
    async with RtcClient(pictures, codec="VP8", configuration=RTCConfiguration(server(session, way))) as client:
        await client.connect(offer)
        try:
            await client.until(lambda: client.pictures, GIVE_UP_SECONDS if way == "direct" else CONNECT_SECONDS)
        except AssertionError:
            return None
        before, started = len(client.pts), time.monotonic()
        await asyncio.sleep(seconds)
        return (len(client.pts) - before) / (time.monotonic() - started)


async def main(url: str, seconds: str, *ways: str) -> None:
    async with aiohttp.ClientSession() as http:
        rates = await asyncio.gather(*(watch(http, url, way, float(seconds)) for way in ways))
    print(json.dumps(dict(zip(ways, rates, strict=True))))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
